import { expect, test } from 'vitest';
import { parseNumber, withUnit } from './number';

test('units stand where they are said', () => {
  expect(withUnit(350, 'ms')).toBe('350 ms');
  expect(withUnit(7, 'every')).toBe('every 7');
  expect(withUnit(403, '')).toBe('403');
  expect(withUnit(16 << 20, 'B')).toBe('16 MiB');
  expect(withUnit((16 << 20) + 1, 'B')).toBe('16777217 B');
});

test('what a field shows is what it reads', () => {
  for (const [value, unit] of [
    [350, 'ms'],
    [7, 'every'],
    [17, 'event'],
    [0, 's'],
    [16 << 20, 'B'],
    [1 << 30, 'B'],
    [999, 'B'],
  ] as const) {
    expect(parseNumber(withUnit(value, unit), unit)).toBe(value);
  }
});

test('typed by hand', () => {
  expect(parseNumber(' 12s', 's')).toBe(12);
  expect(parseNumber('1.5 MiB', 'B')).toBe(1.5 * (1 << 20));
  expect(parseNumber('2,6', 'tok')).toBe(3);
  expect(parseNumber('none', 'tok')).toBeNull();
  expect(parseNumber('', 'tok')).toBeNull();
});
