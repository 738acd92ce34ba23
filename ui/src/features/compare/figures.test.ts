import { describe, expect, it } from 'vitest';
import type { CompareRun } from '../../gen/CompareRun';
import type { RunFigures } from '../../gen/RunFigures';
import { cellText, number, ordered, valueOf, values, verdict } from './figures';

const estimate = (value: number, low: number, high: number, approximate = false) => ({
  estimate: { value, interval: { low, high, approximate } },
  exact: false,
});

describe('verdict', () => {
  const pair = (n: number, low: number, high: number, apart = false) => ({
    a: 0,
    b: 1,
    n,
    difference: { value: (low + high) / 2, interval: { low, high, approximate: n < 30 } },
    apart,
  });
  it('says nothing from too few pairs, neither that lanes are apart nor that they are not', () => {
    expect(verdict(pair(6, 155, 161))).toBe('too few runs to say');
    expect(verdict(pair(6, -2.9, 2.3))).toBe('too few runs to say');
    const one = { ...pair(1, 0, 0), difference: { value: 160, interval: null } };
    expect(verdict(one)).toBe('too few runs to say');
  });
  it('judges from enough', () => {
    expect(verdict(pair(30, -2.9, 2.3))).toBe('not apart');
    expect(verdict(pair(30, 2, 3, true))).toBe('apart');
  });
});

describe('cellText', () => {
  it('writes ± only where the interval lies evenly about the figure', () => {
    expect(cellText(estimate(450, 443, 457), 'ms')).toEqual({ value: '450', interval: '± 7.00' });
    expect(cellText(estimate(450, 445, 470), 'ms')).toEqual({ value: '450', interval: '445–470' });
  });
  it('marks an approximate interval', () => {
    expect(cellText(estimate(60.6, 50, 90, true), 'ms').interval).toBe('≈50.0–90.0');
  });
  it('has no interval where there is none, and says exact where all runs agree', () => {
    expect(cellText({ estimate: { value: 731, interval: null }, exact: true }, 'bytes')).toEqual({
      value: '731',
      interval: 'exact',
    });
    expect(cellText({ estimate: { value: 731.4, interval: null }, exact: false }, 'bytes').interval).toBe('');
    expect(cellText({ estimate: null, exact: false }, 'ms').value).toBe('');
  });
  it('shows shares in percent', () => {
    expect(cellText({ estimate: { value: 0.4528, interval: null }, exact: false }, 'share').value).toBe(
      '45.3',
    );
  });
});

describe('number', () => {
  it('keeps the sign', () => {
    expect(number(-1265)).toBe('−1\u2009265');
    expect(number(-7.25)).toBe('−7.25');
    expect(number(0)).toBe('0');
  });
});

const run = (
  lane: number,
  order: number,
  ttft: number | null,
  more: Partial<CompareRun> = {},
): CompareRun => ({
  lane,
  n: order + 1,
  session: `s${order}`,
  warmup: false,
  order,
  startedAtMs: 0,
  figures: { ttft, gapP50: 3, textShare: 0.5 } as RunFigures,
  failure: null,
  clockJumpMs: null,
  sleptMs: null,
  stoodMs: null,
  within: false,
  disturbed: false,
  dateAheadMs: null,
  ...more,
});

describe('values', () => {
  it('takes the runs that count, by lane, in the order they ran', () => {
    const failure = { code: 'cut', message: '', blame: 'peer', status: null };
    const runs = [
      run(0, 4, 12),
      run(0, 1, 11),
      run(1, 2, 9),
      run(0, 0, 99, { warmup: true }),
      run(1, 3, 99, { failure }),
      run(1, 5, 99, { disturbed: true }),
      run(1, 6, null),
    ];
    const found = values(runs, 2, { figure: 'ttft', unit: 'ms' });
    expect(found.map((lane) => lane.map(({ value }) => value))).toEqual([[11, 12], [9]]);
  });
  it('finds figures by the names of tables', () => {
    expect(valueOf(run(0, 0, 1).figures, { figure: 'gap_p50', unit: 'ms' })).toBe(3);
    expect(valueOf(run(0, 0, 1).figures, { figure: 'text_share', unit: 'share' })).toBe(50);
  });
});

describe('ordered', () => {
  it('puts layers from the outside in, unknown ones last, empty ones nowhere', () => {
    const layers: [string, number][] = [
      ['text', 1],
      ['odd', 2],
      ['http-head', 3],
      ['sse', 0],
    ];
    expect(ordered(layers).map(([layer]) => layer)).toEqual(['http-head', 'text', 'odd']);
  });
});
