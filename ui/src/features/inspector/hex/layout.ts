/** Where bytes stand in the hex view. Pure: all lengths in CSS px, all offsets in bytes from the view's start. */

export const LINE_PX = 16;
export const COLUMNS = 16;
/** Space left of the offsets and above the first line. */
const LEFT = 10;
export const TOP = 5;

export interface HexLayout {
  /** Width of a character. */
  ch: number;
  /** Digits of the offset column. */
  digits: number;
  /** Left edges of the three columns. */
  offsetX: number;
  hexX: number;
  asciiX: number;
  width: number;
  lines: number;
  length: number;
}

/** `base`: what the first byte's offset reads as. */
export function layout(length: number, base: number, ch: number): HexLayout {
  const digits = Math.max(4, (base + Math.max(0, length - 1)).toString(16).length);
  const hexX = LEFT + digits * ch + 13.6;
  const asciiX = hexX + 50 * ch;
  return {
    ch,
    digits,
    offsetX: LEFT,
    hexX,
    asciiX,
    width: asciiX + COLUMNS * ch,
    lines: Math.ceil(length / COLUMNS),
    length,
  };
}

/** Character column of a byte's two digits: a wider gap stands between the eighth and the ninth. */
export function hexColumn(column: number): number {
  return column * 3 + (column >= 8 ? 1 : 0);
}

/** The byte at a point; `y` counts from the content's top. With `clamp`, the nearest one. */
export function hit(at: HexLayout, x: number, y: number, clamp = false): number | null {
  if (at.length === 0) return null;
  let line = Math.floor((y - TOP) / LINE_PX);
  if (clamp) line = Math.max(0, Math.min(at.lines - 1, line));
  if (line < 0 || line >= at.lines) return null;
  let column: number;
  if (x >= at.asciiX - at.ch) {
    column = Math.floor((x - at.asciiX) / at.ch);
  } else {
    const char = (x - at.hexX) / at.ch;
    // The gap between two bytes belongs half to each.
    column =
      char < 24 ? Math.min(7, Math.floor((char + 0.5) / 3)) : Math.max(8, Math.floor((char - 0.5) / 3));
  }
  if (clamp) column = Math.max(0, Math.min(COLUMNS - 1, column));
  if (column < 0 || column >= COLUMNS) return null;
  const offset = line * COLUMNS + column;
  if (offset < at.length) return offset;
  return clamp ? at.length - 1 : null;
}

/** A range cut at the line ends: `[line, first column, last column + 1]`. */
export function runs(
  start: number,
  end: number,
  fromLine: number,
  toLine: number,
): [number, number, number][] {
  const out: [number, number, number][] = [];
  const first = Math.max(Math.floor(start / COLUMNS), fromLine);
  const last = Math.min(Math.ceil(end / COLUMNS), toLine);
  for (let line = first; line < last; line++) {
    const from = Math.max(start - line * COLUMNS, 0);
    const to = Math.min(end - line * COLUMNS, COLUMNS);
    if (to > from) out.push([line, from, to]);
  }
  return out;
}

/** Left edge and width of columns `[from, to)` in the hex column. */
export function hexBox(at: HexLayout, from: number, to: number): [number, number] {
  const left = at.hexX + hexColumn(from) * at.ch;
  return [left, at.hexX + (hexColumn(to - 1) + 2) * at.ch - left];
}

/** The same in the text column. */
export function asciiBox(at: HexLayout, from: number, to: number): [number, number] {
  return [at.asciiX + from * at.ch, (to - from) * at.ch];
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Two digits a byte, with the gaps of the hex column; `from` is the column of the first byte. */
export function hexText(bytes: Uint8Array, from: number): string {
  let out = '';
  for (let i = 0; i < bytes.length; i++) {
    if (i > 0) out += from + i === 8 ? '  ' : ' ';
    out += DIGITS[bytes[i]!];
  }
  return out;
}

/** Printable ASCII, and `·` for the rest. */
export function asciiText(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
  return out;
}

/** `20 6e 61`: bytes as they are copied. */
export function hexString(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => DIGITS[byte]).join(' ');
}
