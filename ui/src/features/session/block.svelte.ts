import type { Block } from '../../gen/Block';
import type { BlockKind } from '../../gen/BlockKind';

/** Text is kept in pieces of this size at least: joining one long string at each delta would copy it each time. */
const PIECE = 8192;

/** A block of the reply that grows. Reading `version` is how a component follows it. */
export class ReplyBlock {
  readonly index: number;
  readonly kind: BlockKind;
  readonly firstRow: number;
  readonly startMs: number;
  lastRow = 0;
  endMs = 0;
  deltas = 0;
  tool: Block['tool'];
  media: Block['media'];
  /** Length of the text in UTF-16 code units. */
  length = 0;
  /** Grows by one when anything of the block changed. */
  version = $state(0);
  /** Grows by one when text that stood was replaced, so that readers begin anew. */
  generation = $state(0);
  #pieces: string[] = [];

  constructor(first: Block) {
    this.index = first.index;
    this.kind = first.kind;
    this.firstRow = first.firstRow;
    this.startMs = first.startMs;
    this.apply(first);
  }

  /** Takes what came of this block. */
  apply(update: Block): void {
    this.lastRow = update.lastRow;
    this.endMs = update.endMs;
    this.deltas = update.deltas;
    this.tool = update.tool ?? this.tool;
    this.media = update.media ?? this.media;
    if (update.offset < this.length) {
      const kept = this.text(0, update.offset);
      this.#pieces = kept ? [kept] : [];
      this.length = kept.length;
      this.generation++;
    }
    if (update.text) {
      const last = this.#pieces.length - 1;
      if (last >= 0 && this.#pieces[last]!.length < PIECE) this.#pieces[last] += update.text;
      else this.#pieces.push(update.text);
      this.length += update.text.length;
    }
    this.version++;
  }

  /** The text of `[start, end)`; costs what the range is long, not what the block is. */
  text(start = 0, end = this.length): string {
    let at = this.length;
    let i = this.#pieces.length;
    while (i > 0 && at > start) at -= this.#pieces[--i]!.length;
    let out = '';
    for (; i < this.#pieces.length && at < end; i++) {
      const piece = this.#pieces[i]!;
      out += piece.slice(Math.max(0, start - at), end - at);
      at += piece.length;
    }
    return out;
  }
}
