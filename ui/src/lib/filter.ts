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
}

const KEYED = /^(-?)([^:<>="]+)([<>]=|[:<>=])(.*)$/s;

/** The terms in order: split at blanks outside quotes, as the engine does. */
export function terms(filter: string): Term[] {
  const found: Term[] = [];
  let start = -1;
  let quoted = false;
  for (let at = 0; at <= filter.length; at++) {
    const c = filter[at];
    if (c === '"') quoted = !quoted;
    const ends = c === undefined || (!quoted && /\s/.test(c));
    if (ends && start >= 0) {
      found.push(term(filter.slice(start, at), start));
      start = -1;
    } else if (!ends && start < 0) start = at;
  }
  return found;
}

function term(text: string, start: number): Term {
  const keyed = KEYED.exec(text);
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
  const old = terms(filter).filter((term) => term.key === key && !term.negated);
  const [first, ...rest] = old;
  let out = filter;
  for (const term of rest.reverse()) out = without(out, term);
  if (first && text !== null) return out.slice(0, first.start) + text + out.slice(first.end);
  if (first) return without(out, first);
  if (text === null) return out;
  return out.trim() ? `${out.trimEnd()} ${text}` : text;
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
    (term) => term.key !== 'kind' || term.op !== ':' || kindsOf(term).includes(kind) !== term.negated,
  );
}

/** The filter with one kind switched: into or out of the `kind:` term if there is one, else of `-kind:`. */
export function toggleKind(filter: string, kind: string): string {
  const own = terms(filter).filter((term) => term.key === 'kind' && term.op === ':');
  const term = own.find((t) => !t.negated) ?? own[0];
  if (!term) return filter.trim() ? `${filter.trimEnd()} -kind:${kind}` : `-kind:${kind}`;
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
  return terms(filter).find((term) => term.key === 'kind' && term.negated);
}

export interface TimeRange {
  fromMs: number;
  toMs: number;
}

const MOMENT = /^(\d+(?:\.\d*)?|\.\d+)?(ns|us|µs|ms|s)?$/;
const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000 };

/** The range that the filter's `time:` term names; null where it has none that is a range. */
export function timeOf(filter: string): TimeRange | null {
  const term = terms(filter).find((t) => t.key === 'time' && t.op === ':' && !t.negated);
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
