import { describe, expect, it } from 'vitest';
import { termToDrop } from './blame';
import { complete, patience } from './complete';

const COUNTS = new Map([
  ['text', 134],
  ['reasoning', 82],
  ['usage', 0],
]);
const texts = (filter: string, caret = filter.length) =>
  complete(filter, caret, COUNTS).items.map(({ text }) => text);

describe('complete', () => {
  it('offers keys for a new term and for the beginning of one', () => {
    expect(texts('')).toContain('layer:');
    expect(texts('dir:in ')).toContain('gap>');
    expect(texts('ki')).toEqual(['kind:']);
    expect(texts('-ki')).toEqual(['-kind:']);
    expect(texts('zzz')).toEqual([]);
    expect(texts('"ki')).toEqual([]);
  });

  it('offers values, those that occur first', () => {
    expect(texts('kind:').slice(0, 2)).toEqual(['text', 'reasoning']);
    expect(texts('kind:te')).toEqual(['text']);
    expect(texts('layer:s')).toEqual(['sse']);
    expect(texts('dir:')).toEqual(['in', 'out']);
    expect(texts('kind:text')).toEqual([]);
  });

  it('replaces only the part between the commas', () => {
    const filter = 'kind:text,re,usage dir:in';
    const { start, end, items } = complete(filter, 'kind:text,re'.length, COUNTS);
    expect(filter.slice(start, end)).toBe('re');
    expect(items.map(({ text }) => text)).toContain('reasoning');
  });

  it('offers the paths of the open frame, and what may stand behind one', () => {
    const paths = ['$', '$.choices', '$.choices[0]', '$.usage'];
    const of = (filter: string) => complete(filter, filter.length, COUNTS, paths).items.map((i) => i.text);
    expect(of('json:$.ch')).toEqual(['$.choices', '$.choices[0]']);
    expect(of('-json:$.usage')).toEqual(['$.usage=', '$.usage!=', '$.usage>', '$.usage<', '$.usage~/']);
    expect(of('json:')).toEqual(['$.choices', '$.choices[0]', '$.usage', '$.']);
    expect(of('json:$.usage>1')).toEqual([]);
    const { start, end } = complete('dir:in json:$.u', 15, COUNTS, paths);
    expect([start, end]).toEqual([12, 15]);
  });

  it('offers OR between terms only, and nothing inside a regular expression', () => {
    expect(texts('kind:text ')).toContain('OR');
    expect(texts('')).not.toContain('OR');
    expect(texts('kind:text OR ')).not.toContain('OR');
    expect(texts('/ki')).toEqual([]);
    expect(texts('(ki')).toEqual(['kind:']);
  });

  it('waits longer for a word that may become a key', () => {
    expect(patience('kind:text si', 12)).toBeGreaterThan(patience('kind:text size>4', 16));
  });
});

describe('termToDrop', () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({ id: i, text: i % 2 === 0 }));
  const count = async (filter: string) =>
    rows.filter(({ id, text }) => {
      if (filter.includes('kind:text') && !text) return false;
      if (filter.includes('id:3') && id !== 3) return false;
      return !filter.includes('size>9');
    }).length;

  it('names the one without which most rows match', async () => {
    expect((await termToDrop('kind:text id:3', count))?.term.text).toBe('id:3');
    expect((await termToDrop('kind:text size>9', count))?.matching).toBe(50);
  });

  it('drops a group as a whole, and never half of an OR', async () => {
    expect((await termToDrop('kind:text (id:3 OR id:5)', count))?.term.text).toBe('(id:3 OR id:5)');
    expect(await termToDrop('id:3 OR size>9', count)).toBeNull();
  });

  it('names none where two are to blame', async () => {
    expect(await termToDrop('kind:text id:3 size>9', count)).toBeNull();
  });
});
