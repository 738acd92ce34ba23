import type { Owner } from '../../../gen/Owner';
import { fit, onAppearance, palette } from '../../../lib/canvas';
import type { Span } from '../open.svelte';
import { VirtualScroll } from '../scroll';
import * as hex from './layout';

/** What the view shows. Offsets of owners and spans count from the view's first byte. */
export interface HexContent {
  length: number;
  /** What the first byte's offset reads as. */
  base: number;
  owners: readonly Owner[];
  /** Chosen bytes. */
  spans: readonly Span[];
  /** Chosen bytes are written in the strongest colour: they are the end of the chain, not a whole layer. */
  strong: boolean;
  /** Bytes of the node under the pointer. */
  hover: readonly Span[];
  /** The bytes of a range, null while they are on their way. */
  read: (start: number, end: number) => Uint8Array | null;
  /** Fetches a range; resolves when `read` has it. */
  load: (start: number, end: number) => Promise<unknown>;
}

/** Font sizes tried, the designed one first. */
const FACES = [11, 10.5, 10, 9.5] as const;
const SCROLLBAR_PX = 8;

/** Bytes drawn on a canvas as large as the view, whatever their number. */
export class HexCanvas {
  readonly #canvas = document.createElement('canvas');
  readonly #box: HTMLElement;
  readonly #scroll: VirtualScroll;
  readonly #unwatch: () => void;
  #content: HexContent | null = null;
  #layout: hex.HexLayout = hex.layout(0, 0, 6.6);
  #face: number = FACES[0];
  #frame = 0;
  #loading = false;
  #dead = false;

  constructor(box: HTMLElement) {
    this.#box = box;
    this.#canvas.style.cssText = 'position:absolute;top:0;left:0;display:block';
    this.#canvas.setAttribute('aria-hidden', 'true');
    this.#scroll = new VirtualScroll(box, { changed: () => this.#schedule() });
    this.#scroll.layer.append(this.#canvas);
    this.#unwatch = onAppearance(() => this.#measure());
  }

  show(content: HexContent): void {
    this.#content = content;
    this.#measure();
  }

  /** Brings a byte into view, with two lines around it. */
  reveal(offset: number): void {
    const y = hex.TOP + Math.floor(offset / hex.COLUMNS) * hex.LINE_PX;
    this.#scroll.reveal(y, y + hex.LINE_PX, 2 * hex.LINE_PX);
  }

  toTop(): void {
    this.#scroll.to(0);
  }

