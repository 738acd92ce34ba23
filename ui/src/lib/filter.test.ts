import { describe, expect, it } from 'vitest';
import { clauses, onlyKind, showsKind, terms, timeOf, toggleKind, without, withTime } from './filter';

const DESIGN =
  'layer:sse kind:text,tool event:delta dir:in size>400 gap>50ms time:1.7..2.9s "an error" -kind:usage';

describe('terms', () => {
  it('parts the filter of the design', () => {
    const found = terms(DESIGN);
    expect(found.map((t) => [t.negated, t.key, t.op, t.value])).toEqual([
      [false, 'layer', ':', 'sse'],
      [false, 'kind', ':', 'text,tool'],
      [false, 'event', ':', 'delta'],
      [false, 'dir', ':', 'in'],
      [false, 'size', '>', '400'],
      [false, 'gap', '>', '50ms'],
      [false, 'time', ':', '1.7..2.9s'],
      [false, null, '', '"an error"'],
      [true, 'kind', ':', 'usage'],
    ]);
  });

  it('covers everything that is not blank, in order, wherever the filter is cut', () => {
    for (let cut = 0; cut <= DESIGN.length; cut++) {
      const filter = DESIGN.slice(0, cut);
      const found = terms(filter);
      let rest = filter;
      for (const term of [...found].reverse()) {
        expect(filter.slice(term.start, term.end)).toBe(term.text);
        expect(term.valueStart).toBeGreaterThanOrEqual(term.start);
        expect(filter.slice(term.valueStart, term.end)).toBe(term.value);
        rest = rest.slice(0, term.start) + rest.slice(term.end);
      }
      expect(rest.trim()).toBe('');
    }
  });

  it('splits at blanks outside quotes only, and knows two-letter operators', () => {
    expect(terms('a"b c"d  size>=4 -').map((t) => t.text)).toEqual(['a"b c"d', 'size>=4', '-']);
    expect(terms('size>=4')[0]).toMatchObject({ key: 'size', op: '>=', value: '4' });
  });
});

describe('kinds', () => {
  it('are shown unless a term keeps them out', () => {
    expect(showsKind('', 'text')).toBe(true);
    expect(showsKind('kind:text,tool', 'tool_call')).toBe(true);
    expect(showsKind('kind:text', 'usage')).toBe(false);
    expect(showsKind('-kind:usage', 'usage')).toBe(false);
    expect(showsKind('-kind:usage size>4', 'text')).toBe(true);
  });

  it('switch off and on again without touching other terms', () => {
    const off = toggleKind('size>4', 'text');
    expect(off).toBe('size>4 -kind:text');
    expect(toggleKind(off, 'usage')).toBe('size>4 -kind:text,usage');
    expect(toggleKind(off, 'text')).toBe('size>4');
    expect(toggleKind('kind:text dir:in', 'usage')).toBe('kind:text,usage dir:in');
    expect(toggleKind('kind:text dir:in', 'text')).toBe('dir:in');
  });

  it('can be shown alone', () => {
    expect(onlyKind('-kind:text size>4', 'usage')).toBe('size>4 kind:usage');
    expect(onlyKind('kind:usage', 'usage')).toBe('');
  });
});

describe('time', () => {
  it('is read with any unit, or one for both ends', () => {
    expect(timeOf('time:1.7..2.9s')).toEqual({ fromMs: 1700, toMs: 2900 });
    expect(timeOf('time:500ms..2s')).toEqual({ fromMs: 500, toMs: 2000 });
    expect(timeOf('time:1..2')).toEqual({ fromMs: 1000, toMs: 2000 });
    expect(timeOf('time:..2s')).toEqual({ fromMs: 0, toMs: 2000 });
    expect(timeOf('time:2s..')).toEqual({ fromMs: 2000, toMs: Infinity });
    for (const none of ['', '-time:1..2s', 'time:3..2s', 'time:x..2s', 'time:5s', 'time:1..2..3']) {
      expect(timeOf(none), none).toBeNull();
    }
  });

  it('replaces the term that stands, and only that', () => {
    expect(withTime('layer:sse time:1..2s gap>24ms', { fromMs: 1700, toMs: 2900 })).toBe(
      'layer:sse time:1.70..2.90s gap>24ms',
    );
    expect(withTime('layer:sse', { fromMs: 0, toMs: 1.25 }, 5)).toBe('layer:sse time:0.00000..0.00125s');
    expect(withTime('layer:sse time:1..2s', null)).toBe('layer:sse');
    expect(withTime('', null)).toBe('');
    expect(withTime('time:1..2s dir:in time:3..4s', { fromMs: 0, toMs: 1000 })).toBe(
      'time:0.00..1.00s dir:in',
    );
  });
});

it('loses one term and the blanks around it', () => {
  const filter = 'a  b   c';
  expect(terms(filter).map((term) => without(filter, term))).toEqual(['b   c', 'a c', 'a  b']);
});

describe('groups', () => {
  const texts = (filter: string) => terms(filter).map(({ text }) => text);

  it('part as the engine parts them', () => {
    expect(texts('(kind:error OR gap>1s) -dir:out')).toEqual(['kind:error', 'gap>1s', '-dir:out']);
    expect(texts('(f(x)) a)b')).toEqual(['f(x)', 'a)b']);
    expect(texts('/a b[/ ]c/i x')).toEqual(['/a b[/ ]c/i', 'x']);
    expect(texts("json:$['a) b'] -json:$.a~/x y/i z")).toEqual(["json:$['a) b']", '-json:$.a~/x y/i', 'z']);
    expect(texts('json:$.a="say \\"a b\\"" z')).toEqual(['json:$.a="say \\"a b\\""', 'z']);
  });

  it('give a regular expression no key, and JSON conditions their whole path', () => {
    expect(terms('/a:b/')[0]).toMatchObject({ key: null, value: '/a:b/' });
    expect(terms('json:$.n>=3')[0]).toMatchObject({ key: 'json', op: ':', value: '$.n>=3' });
  });

  it('are one clause, and so are alternatives', () => {
    const of = (filter: string) => clauses(filter).map(({ text }) => text);
    expect(of('dir:in -(kind:text OR x) y')).toEqual(['dir:in', '-(kind:text OR x)', 'y']);
    expect(of('dir:in OR y')).toEqual(['dir:in OR y']);
    expect(of('')).toEqual([]);
  });

  it('stay as they are while terms are written beside them', () => {
    expect(toggleKind('dir:in OR kind:text', 'usage')).toBe('(dir:in OR kind:text) -kind:usage');
    expect(toggleKind('(dir:in OR -kind:usage)', 'usage')).toBe('(dir:in OR -kind:usage) -kind:usage');
    expect(withTime('a OR b', { fromMs: 0, toMs: 1000 })).toBe('(a OR b) time:0.00..1.00s');
    expect(showsKind('(kind:text OR x)', 'usage')).toBe(true);
    expect(timeOf('time:1..2s OR x')).toBeNull();
  });
});
