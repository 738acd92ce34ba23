import { terms, type Term } from '../../../lib/filter';
import { ALL_KINDS, ALL_LAYERS, CARRIER_KINDS, kindName, layerName } from '../names';

export interface Suggestion {
  /** What stands in the filter once it is chosen. */
  text: string;
  /** What it is for, shown beside it. */
  about: string;
  /** Hue of its swatch. */
  hue?: string;
  /** The term is whole: a space follows. */
  whole: boolean;
}

export interface Completion {
  /** Range of the filter that a choice replaces. */
  start: number;
  end: number;
  items: Suggestion[];
}

const KEYS: readonly (readonly [string, string])[] = [
  ['layer:', 'where the frame stands: layer:sse'],
  ['kind:', 'what it is: kind:text,tool_call'],
  ['event:', 'its event name: event:delta'],
  ['dir:', 'sent or received: dir:in'],
  ['size>', 'bytes in its own layer: size>400'],
  ['window<=', 'HTTP/2 flow control left behind the frame, bytes: window<=0 is a stall'],
  ['gap>', 'time since the row before: gap>50ms'],
  ['time:', 'when: time:1.7..2.9s'],
  ['id:', 'row numbers: id:88..222'],
  ['json:', 'in its JSON: json:$.usage.total_tokens>100'],
];

/** What begins no word of its own. */
const FORMS: readonly Suggestion[] = [
  { text: '/', about: 'a regular expression: /err(or)?/i', whole: false },
  { text: '(', about: 'a group: (kind:error OR gap>1s)', whole: false },
];

/** What may stand behind a JSON path. */
const CHECKS: readonly (readonly [string, string])[] = [
  ['=', 'is: ="stop", =3, =true'],
  ['!=', 'is another'],
  ['>', 'is more'],
  ['<', 'is less'],
  ['~/', 'matches: ~/stop/i'],
];

/**
 * What could stand at the caret. `counts`: rows of each kind, those that occur come first. `paths`: JSON paths of the open frame, the
 * likeliest ones to be asked for.
 */
export function complete(
  filter: string,
  caret: number,
  counts: ReadonlyMap<string, number>,
  paths: readonly string[] = [],
): Completion {
  const all = terms(filter);
  const term = all.find((t) => t.start <= caret && caret <= t.end);
  if (!term) {
    const before = filter.slice(0, caret).trimEnd();
    const or = before && !before.endsWith('(') && !/(^|\s)OR$/.test(before);
    const either = or ? [{ text: 'OR', about: 'either side: kind:error OR gap>1s', whole: true }] : [];
    return { start: caret, end: caret, items: [...keys('', false), ...FORMS, ...either] };
  }
  const typed = filter.slice(term.start, caret);
  if (term.key === null) {
    if (/^-?["/]/.test(typed)) return { start: caret, end: caret, items: [] };
    const word = typed.replace(/^-/, '').toLowerCase();
    const found = keys(word, typed.startsWith('-'));
    return { start: term.start, end: term.end, items: word || typed ? found : [] };
  }
  if (caret < term.valueStart) return { start: caret, end: caret, items: [] };
  if (term.key === 'json') return path(filter, caret, term, paths);
  // Only the part between the commas around the caret is replaced.
  const value = filter.slice(term.valueStart, caret);
  const start = term.valueStart + value.lastIndexOf(',') + 1;
  const comma = filter.indexOf(',', caret);
  const end = comma >= 0 && comma < term.end ? comma : term.end;
  const part = filter.slice(start, caret).toLowerCase();
  const used = new Set(term.value.toLowerCase().split(','));
  const items = values(term.key, counts).filter(
    ({ text }) => text.startsWith(part) && (!used.has(text) || text === part),
  );
  // What is typed whole already needs no list.
  return { start, end, items: items.length === 1 && items[0]!.text === part ? [] : items };
}

/** A JSON path, as far as it is typed; a whole one of the open frame may be followed by a condition. */
function path(filter: string, caret: number, term: Term, paths: readonly string[]): Completion {
  const typed = filter.slice(term.valueStart, caret);
  const rest = filter.slice(caret, term.end);
  const known = paths.filter((p) => p.startsWith(typed) && p !== typed && p !== '$');
  const items: Suggestion[] = known.map((text) => ({ text, about: 'in the open frame', whole: false }));
  if (typed === '') items.push({ text: '$.', about: 'from the document’s root', whole: false });
  // At a path's end a condition may follow; without one the path has to exist.
  if (paths.includes(typed) && rest === '')
    items.push(...CHECKS.map(([check, about]) => ({ text: typed + check, about, whole: false })));
  return { start: term.valueStart, end: term.end, items };
}

/** Milliseconds to wait before what is typed is put in force: longer while the word at the caret may become a key. */
export function patience(filter: string, caret: number): number {
  const word = terms(filter).find((t) => t.start <= caret && caret <= t.end);
  const half = word && word.key === null && KEYS.some(([key]) => key.startsWith(word.value.toLowerCase()));
  return half ? 700 : 120;
}

function keys(word: string, negated: boolean): Suggestion[] {
  return KEYS.filter(([key]) => key.startsWith(word)).map(([key, about]) => ({
    text: (negated ? '-' : '') + key,
    about,
    whole: false,
  }));
}

function values(key: string, counts: ReadonlyMap<string, number>): Suggestion[] {
  switch (key) {
    case 'layer':
      return ALL_LAYERS.map((layer) => ({
        text: layer,
        about: layerName(layer).label,
        hue: layerName(layer).hue,
        whole: true,
      }));
    case 'kind': {
      const seen = [...counts.keys()].filter((kind) => counts.get(kind));
      const rest = ALL_KINDS.filter((kind) => !seen.includes(kind));
      return [...seen, ...rest].map((kind) => ({
        text: kind,
        about: CARRIER_KINDS.includes(kind) ? 'carriers' : String(counts.get(kind) ?? 0),
        hue: kindName(kind).hue,
        whole: true,
      }));
    }
    case 'dir':
      return [
        { text: 'in', about: 'received', whole: true },
        { text: 'out', about: 'sent', whole: true },
      ];
    default:
      return [];
  }
}
