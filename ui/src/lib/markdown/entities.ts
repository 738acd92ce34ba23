const NAMED: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  reg: '®',
  trade: '™',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  times: '×',
  deg: '°',
  larr: '←',
  rarr: '→',
  le: '≤',
  ge: '≥',
  ne: '≠',
};

/** A character reference that is one: its place and what it stands for. */
export interface Entity {
  start: number;
  end: number;
  text: string;
}

/** The character references in a text, in order. What is not one stays as written. */
export function entities(text: string): Entity[] {
  if (!text.includes('&')) return [];
  const found: Entity[] = [];
  for (const match of text.matchAll(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]+));/g)) {
    const [whole, decimal, hex, name] = match;
    const stands = name ? NAMED[name] : character(decimal ? parseInt(decimal, 10) : parseInt(hex!, 16));
    if (stands) found.push({ start: match.index, end: match.index + whole.length, text: stands });
  }
  return found;
}

function character(code: number): string | undefined {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd';
  return String.fromCodePoint(code);
}
