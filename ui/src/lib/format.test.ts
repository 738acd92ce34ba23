import { describe, expect, it } from 'vitest';
import { count, duration, joined, percent, seconds, size } from './format';

describe('figures', () => {
  it.each([
    [0, '0 ms'],
    [0.42, '0.42 ms'],
    [3.25, '3.3 ms'],
    [9.96, '10 ms'],
    [12.4, '12 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [1990, '1.99 s'],
    [9994, '9.99 s'],
    [12_345, '12.3 s'],
    [120_000, '2.0 min'],
  ])('duration %d', (ms, text) => expect(joined(duration(ms))).toBe(text));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [47_512, '47.5 kB'],
    [99_960, '100 kB'],
    [999_600, '1.0 MB'],
    [3_300_000, '3.3 MB'],
    [2e12, '2000 GB'],
  ])('size %d', (bytes, text) => expect(joined(size(bytes))).toBe(text));

  it('percent', () => {
    expect(joined(percent(0.01))).toBe('1.0 %');
    expect(joined(percent(0.0996))).toBe('10 %');
    expect(joined(percent(1))).toBe('100 %');
  });

  it('counts in groups of three', () => {
    expect(count(237)).toBe('237');
    expect(count(1234567).replace(/\s/g, ' ')).toBe('1 234 567');
  });

  it('seconds', () => expect(seconds(2070)).toBe('2.07 s'));
});
