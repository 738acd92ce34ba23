import type { FilterError } from '../../../gen/FilterError';
import type { FrameRow } from '../../../gen/FrameRow';

type Test = (row: FrameRow) => boolean;

/** The filter language in short: enough of it for looking at the page in a browser. */
export function parseFilter(filter: string): Test | FilterError {
  const tests: Test[] = [];
  for (const match of filter.matchAll(/-?(?:"[^"]*"|[^\s"]+)/g)) {
    const term = match[0];
    const not = term.startsWith('-');
    const test = parseTerm(not ? term.slice(1) : term);
    if (!test) {
      return {
        start: match.index,
        end: match.index + term.length,
        message: `“${term}” is not a term of the filter.`,
      };
    }
    tests.push(not ? (row) => !test(row) : test);
  }
  return (row) => tests.every((test) => test(row));
}

function parseTerm(term: string): Test | null {
  if (term.startsWith('"')) {
    const words = term.slice(1, -1).toLowerCase();
    return (row) => row.summary.toLowerCase().includes(words);
  }
  const [, name, op, value] = /^(\w+)(:|>|<)(.+)$/.exec(term) ?? [];
  if (!name || !op || !value)
    return /^\w+$/.test(term) ? (row) => row.summary.toLowerCase().includes(term.toLowerCase()) : null;
  const list = value.split(',');
  if (op === ':') {
    if (name === 'kind') return (row) => list.includes(row.kind);
    if (name === 'layer') return (row) => list.includes(row.layer);
    if (name === 'dir') return (row) => list.includes(row.out ? 'out' : 'in');
    if (name === 'time') {
      const [from, to] = value.replace(/s$/, '').split('..').map(Number);
      if (from === undefined || to === undefined || Number.isNaN(from + to)) return null;
      return (row) => row.tMs >= from * 1000 && row.tMs <= to * 1000;
    }
    return null;
  }
  const limit = parseFloat(value) * (/\ds$/.test(value) ? 1000 : 1);
  if (Number.isNaN(limit)) return null;
  const read = { size: (row: FrameRow) => row.size, gap: (row: FrameRow) => row.gapMs }[name];
  return read ? (row) => (op === '>' ? read(row) > limit : read(row) < limit) : null;
}
