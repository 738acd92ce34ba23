/** The filter's text, term by term: enough to colour it and to write into it. What it means is the engine's business. */

export interface Term {
  /** Range in the filter, in UTF-16 code units. */
  start: number;
  end: number;
  text: string;
  negated: boolean;
  /** `kind`, `size` …; null for a word or a quoted text. */
  key: string | null;
  /** `:`, `>`, `<`, `>=`, `<=`, `=`; empty without a key. */
  op: string;
  value: string;
  /** Where the value begins in the filter. */
  valueStart: number;
  /** It stands in a group or beside an `OR`: the filter may let rows through without it. */
  nested: boolean;
}

const KEYED = /^(-?)([^:<>="]+)([<>]=|[:<>=])(.*)$/s;

interface Token {
  start: number;
  end: number;
  kind: 'term' | 'open' | 'close' | 'or';
}

/** Words, parentheses and `OR`s, parted as the engine does: a blank ends a term outside quotes and regular expressions. */
function tokens(filter: string): Token[] {
  const found: Token[] = [];
  let depth = 0;
  for (let at = 0; at < filter.length;) {
    if (/\s/.test(filter[at]!)) {
      at++;
      continue;
    }
    const start = at;
    const after = filter[at + 1];
    const negated =
      filter[at] === '-' && after !== undefined && !/\s/.test(after) && !(after === ')' && depth > 0);
    const body = at + (negated ? 1 : 0);
    let kind: Token['kind'] = 'term';
    if (filter[body] === '(') {
      depth++;
      at = body + 1;
      kind = 'open';
    } else if (filter[body] === ')' && !negated) {
      depth = Math.max(0, depth - 1);
      at = body + 1;
      kind = 'close';
    } else {
      at = termEnd(filter, body, depth > 0);
      if (filter.slice(start, at) === 'OR') kind = 'or';
    }
    found.push({ start, end: at, kind });
  }
  return found;
}

function termEnd(filter: string, start: number, grouped: boolean): number {
  const json = filter.startsWith('json:', start);
  let quote = '';
  let inner = 0;
  let at = filter[start] === '/' ? patternEnd(filter, start) : start;
  while (at < filter.length) {
    const c = filter[at]!;
    if (quote) {
      if (c === '\\' && json) at++;
      else if (c === quote) quote = '';
    } else if (c === '"' || (c === "'" && json)) quote = c;
    else if (c === '/' && json && filter[at - 1] === '~') {
      at = patternEnd(filter, at);
      continue;
    } else if (c === '(') inner++;
    else if (c === ')' && inner > 0) inner--;
    else if ((c === ')' && grouped) || /\s/.test(c)) break;
    at++;
  }
  return Math.min(at, filter.length);
}

/** Behind the slash that ends the regular expression that begins at `start`; the filter's end where none does. */
function patternEnd(filter: string, start: number): number {
  let set = false;
  for (let at = start + 1; at < filter.length; at++) {
    const c = filter[at];
    if (c === '\\') at++;
    else if (c === '[') set = true;
    else if (c === ']') set = false;
    else if (c === '/' && !set) return at + 1;
  }
  return filter.length;
}

/** The terms in order, those in groups too. */
export function terms(filter: string): Term[] {
  const all = tokens(filter);
  const either = joinsWithOr(all);
  const found: Term[] = [];
  let depth = 0;
  for (const { start, end, kind } of all) {
    if (kind === 'open') depth++;
    else if (kind === 'close') depth--;
    else if (kind === 'term')
      found.push({ ...term(filter.slice(start, end), start), nested: either || depth > 0 });
  }
  return found;
}

/** What must hold together: terms and whole groups. A filter that is an `OR` of two is one clause. */
export function clauses(filter: string): Pick<Term, 'start' | 'end' | 'text'>[] {
  const all = tokens(filter);
  if (all.length === 0) return [];
  const made = (start: number, end: number) => ({ start, end, text: filter.slice(start, end) });
  if (joinsWithOr(all)) return [made(all[0]!.start, all.at(-1)!.end)];
  const found = [];
  let depth = 0;
  let opened = 0;
  for (const { start, end, kind } of all) {
    if (kind === 'open' && depth++ === 0) opened = start;
    else if (kind === 'close' && depth > 0) {
      if (--depth === 0) found.push(made(opened, end));
    } else if (depth === 0) found.push(made(start, end));
  }
  if (depth > 0) found.push(made(opened, all.at(-1)!.end));
  return found;
}

function joinsWithOr(all: readonly Token[]): boolean {
  let depth = 0;
  return all.some(({ kind }) => {
    if (kind === 'open') depth++;
    else if (kind === 'close') depth--;
    return kind === 'or' && depth === 0;
  });
}

/** The filter with one more clause; alternatives are put in parentheses first. */
function and(filter: string, text: string): string {
  const before = joinsWithOr(tokens(filter)) ? `(${filter.trim()})` : filter.trimEnd();
  return before ? `${before} ${text}` : text;
}

function term(text: string, start: number): Omit<Term, 'nested'> {
  const keyed = /^-?\//.test(text) ? null : KEYED.exec(text);
  const negated = text.startsWith('-') && text.length > 1;
  const at = keyed ? text.length - keyed[4]!.length : negated ? 1 : 0;
  return {
    start,
    end: start + text.length,
    text,
    negated,
    key: keyed ? keyed[2]! : null,
    op: keyed ? keyed[3]! : '',
    value: text.slice(at),
    valueStart: start + at,
  };
}

/** The filter without one of its terms. */
export function without(filter: string, term: Pick<Term, 'start' | 'end'>): string {
  const before = filter.slice(0, term.start).trimEnd();
  const after = filter.slice(term.end).trimStart();
  return before && after ? `${before} ${after}` : before + after;
}

/** The filter with `key:` set to a term, or without it where `text` is null. Other terms stay as they are. */
export function withKey(filter: string, key: string, text: string | null): string {
  const old = terms(filter).filter((term) => term.key === key && !term.negated && !term.nested);
  const [first, ...rest] = old;
  let out = filter;
  for (const term of rest.reverse()) out = without(out, term);
  if (first && text !== null) return out.slice(0, first.start) + text + out.slice(first.end);
  if (first) return without(out, first);
  return text === null ? out : and(out, text);
}

const ALIAS: Readonly<Record<string, string>> = { tool: 'tool_call', 'tool-call': 'tool_call' };

function kindsOf(term: Term): string[] {
  return term.value
    .split(',')
    .filter(Boolean)
    .map((kind) => ALIAS[kind] ?? kind);
}

/** Whether the `kind:` terms let a kind through. */
export function showsKind(filter: string, kind: string): boolean {
  return terms(filter).every(
    (term) =>
      term.nested || term.key !== 'kind' || term.op !== ':' || kindsOf(term).includes(kind) !== term.negated,
  );
}

/** The filter with one kind switched: into or out of the `kind:` term if there is one, else of `-kind:`. */
export function toggleKind(filter: string, kind: string): string {
  const own = terms(filter).filter((term) => term.key === 'kind' && term.op === ':' && !term.nested);
  const term = own.find((t) => !t.negated) ?? own[0];
  if (!term) return and(filter, `-kind:${kind}`);
  const kinds = kindsOf(term);
  const next = kinds.includes(kind) ? kinds.filter((other) => other !== kind) : [...kinds, kind];
  if (next.length === 0) return without(filter, term);
  const text = `${term.negated ? '-' : ''}kind:${next.join(',')}`;
  return filter.slice(0, term.start) + text + filter.slice(term.end);
}

/** The filter with one kind alone; with every kind again where it was alone already. */
export function onlyKind(filter: string, kind: string): string {
  let out = filter;
  for (let t = negatedKind(out); t; t = negatedKind(out)) out = without(out, t);
  const text = `kind:${kind}`;
  const alone = terms(out).some((term) => term.text === text);
  return withKey(out, 'kind', alone ? null : text);
}

function negatedKind(filter: string): Term | undefined {
  return terms(filter).find((term) => term.key === 'kind' && term.negated && !term.nested);
}

export interface TimeRange {
  fromMs: number;
  toMs: number;
}

const MOMENT = /^(\d+(?:\.\d*)?|\.\d+)?(ns|us|µs|ms|s)?$/;
const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000 };

/** The range that the filter's `time:` term names; null where it has none that is a range. */
export function timeOf(filter: string): TimeRange | null {
  const term = terms(filter).find((t) => t.key === 'time' && t.op === ':' && !t.negated && !t.nested);
  const [a, b, more] = term?.value.split('..') ?? [];
  if (a === undefined || b === undefined || more !== undefined) return null;
  const from = MOMENT.exec(a);
  const to = MOMENT.exec(b);
  if (!from || !to) return null;
  // A unit behind the range counts for both its ends.
  const unit = to[2] ?? from[2] ?? 's';
  const ms = (found: RegExpExecArray, otherwise: number) =>
    found[1] === undefined ? otherwise : Number(found[1]) * UNIT_MS[found[2] ?? unit]!;
  const range = { fromMs: ms(from, 0), toMs: ms(to, Infinity) };
  return range.fromMs <= range.toMs ? range : null;
}

/** The filter with a `time:` term for a range, or without one. `digits`: of the seconds. */
export function withTime(filter: string, range: TimeRange | null, digits = 2): string {
  return withKey(filter, 'time', range && timeTerm(range, digits));
}

export function timeTerm({ fromMs, toMs }: TimeRange, digits = 2): string {
  return `time:${(fromMs / 1000).toFixed(digits)}..${(toMs / 1000).toFixed(digits)}s`;
}
