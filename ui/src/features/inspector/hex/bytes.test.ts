import { expect, it } from 'vitest';
import { ByteCache, PAGE_BYTES } from './bytes';

function stream(length: number) {
  const state = { length, asked: 0 };
  const cache = new ByteCache(async (_conn, _out, start, len) => {
    state.asked++;
    const n = Math.max(0, Math.min(len, state.length - start));
    return Uint8Array.from({ length: n }, (_, i) => (start + i) % 251);
  });
  return { state, cache };
}

it('joins pages, and asks for each once', async () => {
  const { state, cache } = stream(3 * PAGE_BYTES);
  const [from, to] = [PAGE_BYTES - 3, 2 * PAGE_BYTES + 3];
  expect(cache.peek(0, false, from, to)).toBeNull();
  const [one, two] = await Promise.all([cache.load(0, false, from, to), cache.load(0, false, from, to)]);
  expect(one).toEqual(two);
  expect(one.length).toBe(to - from);
  expect(one.every((byte, i) => byte === (from + i) % 251)).toBe(true);
  expect(cache.peek(0, false, from, to)).toEqual(one);
  expect(state.asked).toBe(3);
});

it('asks again for a page that was shorter than what is wanted now', async () => {
  const { state, cache } = stream(10);
  expect((await cache.load(0, false, 0, 20)).length).toBe(10);
  state.length = 30;
  expect((await cache.load(0, false, 0, 20)).length).toBe(20);
  expect(cache.peek(0, false, 0, 30)?.length).toBe(30);
});

it('keeps directions and connections apart', async () => {
  const { state, cache } = stream(10);
  await cache.load(0, false, 0, 5);
  expect(cache.peek(0, true, 0, 5)).toBeNull();
  expect(cache.peek(1, false, 0, 5)).toBeNull();
  expect(state.asked).toBe(1);
});

it('forgets what was not looked at for longest', async () => {
  const { cache } = stream(100 * PAGE_BYTES);
  for (let page = 0; page < 70; page++) {
    await cache.load(0, false, page * PAGE_BYTES, page * PAGE_BYTES + 1);
    cache.peek(0, false, 0, 1);
  }
  expect(cache.peek(0, false, 0, 1)).not.toBeNull();
  expect(cache.peek(0, false, PAGE_BYTES, PAGE_BYTES + 1)).toBeNull();
});
