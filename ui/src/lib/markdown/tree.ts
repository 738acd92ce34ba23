import type { Token, Tokens } from 'marked';
import { entities } from './entities';
import { markdownLexer } from './lexer';

/**
 * Markdown as a small tree for components, in which every run of characters knows where it stands in the source.
 * Clicking a word can so ask which bytes carried it. Nothing in the tree is HTML.
 */

/** Characters as shown; `at`: where the first of them stands in the source. */
export interface Run {
  text: string;
  at: number;
}

export type Inline =
  | { type: 'text' | 'code'; runs: Run[] }
  | { type: 'strong' | 'em' | 'del'; inlines: Inline[] }
  | { type: 'link'; href: string | null; inlines: Inline[] }
  | { type: 'br' };

export interface ListItem {
  /** A task's box; null where it is none. */
  checked: boolean | null;
  blocks: Block[];
}

export type Block =
  | { type: 'paragraph'; inlines: Inline[] }
  | { type: 'heading'; depth: number; inlines: Inline[] }
  | { type: 'code'; lang: string; runs: Run[] }
  | { type: 'html'; runs: Run[] }
  | { type: 'quote'; blocks: Block[] }
  | { type: 'list'; ordered: boolean; start: number; items: ListItem[] }
  | { type: 'table'; align: (string | null)[]; header: Inline[][]; rows: Inline[][][] }
  | { type: 'rule' };

const SAFE_SCHEME = /^(?:https?|mailto):/i;

/** The address, if a reply may show it as a link. */
export function allowedUrl(href: string): string | null {
  const trimmed = href.trim();
  return SAFE_SCHEME.test(trimmed) ? trimmed : null;
}

/** CR LF and lone CR as the lexer wants them, with every offset as it was. */
export function evenLines(source: string): string {
  return source.includes('\r') ? source.replace(/\r\n/g, ' \n').replace(/\r/g, '\n') : source;
}

/** Reads Markdown. `base` is added to every offset. */
export function parse(source: string, base = 0): Block[] {
  const even = evenLines(source);
  return new Reader(even, base).blocks(markdownLexer().lex(even), true);
}

/** Where the characters of an inner text stand in the source: pieces `(inner offset, source offset)`. */
type Map = [inner: number, source: number][];

class Reader {
  readonly #source: string;
  readonly #base: number;
  /** Everything before it is taken. */
  #cursor = 0;

  constructor(source: string, base: number) {
    this.#source = source;
    this.#base = base;
  }

  blocks(tokens: readonly Token[], top = false): Block[] {
    const out: Block[] = [];
    let at = 0;
    for (const token of tokens) {
      // At the top, what the tokens were made of adds up to the source; deeper, indents and quote marks are gone.
      if (top) this.#cursor = at;
      const block = this.#block(token);
      if (block) out.push(block);
      at += token.raw.length;
    }
    return out;
  }

