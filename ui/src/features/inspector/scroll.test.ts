import { describe, expect, it } from 'vitest';
import { SAFE_PX, scale } from './scroll';

const ROW = 22;

describe('scale', () => {
  it('is the identity while the content is of a safe height', () => {
    const s = scale(10_000 * ROW, 242);
    expect(s.scaled).toBe(false);
    expect(s.box).toBe(220_000);
    expect(s.toBar(1234)).toBe(1234);
    expect(s.toContent(1234)).toBe(1234);
  });

  it('keeps the box safe for ten million rows, and reaches both ends', () => {
    const content = 10_000_000 * ROW;
    const s = scale(content, 242);
    expect(s.box).toBe(SAFE_PX);
    expect(s.toContent(0)).toBe(0);
    expect(s.toContent(SAFE_PX - 242)).toBeCloseTo(content - 242, 3);
    expect(s.toBar(content - 242)).toBeCloseTo(SAFE_PX - 242, 6);
  });

  it('is monotonous and comes back to the same row', () => {
    const s = scale(1_000_000 * ROW, 242);
    let before = -1;
    for (let row = 0; row < 1_000_000; row += 9973) {
      const bar = s.toBar(row * ROW);
      expect(bar).toBeGreaterThan(before);
      before = bar;
      expect(s.toContent(bar)).toBeCloseTo(row * ROW, 3);
    }
  });

  it('changes from one to the other at the safe height', () => {
    expect(scale(SAFE_PX, 242).scaled).toBe(false);
    expect(scale(SAFE_PX + 1, 242).scaled).toBe(true);
  });
});