  /** The byte under the pointer. */
  at(event: MouseEvent, clamp = false): number | null {
    const box = this.#box.getBoundingClientRect();
    return hex.hit(this.#layout, event.clientX - box.left, event.clientY - box.top + this.#scroll.top, clamp);
  }

  /** Whole lines in view. */
  get lines(): number {
    return Math.max(1, Math.floor(this.#scroll.view / hex.LINE_PX) - 1);
  }

  destroy(): void {
    this.#dead = true;
    cancelAnimationFrame(this.#frame);
    this.#unwatch();
    this.#scroll.destroy();
    this.#canvas.remove();
  }

  #measure(): void {
    if (this.#dead || !this.#content) return;
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    // Where hinting rounds the advance up, sixteen columns need a smaller face to fit the pane.
    for (const size of FACES) {
      this.#face = size;
      this.#font(context);
      const ch = context.measureText('0').width || 6.6;
      this.#layout = hex.layout(this.#content.length, this.#content.base, ch);
      if (this.#layout.width + SCROLLBAR_PX <= this.#box.clientWidth) break;
    }
    this.#scroll.setContent(this.#layout.lines * hex.LINE_PX + 2 * hex.TOP);
    this.#schedule();
  }

  #font(context: CanvasRenderingContext2D, weight = 400): void {
    context.font = `${weight} ${this.#face}px ${palette().mono}`;
    if ('textRendering' in context) context.textRendering = 'geometricPrecision';
  }

  #schedule(): void {
    if (this.#dead) return;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint(): void {
    const content = this.#content;
    const width = this.#box.clientWidth;
    const height = this.#scroll.view;
    if (this.#dead || !content || width === 0 || height === 0) return;
    const context = fit(this.#canvas, width, height);
    if (!context) return;
    const at = this.#layout;
    const colours = palette();
    const top = this.#scroll.top;
    const y = (line: number) => hex.TOP + line * hex.LINE_PX - top;
    const fromLine = Math.max(0, Math.floor((top - hex.TOP) / hex.LINE_PX));
    const toLine = Math.min(at.lines, Math.ceil((top + height - hex.TOP) / hex.LINE_PX));
    context.clearRect(0, 0, width, height);
    context.textBaseline = 'middle';
    this.#font(context);
    context.fillStyle = colours.text3;
    for (let line = fromLine; line < toLine; line++) {
      const label = (content.base + line * hex.COLUMNS).toString(16).padStart(at.digits, '0');
      context.fillText(label, at.offsetX, y(line) + 8);
    }

    const start = fromLine * hex.COLUMNS;
    const end = Math.min(at.length, toLine * hex.COLUMNS);
    if (end <= start) return;
    const bytes = content.read(start, end);
    if (!bytes) this.#load(start, end);

    for (const { start: from, end: to, layer } of ownersIn(content.owners, start, end)) {
      const colour = colours.layer(layer);
      for (const [line, a, b] of hex.runs(from, to, fromLine, toLine)) {
        context.fillStyle = colour.tint;
        const [hx, hw] = hex.hexBox(at, a, b);
        context.fillRect(hx, y(line), hw, 15);
        const [ax, aw] = hex.asciiBox(at, a, b);
        context.fillRect(ax, y(line), aw, 15);
        context.fillStyle = colour.text;
        if (bytes) this.#text(context, bytes, start, line, a, b, y(line));
      }
    }

    const line1 = colours.text3;
    if (content.hover.length) this.#outline(context, content.hover, fromLine, toLine, y, line1, [2, 2]);
    if (content.spans.length) {
      if (content.strong && bytes) {
        this.#font(context, 600);
        context.fillStyle = colours.text1;
        for (const [from, to] of content.spans) {
          for (const [line, a, b] of hex.runs(from, to, fromLine, toLine)) {
            this.#clear(context, content, line, a, b, y(line));
            context.fillStyle = colours.text1;
            this.#text(context, bytes, start, line, a, b, y(line));
          }
        }
      }
      this.#outline(context, content.spans, fromLine, toLine, y, colours.text1, []);
    }
  }

  /** Columns `[a, b)` of a line, as digits and as text. */
  #text(
    context: CanvasRenderingContext2D,
    bytes: Uint8Array,
    start: number,
    line: number,
    a: number,
    b: number,
    y: number,
  ): void {
    const from = line * hex.COLUMNS - start;
    const run = bytes.subarray(from + a, from + b);
    context.fillText(hex.hexText(run, a), hex.hexBox(this.#layout, a, b)[0], y + 8);
    // One by one, so that no ligature of the face joins them.
    const [left] = hex.asciiBox(this.#layout, a, b);
    const text = hex.asciiText(run);
    for (let i = 0; i < text.length; i++) {
      if (text[i] !== ' ') context.fillText(text[i]!, left + i * this.#layout.ch, y + 8);
    }
  }

  /** Paints the ground again, before text is written over text. */
  #clear(
    context: CanvasRenderingContext2D,
    content: HexContent,
    line: number,
    a: number,
    b: number,
    y: number,
  ): void {
    const colours = palette();
    const from = line * hex.COLUMNS + a;
    const to = line * hex.COLUMNS + b;
    const boxes: [string, number, number][] = [[colours.bg1, a, b]];
    for (const owner of ownersIn(content.owners, from, to)) {
      boxes.push([
        colours.layer(owner.layer).tint,
        Math.max(a, owner.start - line * hex.COLUMNS),
        Math.min(b, owner.end - line * hex.COLUMNS),
      ]);
    }
    for (const [fill, p, q] of boxes) {
      context.fillStyle = fill;
      for (const [left, width] of [hex.hexBox(this.#layout, p, q), hex.asciiBox(this.#layout, p, q)]) {
        context.fillRect(left, y, width, 15);
      }
    }
  }

  /** One outline around the bytes of each span, over line ends, in both columns. */
  #outline(
    context: CanvasRenderingContext2D,
    spans: readonly Span[],
    fromLine: number,
    toLine: number,
    y: (line: number) => number,
    colour: string,
    dash: number[],
  ): void {
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash(dash);
    context.beginPath();
    for (const [from, to] of spans) {
      // A line more at both ends, so that no edge is drawn where the view cuts the span.
      const lines = hex.runs(from, to, Math.max(0, fromLine - 1), toLine + 1);
      if (lines.length === 1) {
        const [line, a, b] = lines[0]!;
        for (const [left, width] of [hex.hexBox(this.#layout, a, b), hex.asciiBox(this.#layout, a, b)]) {
          context.roundRect(left - 0.5, y(line) - 0.5, width + 1, 16, 2);
        }
        continue;
      }
      for (let i = 0; i < lines.length; i++) {
        const [line, a, b] = lines[i]!;
        for (const box of [hex.hexBox, hex.asciiBox]) {
          const edge = (p: number, q: number, at: number) => {
            if (q <= p) return;
            const [left, width] = box(this.#layout, p, q);
            context.moveTo(left - 0.5, at);
            context.lineTo(left + width + 0.5, at);
          };
          const above = lines[i - 1];
          const below = lines[i + 1];
          const upper = y(line) - 0.5;
          const lower = y(line) + 15.5;
          if (!above) edge(a, b, upper);
          else edge(a, Math.min(b, above[1]), upper);
          if (!below) edge(a, b, lower);
          else edge(Math.max(a, below[2]), b, lower);
          const [left, width] = box(this.#layout, a, b);
          for (const x of [left - 0.5, left + width + 0.5]) {
            context.moveTo(x, upper);
            context.lineTo(x, lower);
          }
        }
      }
    }
    context.stroke();
    context.setLineDash([]);
  }

  #load(start: number, end: number): void {
    if (this.#loading || !this.#content) return;
    this.#loading = true;
    this.#content
      .load(start, end)
      .then(
        () => this.#content?.read(start, end) && this.#schedule(),
        (error: unknown) => console.error('bytes', error),
      )
      .finally(() => {
        this.#loading = false;
        // The view may have moved on meanwhile.
        if (!this.#dead && this.#content?.read(start, end)) this.#schedule();
      });
  }
}

/** The owners that touch `[start, end)`; bytes between them have none. */
export function ownersIn(owners: readonly Owner[], start: number, end: number): Owner[] {
  let low = 0;
  let high = owners.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (owners[middle]!.end <= start) low = middle + 1;
    else high = middle;
  }
  const found: Owner[] = [];
  let at = start;
  for (let i = low; i < owners.length && owners[i]!.start < end; i++) {
    const owner = owners[i]!;
    if (owner.start > at) found.push({ start: at, end: owner.start, layer: '' });
    found.push({ start: Math.max(start, owner.start), end: Math.min(end, owner.end), layer: owner.layer });
    at = owner.end;
  }
  if (at < end) found.push({ start: at, end, layer: '' });
  return found;
}
