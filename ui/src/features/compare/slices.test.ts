import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CompareRow } from '../../gen/CompareRow';
import { Slices } from './slices.svelte';

const rows = (n: number, mark: string, lanes = 2): CompareRow[] =>
  Array.from({ length: n }, (_, i) => ({
    figure: `f${i}`,
    statistic: 'mean',
    name: mark,
    about: '',
    unit: 'ms',
    cells: Array.from({ length: lanes }, () => ({})),
    paired: [],
  })) as unknown as CompareRow[];
const marks = (slices: Slices) => slices.rows.map(({ name }) => name).join('');

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('another table comes at once, the same one in slices', () => {
  const slices = new Slices();
  slices.take(rows(6, 'a'), false);
  expect(marks(slices)).toBe('aaaaaa');
  slices.take(rows(6, 'b'), false);
  expect(marks(slices)).toBe('aaaaaa');
  vi.advanceTimersToNextFrame();
  expect(marks(slices)).toBe('bbbbaa');
  // What comes meanwhile is what is shown in the end.
  slices.take(rows(6, 'c'), false);
  vi.advanceTimersToNextFrame();
  vi.advanceTimersToNextFrame();
  vi.advanceTimersToNextFrame();
  expect(marks(slices)).toBe('cccccc');
  slices.take(rows(6, 'x'), false);
  slices.take(rows(6, 'z'), true);
  expect(marks(slices)).toBe('zzzzzz');
  vi.advanceTimersToNextFrame();
  expect(marks(slices)).toBe('zzzzzz');
  slices.take(rows(6, 'd', 3), false);
  expect(marks(slices)).toBe('dddddd');
  slices.take(rows(3, 'e', 3), false);
  expect(marks(slices)).toBe('eee');
});
