import { expect, it, test } from 'vitest';
import { extraText, listExtras, readExtra, valueAt, withValue } from './extras';

it('sets, reads and takes away at a path', () => {
  const one = withValue(undefined, 'generationConfig.topK', 40);
  expect(one).toEqual({ generationConfig: { topK: 40 } });
  const two = withValue(one, 'generationConfig.candidateCount', 2);
  expect(valueAt(two, 'generationConfig.topK')).toBe(40);
  expect(withValue(two, 'generationConfig.topK', undefined)).toEqual({
    generationConfig: { candidateCount: 2 },
  });
  expect(withValue(one, 'generationConfig.topK', undefined)).toBeUndefined();
  expect(one).toEqual({ generationConfig: { topK: 40 } });
  expect(valueAt({ a: 1 }, 'a.b')).toBeUndefined();
});

it('keeps false, 0, null and ""', () => {
  for (const value of [false, 0, null, '']) expect(withValue({}, 'a', value)).toEqual({ a: value });
});

it('opens objects where the API names a path inside', () => {
  const extra = { a: { b: 1, c: { d: 2 } }, user: { name: 'x' } };
  expect(listExtras(extra, [{ path: 'a.b' }])).toEqual([
    { path: 'a.b', value: 1 },
    { path: 'a.c', value: { d: 2 } },
    { path: 'user', value: { name: 'x' } },
  ]);
  expect(listExtras(undefined, [])).toEqual([]);
});

test.each([
  ['1,5', 'number', { value: 1.5 }],
  ['x', 'number', { fault: 'a number' }],
  ['1.5', 'integer', { fault: 'a whole number' }],
  ['true', 'boolean', { value: true }],
  ['1', 'string', { value: '1' }],
  ['"1"', 'string', { value: '1' }],
  ['["a"]', 'array', { value: ['a'] }],
  ['{}', 'array', { fault: 'a JSON array, such as ["a"]' }],
  ['[]', 'object', { fault: 'a JSON object, such as {"a":1}' }],
  ['auto', undefined, { value: 'auto' }],
  ['2', undefined, { value: 2 }],
  ['null', undefined, { value: null }],
  ['  ', 'number', { value: undefined }],
])('%s as %s', (text, kind, read) => expect(readExtra(text, kind)).toEqual(read));

test.each(['auto', '1', 'true', '', '"x"', 1, false, null, ['a'], { a: 1 }])(
  '%j is shown as it is read',
  (value) => expect(readExtra(extraText(value), undefined)).toEqual({ value }),
);
