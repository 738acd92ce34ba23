import { expect, it } from 'vitest';
import { rank, score } from './fuzzy';

it('finds subsequences only', () => {
  expect(score('xyz', 'Sessions')).toBeNull();
  expect(score('ssn', 'Sessions')).not.toBeNull();
});

it('puts whole words and beginnings first', () => {
  expect(rank('set', ['Reset stream', 'Close request', 'Settings'], (s) => s)[0]).toBe('Settings');
  expect(rank('r1', ['o1-preview', 'deepseek/deepseek-r1', 'x-ray-11'], (s) => s)[0]).toBe(
    'deepseek/deepseek-r1',
  );
});

it('keeps the order for no query', () => {
  expect(rank(' ', ['b', 'a'], (s) => s)).toEqual(['b', 'a']);
});
