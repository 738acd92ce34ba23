import { describe, expect, it } from 'vitest';
import type { CompareRun } from '../../gen/CompareRun';
import type { Palette } from '../../lib/canvas';
import { chart, quantile, spotAt, type ChartKind, type Series } from './charts';
import { svg } from './plot';
import { label, scaleOf } from './scale';

const series = (lane: number, numbers: number[]): Series => ({
  lane,
  hue: 'sse',
  points: numbers.map((value, order) => ({ value, run: { lane, order, n: order + 1 } as CompareRun })),
});

describe('scaleOf', () => {
  it('is linear for values that lie together and logarithmic for those that do not', () => {
    expect(scaleOf([400, 500], 0, 300, 'ms').log).toBe(false);
    expect(scaleOf([400, 1800], 0, 300, 'ms').log).toBe(true);
  });
  it('keeps every value and every tick on the axis', () => {
    for (const all of [[5], [0, 0], [0, 10], [400, 1800], [0.01, 900], [731, 731]]) {
      const scale = scaleOf(all, 36, 300, 'ms');
      for (const value of [...all, ...scale.ticks.map((tick) => tick.value)]) {
        expect(scale.at(value)).toBeGreaterThanOrEqual(35.9);
        expect(scale.at(value)).toBeLessThanOrEqual(300.1);
      }
    }
  });
  it('writes long times in seconds', () => {
    expect(label(1400, 'ms')).toBe('1.4 s');
    expect(label(450, 'ms')).toBe('450');
  });
});

describe('chart', () => {
  const all = [series(0, [3, 1, 2]), series(1, [10, 30, 20, 40]), series(2, [])];
  it.each(['ecdf', 'box', 'order'] as ChartKind[])(
    '%s has a spot for every run, all on the picture',
    (kind) => {
      const { spots, marks } = chart(kind, all, 'ms', 348, 272);
      expect(spots).toHaveLength(7);
      expect(marks.length).toBeGreaterThan(8);
      for (const { x, y } of spots) {
        expect(x >= 0 && x <= 348 && y >= 0 && y <= 272).toBe(true);
      }
      expect(spotAt(spots, spots[3]!.x + 2, spots[3]!.y)?.run).toBe(spots[3]!.run);
      expect(spotAt(spots, -100, -100)).toBeNull();
    },
  );
  it('draws nothing of nothing', () => {
    expect(chart('ecdf', [series(0, [])], 'ms', 348, 272).marks).toEqual([]);
  });
  it('is SVG that parses, whatever a name holds', () => {
    const colour = { text: '#111', fill: '#222', tint: '#333', line: '#444' };
    const palette = {
      layer: () => colour,
      bg1: '#fff',
      text1: '#000',
      text3: '#999',
      line1: '#eee',
    } as unknown as Palette;
    const text = svg(chart('box', all, 'ms', 348, 272).marks, 348, 272, 'a <b> & "c"', palette);
    const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
    expect(parsed.querySelector('parsererror')).toBeNull();
    expect(parsed.querySelector('title')?.textContent).toBe('a <b> & "c"');
    expect(text).not.toContain('undefined');
  });
});

describe('quantile', () => {
  it('is definition 7', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
  });
});
