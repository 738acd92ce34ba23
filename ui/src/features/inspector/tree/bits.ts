import type { BitField } from '../../../gen/BitField';

/** Bits a row of the diagram. */
export const COLUMNS = 16;

/** A box of the diagram: a field, or the part of it that stands in one row. */
export interface BitCell {
  field: number;
  row: number;
  column: number;
  width: number;
  /** The field's first part: the one that is labelled. */
  first: boolean;
}

/** Fields cut where a row ends, as the standards draw them. */
export function cells(fields: readonly Pick<BitField, 'width'>[]): BitCell[] {
  const out: BitCell[] = [];
  let at = 0;
  fields.forEach(({ width }, field) => {
    for (let left = width; left > 0;) {
      const column = at % COLUMNS;
      const part = Math.min(left, COLUMNS - column);
      out.push({ field, row: Math.floor(at / COLUMNS), column, width: part, first: left === width });
      left -= part;
      at += part;
    }
  });
  // A field that begins at a row's end is labelled where it has more room.
  for (const [i, cell] of out.entries()) {
    const next = out[i + 1];
    if (cell.first && next?.field === cell.field && next.width > cell.width) {
      cell.first = false;
      next.first = true;
    }
  }
  return out;
}