  #block(token: Token): Block | null {
    switch (token.type) {
      case 'paragraph':
      case 'text': {
        const { text, tokens } = token as Tokens.Text;
        return { type: 'paragraph', inlines: this.#leaf(text, tokens ?? [token]) };
      }
      case 'heading': {
        const { depth, text, tokens } = token as Tokens.Heading;
        return { type: 'heading', depth, inlines: this.#leaf(text, tokens) };
      }
      case 'code': {
        const { lang, text, codeBlockStyle } = token as Tokens.Code;
        if (codeBlockStyle !== 'indented') this.#skip(/[ >]*(?:`{3,}|~{3,})[^\n]*\n?/y);
        return {
          type: 'code',
          lang: lang?.split(/\s/)[0] ?? '',
          runs: runsOf(text, 0, this.#map(text), this.#base),
        };
      }
      case 'blockquote':
        this.#skip(/\s*>\s?/y);
        return { type: 'quote', blocks: this.blocks((token as Tokens.Blockquote).tokens) };
      case 'list': {
        const { ordered, start, items } = token as Tokens.List;
        return {
          type: 'list',
          ordered,
          start: start === '' ? 1 : start,
          items: items.map((item) => this.#item(item)),
        };
      }
      case 'table': {
        const { align, header, rows } = token as Tokens.Table;
        const cells = (row: Tokens.TableCell[]) => row.map(({ text, tokens }) => this.#leaf(text, tokens));
        const head = cells(header);
        this.#skip(/[^\n]*\n[^\n]*\n?/y);
        return { type: 'table', align, header: head, rows: rows.map(cells) };
      }
      case 'hr':
        return { type: 'rule' };
      case 'html': {
        const text = token.raw.replace(/\n+$/, '');
        return { type: 'html', runs: runsOf(text, 0, this.#map(text), this.#base) };
      }
      case 'def': {
        return { type: 'html', runs: runsOf(token.raw, 0, this.#map(token.raw), this.#base) };
      }
      default:
        return null;
    }
  }

  #item(item: Tokens.ListItem): ListItem {
    this.#skip(/[\s>]*(?:[-*+]|\d{1,9}[.)])[ \t]?/y);
    if (item.task) this.#skip(/\s*\[[ xX]\][ \t]?/y);
    const tokens = item.tokens.filter((token) => token.type !== 'checkbox');
    return { checked: item.task ? item.checked === true : null, blocks: this.blocks(tokens) };
  }

  /** Moves on over what matches at the cursor. */
  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#cursor;
    const match = pattern.exec(this.#source);
    if (match) this.#cursor += match[0].length;
  }

  #leaf(text: string, tokens: readonly Token[]): Inline[] {
    const shown = tokens.filter((token) => token.type !== 'checkbox');
    // A task's box is part of its first paragraph's text, but not of what is read here.
    const inner = shown.length === tokens.length ? text : text.replace(/^\[[ xX]\]\s/, '');
    return inlines(shown, 0, this.#map(inner), this.#base);
  }

  /** Finds the lines of an inner text in the source, one after another, and moves on behind them. */
  #map(inner: string): Map {
    const map: Map = [];
    let from = 0;
    for (const line of inner.split('\n')) {
      const content = line.trimStart();
      if (content) {
        const lead = line.length - content.length;
        const found = this.#source.indexOf(content, this.#cursor);
        if (found >= 0) {
          map.push([from, found - lead]);
          this.#cursor = found + content.length;
        } else this.#mapEscapedPipes(content, from + lead, map);
      }
      from += line.length + 1;
    }
    return map.length ? map : [[0, this.#cursor]];
  }

  /** A table's cell has `|` where the source has `\|`. */
  #mapEscapedPipes(content: string, from: number, map: Map): void {
    const found = content.includes('|')
      ? this.#source.indexOf(content.replaceAll('|', '\\|'), this.#cursor)
      : -1;
    if (found < 0) {
      map.push([from, this.#cursor]);
      return;
    }
    let inner = from;
    let source = found;
    for (const part of content.split('|')) {
      map.push([inner, source]);
      inner += part.length;
      source += part.length + 1;
      map.push([inner, source]);
      inner += 1;
      source += 1;
    }
    this.#cursor = source;
  }
}

function inlines(tokens: readonly Token[], from: number, map: Map, base: number): Inline[] {
  const out: Inline[] = [];
  let at = from;
  for (const token of tokens) {
    out.push(...inline(token, at, map, base));
    at += token.raw.length;
  }
  return out;
}

function inline(token: Token, at: number, map: Map, base: number): Inline[] {
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del': {
      const { tokens, text } = token as Tokens.Strong;
      const mark = (token.raw.length - text.length) / 2;
      return [{ type: token.type, inlines: inlines(tokens, at + mark, map, base) }];
    }
    case 'link': {
      const { href, tokens } = token as Tokens.Link;
      const mark = /^[[<]/.test(token.raw) ? 1 : 0;
      return [{ type: 'link', href: allowedUrl(href), inlines: inlines(tokens, at + mark, map, base) }];
    }
    case 'image': {
      // No image is fetched: a reply must not make the window call out.
      const { href, text } = token as Tokens.Image;
      const runs = runsOf(text || href, at + 2, map, base);
      return [{ type: 'link', href: allowedUrl(href), inlines: [{ type: 'text', runs }] }];
    }
    case 'codespan': {
      const { text } = token as Tokens.Codespan;
      const found = token.raw.replaceAll('\n', ' ').indexOf(text);
      return [{ type: 'code', runs: runsOf(text, at + Math.max(found, 0), map, base) }];
    }
    case 'br':
      return [{ type: 'br' }];
    case 'escape':
      return [{ type: 'text', runs: runsOf((token as Tokens.Escape).text, at + 1, map, base) }];
    case 'html':
      return [{ type: 'text', runs: runsOf(token.raw, at, map, base) }];
    default: {
      const { tokens } = token as Tokens.Text;
      if (tokens?.length) return inlines(tokens, at, map, base);
      return [{ type: 'text', runs: textRuns(token.raw, at, map, base) }];
    }
  }
}

/** Runs of a text in which character references are resolved. */
function textRuns(raw: string, at: number, map: Map, base: number): Run[] {
  const out: Run[] = [];
  let from = 0;
  for (const entity of entities(raw)) {
    if (entity.start > from) out.push(...runsOf(raw.slice(from, entity.start), at + from, map, base));
    out.push({ text: entity.text, at: source(at + entity.start, map) + base });
    from = entity.end;
  }
  if (from < raw.length || out.length === 0) out.push(...runsOf(raw.slice(from), at + from, map, base));
  return out;
}

/** Cuts a text that begins at an inner offset into runs that stand unbroken in the source. */
function runsOf(text: string, inner: number, map: Map, base: number): Run[] {
  const out: Run[] = [];
  const end = inner + text.length;
  let from = inner;
  for (let i = piece(inner, map); from < end; i++) {
    const next = map[i + 1]?.[0] ?? Infinity;
    const to = Math.min(end, Math.max(next, from + 1));
    const last = out.at(-1);
    const at = source(from, map) + base;
    if (last && last.at + last.text.length === at) last.text += text.slice(from - inner, to - inner);
    else out.push({ text: text.slice(from - inner, to - inner), at });
    from = to;
  }
  return out;
}

function piece(inner: number, map: Map): number {
  let i = 0;
  while (i + 1 < map.length && map[i + 1]![0] <= inner) i++;
  return i;
}

function source(inner: number, map: Map): number {
  const [from, to] = map[piece(inner, map)]!;
  return Math.max(0, to + inner - from);
}
