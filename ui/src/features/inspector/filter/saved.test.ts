import { expect, it } from 'vitest';
import { readSaved, withSaved } from './saved.svelte';

it('reads what was kept, and nothing else', () => {
  expect(readSaved('[{"name":"a","filter":"kind:text"},{"name":1},null,"x"]')).toEqual([
    { name: 'a', filter: 'kind:text' },
  ]);
  for (const bad of [null, '', '{', '{"name":"a"}', 'null']) expect(readSaved(bad)).toEqual([]);
});

it('keeps one filter a name, by name', () => {
  const one = withSaved([{ name: 'b', filter: 'x' }], { name: 'a', filter: 'y' });
  expect(one.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(withSaved(one, { name: 'b', filter: 'z' })).toEqual([
    { name: 'a', filter: 'y' },
    { name: 'b', filter: 'z' },
  ]);
});
