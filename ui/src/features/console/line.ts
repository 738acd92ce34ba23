import type { ConsoleRow } from '../../gen/ConsoleRow';

/** A line of the log as DOM: cells of one text node each, refilled as the view moves. */
const CELLS = ['t', 'g', 'd', 'k', 'i', 'm'] as const;
const GAP_MS = 50;

export function createLine(): HTMLElement {
  const line = document.createElement('div');
  line.className = 'cl';
  line.setAttribute('role', 'row');
  line.dataset.testid = 'console-row';
  line.tabIndex = -1;
  for (const name of CELLS) {
    const cell = document.createElement('span');
    cell.className = name;
    cell.setAttribute('role', 'gridcell');
    cell.append('');
    line.append(cell);
  }
  return line;
}

/** Fills a line; `row` is null while it is on its way. */
export function fillLine(line: HTMLElement, row: ConsoleRow | null, index: number, selected: boolean): void {
  line.setAttribute('aria-rowindex', String(index + 2));
  line.setAttribute('aria-selected', String(selected));
  line.tabIndex = selected ? 0 : -1;
  const cells = [...line.children] as HTMLElement[];
  const set = (at: number, text: string) => (cells[at]!.textContent = text);
  if (!row) {
    for (let at = 0; at < CELLS.length; at++) set(at, '');
    line.setAttribute('aria-busy', 'true');
    delete line.dataset.kind;
    delete line.dataset.frame;
    return;
  }
  line.removeAttribute('aria-busy');
  line.dataset.frame = String(row.id);
  line.dataset.conn = String(row.conn);
  line.dataset.kind = row.head ? 'group' : row.kind;
  line.dataset.dir = row.out ? 'out' : 'in';
  const name = nameOf(row);
  set(0, (row.tMs / 1000).toFixed(3));
  set(1, row.gapMs >= 0.05 ? `+${row.gapMs < 1000 ? row.gapMs.toFixed(1) : Math.round(row.gapMs)}` : '');
  if (row.gapMs > GAP_MS) cells[1]!.dataset.warn = '';
  else delete cells[1]!.dataset.warn;
  const neither = row.kind === 'connection' || row.kind === 'error' || row.kind === 'warning';
  set(2, neither ? '' : row.out ? '→' : '←');
  cells[2]!.title = neither ? '' : row.out ? 'sent' : 'received';
  set(3, name);
  cells[3]!.dataset.ly = hueOf(row);
  set(4, row.eventId ?? '');
  cells[4]!.title = row.eventId === null ? '' : `id ${row.eventId}`;
  set(5, row.head ? groupText(row) : visible(row.text));
}

function nameOf(row: ConsoleRow): string {
  if (row.head) return `Connection ${row.conn}`;
  if (row.kind === 'connection') return '';
  return row.name || row.kind.replaceAll('_', ' ');
}

function hueOf(row: ConsoleRow): string {
  if (row.kind === 'error' || row.kind === 'warning' || row.kind === 'incomplete') return 'error';
  if (row.kind === 'connection') return 'http-head';
  if (row.kind === 'control' || row.kind === 'comment' || row.kind === 'retry') return 'control';
  return row.kind === 'request' ? 'json' : 'text-delta';
}

/** A connection in one line: its answer, what it went on from, and the request, which may be long. */
function groupText({ head, text }: ConsoleRow): string {
  if (!head?.request) return text;
  const from = head.lastEventId === null ? '' : `Last-Event-ID: ${head.lastEventId}`;
  return [head.answer || 'no answer yet', from, head.request].filter(Boolean).join('   ');
}

/** Line ends and tabs made visible: a line of the log is one line. */
function visible(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '⏎').replace(/\t/g, '⇥');
}
