import type { FrameDetail } from '../../gen/FrameDetail';
import { call, IpcError } from '../../lib/ipc';
import type { Session } from '../session/session.svelte';
import { ByteCache } from './hex/bytes';
import { isCarrier } from './names';
import { innermost } from './tree/tree';

export type Span = readonly [number, number];

/** The frame that is open: its tree, which node of it is chosen, and which bytes. Tree and hex view both read it. */
export class OpenFrame {
  readonly session: Session;
  readonly bytes: ByteCache;
  detail = $state.raw<FrameDetail | null>(null);
  /** Why it could not be opened. */
  failed = $state<string | null>(null);
  /** Index of the chosen node, -1 where bytes are chosen that no node stands for. */
  node = $state(-1);
  /** Chosen ranges, in the window. */
  spans = $state.raw<readonly Span[]>([]);
  /** Grows when the choice should be brought into view. */
  reveal = $state(0);
  /** Node under the pointer, -1 for none. */
  hover = $state(-1);
  /** Folded nodes. */
  folded = $state.raw<ReadonlySet<number>>(new Set());
  /** Nodes all of whose members are shown, not only those on the way to what is chosen. */
  unrolled = $state.raw<ReadonlySet<number>>(new Set());
  #asked = 0;
  #picked = 0;
  /** A byte or ranges of the direction that were chosen before the frame that owns them was open. */
  #awaited: { row: number; at: number } | { row: number; spans: readonly Span[] } | null = null;

  constructor(session: Session) {
    this.session = session;
    this.bytes = ByteCache.of(session.id);
  }

  /** Opens a row's frame. The newest one asked for wins. */
  async open(row: number | null): Promise<void> {
    const turn = ++this.#asked;
    if (row === this.detail?.id && this.detail.decoding === undefined && !this.failed) return;
    // Whoever calls this may be watching what it writes: write behind the call.
    await Promise.resolve();
    if (turn !== this.#asked) return;
    if (row === null) {
      this.detail = null;
      this.failed = null;
      this.spans = [];
      this.node = -1;
      return;
    }
    try {
      let detail = await call('frame', { session: this.session.id, row });
      // Far into a compressed body: each answer goes on decoding for a moment. Another frame that is opened ends it.
      while (detail.decoding !== undefined && turn === this.#asked) {
        this.detail = detail;
        this.failed = null;
        this.choose(Math.min(detail.focus, detail.nodes.length - 1));
        detail = await call('frame', { session: this.session.id, row });
      }
      if (turn !== this.#asked) return;
      this.detail = detail;
      this.failed = null;
      this.folded = new Set();
      this.unrolled = new Set();
      this.hover = -1;
      const awaited = this.#awaited;
      this.#awaited = null;
      if (awaited?.row !== row) this.choose(Math.min(detail.focus, detail.nodes.length - 1));
      else if ('at' in awaited) this.chooseAt(awaited.at - detail.start);
      else this.#chooseRanges(awaited.spans);
    } catch (thrown) {
      if (turn !== this.#asked) return;
      this.detail = null;
      this.spans = [];
      this.node = -1;
      this.failed = IpcError.from(thrown).message;
    }
  }

  /** Chooses a node, and with it its bytes. */
  choose(node: number): void {
    const chosen = this.detail?.nodes[node];
    this.node = chosen ? node : -1;
    this.spans = chosen?.spans ?? [];
    this.reveal++;
    if (chosen && this.#hides(node)) this.#unfoldTo(node);
  }

  /** Chooses the innermost node that covers a byte; the byte alone where none does. */
  chooseAt(offset: number): void {
    const node = this.detail ? innermost(this.detail.nodes, offset) : -1;
    if (node >= 0) this.choose(node);
    else this.chooseBytes([offset, offset + 1]);
  }

  /**
   * Chooses what owns a byte of a direction, at every layer: its frame, and with it the word of the reply it carried, and in the frame
   * the innermost node. A byte that is a carrier's own leaves the open frame open.
   */
  async pick(conn: number, out: boolean, at: number): Promise<void> {
    const turn = ++this.#picked;
    const { detail } = this;
    const here =
      !!detail && detail.conn === conn && detail.out === out && detail.start <= at && at < detail.end;
    if (here) this.chooseAt(at - detail.start);
    const row = await call('row_at', { session: this.session.id, conn, out, at });
    if (turn !== this.#picked || row === null || row === this.detail?.id) return;
    if (here && isCarrier(row)) return;
    this.#awaited = { row, at };
    this.session.select(row, 'tree');
  }

  /** Opens a frame and chooses in it ranges of the direction's bytes. */
  show(row: number, spans: readonly Span[]): void {
    this.#picked++;
    if (this.detail?.id === row) return this.#chooseRanges(spans);
    this.#awaited = { row, spans };
    this.session.select(row, 'tree');
  }

  #chooseRanges(spans: readonly Span[]): void {
    const start = this.detail?.start ?? 0;
    this.spans = spans.map(([from, to]) => [from - start, to - start] as const);
    const first = this.spans[0]?.[0] ?? -1;
    const last = this.spans.at(-1)?.[1] ?? -1;
    // A node that has just these bytes stands for them.
    this.node =
      this.detail?.nodes.findIndex(
        (node) => node.spans.length > 0 && node.spans[0]![0] === first && node.spans.at(-1)![1] === last,
      ) ?? -1;
    this.reveal++;
  }

  /** Chooses bytes as such. */
  chooseBytes(span: Span): void {
    this.spans = [span];
    this.node = this.detail ? innermost(this.detail.nodes, span[0]) : -1;
    const covers = this.detail?.nodes[this.node]?.spans.some(([s, e]) => s <= span[0] && span[1] <= e);
    if (!covers) this.node = -1;
  }

  fold(node: number, fold: boolean): void {
    const next = new Set(this.folded);
    if (fold) next.add(node);
    else next.delete(node);
    this.folded = next;
  }

  /** Shows all members of a node. */
  unroll(node: number): void {
    this.unrolled = new Set(this.unrolled).add(node);
  }

  /** The bytes chosen, up to `limit`. */
  async chosen(limit: number): Promise<Uint8Array> {
    const { detail, spans } = this;
    if (!detail) return new Uint8Array();
    const parts: Uint8Array[] = [];
    let left = limit;
    for (const [start, end] of spans) {
      if (left <= 0) break;
      const to = Math.min(end, start + left);
      const part = await this.bytes.load(detail.conn, detail.out, detail.start + start, detail.start + to);
      parts.push(part);
      left -= part.length;
    }
    const whole = new Uint8Array(limit - left);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #hides(node: number): boolean {
    return this.#ancestors(node).some((index) => this.folded.has(index));
  }

  #unfoldTo(node: number): void {
    const next = new Set(this.folded);
    for (const index of this.#ancestors(node)) next.delete(index);
    this.folded = next;
  }

  #ancestors(node: number): number[] {
    const nodes = this.detail?.nodes ?? [];
    const out: number[] = [];
    let depth = nodes[node]?.depth ?? 0;
    for (let i = node - 1; i >= 0 && depth > 0; i--) {
      if (nodes[i]!.depth < depth) {
        out.push(i);
        depth = nodes[i]!.depth;
      }
    }
    return out;
  }
}
