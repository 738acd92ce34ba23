import type { FrameRow } from '../../../gen/FrameRow';
import { dotted, kindName, layerName, rowLabel } from '../names';
import { gapBar, gapText, LONG_MS } from './gap';

/**
 * A row of the table as DOM: eight cells of one text node each. Bar, swatch and the dots for outer spaces are
 * backgrounds and pseudo-elements, because laying boxes out is what a frame of a stream costs.
 */
export interface RowElement {
  root: HTMLElement;
  cells: readonly HTMLElement[];
  texts: readonly Text[];
}

const CELLS = ['n', 't sm-off', 'g', 'd', 'ly sm-off', 'k', 's sm-off', 'm'] as const;

export function createRow(): RowElement {
  const root = document.createElement('div');
  root.className = 'fr';
  root.setAttribute('role', 'row');
  root.dataset.testid = 'frame-row';
  root.tabIndex = -1;
  const texts: Text[] = [];
  const cells = CELLS.map((name) => {
    const cell = document.createElement('span');
    cell.className = name;
    cell.setAttribute('role', 'gridcell');
    const text = document.createTextNode('');
    texts.push(text);
    cell.append(text);
    root.append(cell);
    return cell;
  });
  return { root, cells, texts };
}

/** Fills a row; `row` is null while it is on its way. `index` is its place among the rows that match. */
export function fillRow(element: RowElement, row: FrameRow | null, index: number): void {
  const { root, cells, texts } = element;
  root.setAttribute('aria-rowindex', String(index + 2));
  if (!row) {
    for (const text of texts) set(text, '');
    cells[2]!.style.removeProperty('--w');
    delete cells[4]!.dataset.ly;
    delete cells[5]!.dataset.ly;
    delete cells[7]!.dataset.lead;
    delete cells[7]!.dataset.trail;
    delete root.dataset.frame;
    delete root.dataset.warn;
    root.setAttribute('aria-busy', 'true');
    return;
  }
  root.removeAttribute('aria-busy');
  root.dataset.frame = String(row.id);
  if (row.gapMs > LONG_MS) root.dataset.warn = '';
  else delete root.dataset.warn;
  const layer = layerName(row.layer);
  const kind = kindName(row.kind);
  const { lead, body, trail } = dotted(row.summary);
  set(texts[0]!, rowLabel(row.id));
  set(texts[1]!, (row.tMs / 1000).toFixed(3));
  set(texts[2]!, gapText(row.gapMs));
  cells[2]!.style.setProperty('--w', `${gapBar(row.gapMs)}px`);
  set(texts[3]!, row.out ? '→' : '←');
  cells[3]!.title = row.out ? 'sent' : 'received';
  set(texts[4]!, layer.label);
  cells[4]!.dataset.ly = layer.hue;
  set(texts[5]!, kind.label);
  cells[5]!.dataset.ly = kind.hue;
  set(texts[6]!, String(row.size));
  set(texts[7]!, body);
  mark(cells[7]!, 'lead', lead);
  mark(cells[7]!, 'trail', trail);
}

function mark(cell: HTMLElement, name: 'lead' | 'trail', value: string): void {
  if (value) cell.dataset[name] = value;
  else delete cell.dataset[name];
}

function set(text: Text, value: string): void {
  if (text.data !== value) text.data = value;
}
