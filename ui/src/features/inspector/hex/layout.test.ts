import { describe, expect, it } from 'vitest';
import { ownersIn } from './HexCanvas';
import { asciiBox, asciiText, hexBox, hexString, hexText, hit, layout, LINE_PX, runs, TOP } from './layout';

const CH = 6.6;
const at = layout(206, 0, CH);
const lineY = (line: number) => TOP + line * LINE_PX + 8;

describe('hit', () => {
  it('finds every byte at the middle of its digits and of its character', () => {
    for (let offset = 0; offset < 206; offset++) {
      const [line, column] = [Math.floor(offset / 16), offset % 16];
      const [hexLeft, hexWidth] = hexBox(at, column, column + 1);
      const [left, width] = asciiBox(at, column, column + 1);
      expect(hit(at, hexLeft + hexWidth / 2, lineY(line))).toBe(offset);
      expect(hit(at, left + width / 2, lineY(line))).toBe(offset);
    }
  });

  it('gives the gaps to the bytes beside them, the wide one at its middle', () => {
    const [seventh, width] = hexBox(at, 7, 8);
    expect(hit(at, seventh + width + CH * 0.9, lineY(0))).toBe(7);
    expect(hit(at, seventh + width + CH * 1.1, lineY(0))).toBe(8);
    expect(hit(at, at.hexX + 2.4 * CH, lineY(0))).toBe(0);
    expect(hit(at, at.hexX + 2.6 * CH, lineY(0))).toBe(1);
  });

  it('finds nothing outside, and the nearest byte where it may', () => {
    expect(hit(at, at.hexX - 20, lineY(0))).toBeNull();
    expect(hit(at, at.hexX, 0)).toBeNull();
    expect(hit(at, at.hexX + 15 * 3 * CH, lineY(12))).toBeNull();
    expect(hit(at, -50, -50, true)).toBe(0);
    expect(hit(at, 9999, 9999, true)).toBe(205);
    expect(hit(layout(0, 0, CH), 60, 10)).toBeNull();
  });
});

it('has room for the offsets of any stream', () => {
  expect(layout(100, 0, CH).digits).toBe(4);
  expect(layout(70_000, 0, CH).digits).toBe(5);
  expect(layout(16, 0xffff_fff0, CH).digits).toBe(8);
  expect(at.width).toBeLessThan(496);
});

it('cuts a range at line ends', () => {
  expect(runs(14, 35, 0, 10)).toEqual([
    [0, 14, 16],
    [1, 0, 16],
    [2, 0, 3],
  ]);
  expect(runs(14, 35, 1, 2)).toEqual([[1, 0, 16]]);
  expect(runs(5, 5, 0, 10)).toEqual([]);
});

it('writes bytes as digits and as text', () => {
  const bytes = new Uint8Array([0x20, 0x6e, 0xc3, 0xaf, 0x0a]);
  expect(hexText(bytes, 5)).toBe('20 6e c3  af 0a');
  expect(asciiText(bytes)).toBe(' n···');
  expect(hexString(bytes)).toBe('20 6e c3 af 0a');
});

it('finds the owners of a range among many, and leaves no hole', () => {
  const owners = Array.from({ length: 1000 }, (_, i) => ({ start: i * 10, end: i * 10 + 9, layer: `l${i}` }));
  expect(ownersIn(owners, 5004, 5013)).toEqual([
    { start: 5004, end: 5009, layer: 'l500' },
    { start: 5009, end: 5010, layer: '' },
    { start: 5010, end: 5013, layer: 'l501' },
  ]);
  expect(ownersIn([], 3, 5)).toEqual([{ start: 3, end: 5, layer: '' }]);
});
