import type { Token } from 'marked';
import { markdownLexer } from './lexer';
import { evenLines } from './tree';

/**
 * Cuts a text that grows into parts that never change and a short tail, so that work per delta depends on the tail.
 * Parts are gathered in pages, which a view can drop while they are out of sight.
 */

/** A part that never changes: `[start, end)` of the text, read as if `prefix` stood before it. */
export interface Part {
  start: number;
  end: number;
  prefix: string;
}

export interface Page {
  readonly parts: Part[];
  readonly start: number;
  /** Grows while it is the last one. */
  end: number;
}

export interface Tail {
  /** Where it begins in the text. */
  start: number;
  text: string;
  /** What has to be read before it: the fence of a code block that goes on, the head of a table. */
  prefix: string;
}

const PAGE = 4096;
/** A tail longer than this is cut inside the block. */
const TAIL = 4096;
/** Read at once at most, where a long text comes in one piece. */
const STEP = 16_384;
/** Below this a last line may still turn out to go on with the block before it ("2" of "2."). */
const SURE = 12;

export class Pager {
  readonly pages: Page[] = [];
  tail: Tail = { start: 0, text: '', prefix: '' };
  readonly markdown: boolean;

  constructor(markdown: boolean) {
    this.markdown = markdown;
  }

  /** Characters taken so far. */
  get length(): number {
    return this.tail.start + this.tail.text.length;
  }

  /** Takes the next characters. */
  feed(text: string): void {
    for (let at = 0; at < text.length; at += STEP) {
      this.tail.text += text.slice(at, at + STEP);
      if (this.markdown) this.#freezeBlocks();
      while (this.tail.text.length > TAIL * 2) this.#cut();
    }
  }

  /** Freezes all blocks but the last. */
  #freezeBlocks(): void {
    const { prefix, text } = this.tail;
    const tokens = borders(evenLines(prefix + text));
    let last = tokens.length - 1;
    while (last >= 0 && tokens[last]!.type === 'space') last--;
    const newest = tokens[last];
    if (!newest || last === 0 || (newest.raw.length < SURE && !newest.raw.includes('\n'))) return;
    let at = -prefix.length;
    for (let i = 0; i < last; i++) {
      const end = at + tokens[i]!.raw.length;
      if (tokens[i]!.type !== 'space')
        this.#freeze(this.tail.start + Math.max(at, 0), this.tail.start + end, i === 0 ? prefix : '');
      at = end;
    }
    this.tail = { start: this.tail.start + at, text: text.slice(at), prefix: '' };
  }

  /** Cuts a tail that is one long block, at a line's end where there is one. */
  #cut(): void {
    const { start, text, prefix } = this.tail;
    const line = text.lastIndexOf('\n', TAIL);
    let at = line > TAIL / 4 ? line + 1 : text.lastIndexOf(' ', TAIL) + 1;
    if (at <= TAIL / 4) at = TAIL;
    // Never between the two halves of a character.
    if (/[\udc00-\udfff]/.test(text[at] ?? '')) at++;
    this.#freeze(start, start + at, prefix);
    this.tail = {
      start: start + at,
      text: text.slice(at),
      prefix: this.markdown ? carried(prefix + text.slice(0, at)) : '',
    };
  }

  #freeze(start: number, end: number, prefix: string): void {
    let page = this.pages.at(-1);
    if (!page || page.end - page.start >= PAGE) {
      page = { parts: [], start, end };
      this.pages.push(page);
    }
    page.parts.push({ start, end, prefix });
    page.end = end;
  }
}

/** The blocks of a text, unread inside: where they begin and end is all that is asked here, and reading them costs most. */
function borders(text: string): Token[] {
  return markdownLexer().blockTokens(text, []);
}

/** What the rest of a block that was cut has to be read with. */
function carried(taken: string): string {
  const block = borders(evenLines(taken)).at(-1);
  if (block?.type === 'code') {
    const fence = /^ {0,3}(?:`{3,}|~{3,})[^\n]*\n/.exec(block.raw);
    const closed = fence && new RegExp(`\\n {0,3}${fence[0].trim().charAt(0)}{3,}\\s*$`).test(block.raw);
    return fence && !closed ? fence[0] : '';
  }
  if (block?.type === 'table') return /^[^\n]*\n[^\n]*\n/.exec(block.raw)?.[0] ?? '';
  return '';
}
