import { expect, it } from 'vitest';
import { cells } from './bits';

const of = (...widths: number[]) =>
  cells(widths.map((width) => ({ width }))).map(({ field, row, column, width, first }) => [
    field,
    row,
    column,
    width,
    first,
  ]);

it('cuts fields where a row of sixteen bits ends', () => {
  expect(of(8, 8)).toEqual([
    [0, 0, 0, 8, true],
    [1, 0, 8, 8, true],
  ]);
  expect(of(24, 8)).toEqual([
    [0, 0, 0, 16, true],
    [0, 1, 0, 8, false],
    [1, 1, 8, 8, true],
  ]);
});

it('labels a field where it has most room', () => {
  expect(of(8, 8, 8, 1, 31)).toContainEqual([4, 2, 8 - 8, 16, true]);
  expect(of(15, 17).filter(([, , , , first]) => first)).toEqual([
    [0, 0, 0, 15, true],
    [1, 1, 0, 16, true],
  ]);
});

it('covers every bit once', () => {
  const fields = [1, 1, 1, 1, 4, 1, 7, 64, 32];
  expect(of(...fields).reduce((sum, [, , , width]) => sum + Number(width), 0)).toBe(112);
});
