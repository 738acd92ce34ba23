import { expect, it } from 'vitest';
import { PAGE, PageCache, type Page } from './pages';

/** An engine whose answers are let go one by one. */
function engine(length: number) {
  const state = {
    length,
    asked: [] as [number, number][],
    open: [] as (() => void)[],
    changes: 0,
    errors: 0,
  };
  const cache = new PageCache<number>({
    pull: (start, count) => {
      state.asked.push([start, count]);
      return new Promise<Page<number>>((resolve) =>
        state.open.push(() => {
          const rows = Array.from(
            { length: Math.max(0, Math.min(count, state.length - start)) },
            (_, i) => start + i,
          );
          resolve({ matching: state.length, start, rows });
        }),
      );
    },
    changed: () => state.changes++,
    failed: () => state.errors++,
  });
  const answer = async () => {
    state.open.shift()?.();
    await new Promise((resolve) => setTimeout(resolve));
  };
  const settle = async () => {
    while (state.open.length) await answer();
  };
  return { state, cache, answer, settle };
}

it('has one request on its way, and asks the newest wish next', async () => {
  const { state, cache, answer, settle } = engine(10_000);
  cache.reset();
  await settle();
  state.asked.length = 0;
  cache.want(1000, 1020);
  for (let first = 2000; first < 5000; first += 100) cache.want(first, first + 20);
  expect(state.asked).toHaveLength(1);
  await answer();
  await settle();
  // What lay between was never asked for.
  expect(state.asked.map(([start]) => start)).toEqual([960, 4864]);
  expect(cache.at(4900)).toBe(4900);
  expect(cache.at(3000)).toBeNull();
});

it('asks for nothing that is at hand', async () => {
  const { state, cache, settle } = engine(1000);
  cache.reset();
  cache.want(0, 64);
  await settle();
  const before = state.asked.length;
  cache.want(3, 40);
  await settle();
  expect(state.asked.length).toBe(before);
});

it('asks again only for the page that was not full', async () => {
  const { state, cache, settle } = engine(PAGE * 2 + 10);
  cache.reset();
  cache.want(0, PAGE * 2 + 10);
  await settle();
  state.asked.length = 0;
  state.length += 30;
  cache.grew();
  await settle();
  expect(state.asked).toEqual([[PAGE * 2, PAGE]]);
  expect(cache.matching).toBe(PAGE * 2 + 40);
  expect(cache.at(PAGE * 2 + 39)).toBe(PAGE * 2 + 39);
});

it('drops answers of an older filter, and keeps what is shown until the first of the new', async () => {
  const { state, cache, answer, settle } = engine(500);
  cache.reset();
  await settle();
  cache.want(200, 210);
  state.length = 7;
  cache.reset();
  expect(cache.at(3)).toBe(3);
  expect(cache.known).toBe(false);
  await answer();
  expect(cache.at(205)).toBeNull();
  await settle();
  expect([cache.matching, cache.known, cache.at(6), cache.at(7)]).toEqual([7, true, 6, null]);
});

it('forgets pages, so that its size does not grow with the session', async () => {
  const { cache, settle } = engine(1_000_000);
  cache.reset();
  await settle();
  for (let first = 0; first < 1_000_000; first += 10_000) {
    cache.want(first, first + 30);
    await settle();
  }
  let held = 0;
  for (let page = 0; page * PAGE < 1_000_000; page++) if (cache.at(page * PAGE) !== null) held++;
  expect(held).toBeLessThanOrEqual(65);
});

it('does not ask forever where the engine has fewer rows than it counted', async () => {
  const asked: number[] = [];
  const cache = new PageCache<number>({
    pull: async (start) => {
      asked.push(start);
      return { matching: 1000, start, rows: [] };
    },
    changed: () => {},
    failed: () => {},
  });
  cache.reset();
  cache.want(100, 200);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(asked.length).toBeLessThan(4);
});

it('says that a pull failed, and works again afterwards', async () => {
  let broken = true;
  let errors = 0;
  const cache = new PageCache<number>({
    pull: async (start) => {
      if (broken) throw new Error('gone');
      return { matching: 1, start, rows: [5] };
    },
    changed: () => {},
    failed: () => errors++,
  });
  cache.reset();
  await Promise.resolve().then(() => {});
  await new Promise((resolve) => setTimeout(resolve));
  expect(errors).toBe(1);
  broken = false;
  cache.grew();
  await new Promise((resolve) => setTimeout(resolve));
  expect(cache.at(0)).toBe(5);
});

it('names the newest end whose rows are at hand', async () => {
  const { state, cache, settle } = engine(100);
  cache.reset();
  cache.want(80, 100);
  await settle();
  expect(cache.wholeEnd(12)).toBe(100);
  state.length = 1000;
  cache.grew();
  await settle();
  // The page at the old end came whole with the count; the new end is still to be asked for.
  expect([cache.matching, cache.wholeEnd(12)]).toEqual([1000, 128]);
  cache.want(980, 1010);
  await settle();
  expect(cache.wholeEnd(12)).toBe(1000);
});

it('goes on asking while a search goes on, rows in view first, and stops with it', async () => {
  const asked: number[] = [];
  let answers = 0;
  const cache = new PageCache<number>({
    pull: async (start, count) => {
      asked.push(start);
      const matching = 100 * Math.min(++answers, 5);
      const rows = Array.from(
        { length: Math.max(0, Math.min(count, matching - start)) },
        (_, i) => start + i,
      );
      return { matching, start, rows, searched: answers < 5 ? answers / 5 : undefined };
    },
    changed: () => {},
    failed: () => {},
  });
  cache.reset();
  cache.want(0, 80);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([cache.matching, cache.searched]).toEqual([500, 1]);
  expect(asked.slice(0, 2)).toEqual([0, 64]);
  expect(asked.length).toBe(5);
});
