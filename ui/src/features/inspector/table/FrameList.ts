import type { FrameRow } from '../../../gen/FrameRow';
import { VirtualScroll } from '../scroll';
import { PageCache, type Page } from './pages';
import { createRow, fillRow, type RowElement } from './rowView';

export const ROW_PX = 22;
/** Paint at most this often while a stream runs. */
const PAINT_MS = 33;

export interface FrameListOptions {
  pull: (start: number, count: number) => Promise<Page<FrameRow>>;
  /** Rows that match, whether that count is the filter's, and the share of the session it is about. */
  counted: (matching: number, known: boolean, searched: number) => void;
  /** The last row came into view. */
  ended: () => void;
  /** The user scrolled. */
  scrolled: (atEnd: boolean) => void;
  failed: (error: unknown) => void;
}

interface Slot extends RowElement {
  index: number;
  row: FrameRow | null;
}

/**
 * The rows of the frame table. As many DOM rows as fit, refilled as the view moves: the cost of a paint depends on what
 * is on screen, never on the session's length or the stream's rate.
 */
export class FrameList {
  readonly #box: HTMLElement;
  readonly #scroll: VirtualScroll;
  readonly #cache: PageCache<FrameRow>;
  readonly #options: FrameListOptions;
  readonly #slots: Slot[] = [];
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #grewAt = 0;
  #selected: number | null = null;
  #following = false;
  /** Rows have come since the view was laid out. */
  #grown = false;
  #dead = false;
  /** Rows there were when the last one was in view. */
  #endSeen = 0;
  /** Rows the view is laid out for. */
  #count = 0;

  constructor(box: HTMLElement, options: FrameListOptions) {
    this.#box = box;
    this.#options = options;
    this.#scroll = new VirtualScroll(box, {
      changed: () => this.#schedule(),
      scrolled: () => options.scrolled(this.#scroll.atEnd),
    });
    this.#cache = new PageCache({
      pull: options.pull,
      changed: () => this.#came(),
      failed: options.failed,
    });
  }

  get matching(): number {
    return this.#cache.matching;
  }

  get atEnd(): boolean {
    return this.#scroll.atEnd;
  }

  /** Rows that fit on screen. */
  get fits(): number {
    return Math.max(1, Math.floor(this.#scroll.view / ROW_PX));
  }

  /** Place of the first row in view. */
  get first(): number {
    return Math.ceil(this.#scroll.top / ROW_PX);
  }

  /** Place of the last row in view. */
  get last(): number {
    return Math.min(this.matching, Math.floor((this.#scroll.top + this.#scroll.view) / ROW_PX)) - 1;
  }

  /** The row at a place, if it is at hand. */
  at(index: number): FrameRow | null {
    return this.#cache.at(index);
  }

  /** The session grew. Asks at most every 33 ms. */
  grew(): void {
    if (this.#timer !== undefined) return;
    const wait = this.#grewAt + PAINT_MS - performance.now();
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#grewAt = performance.now();
        this.#cache.grew();
      },
      Math.max(0, wait),
    );
  }

  /** Another filter is in force; `pull` asks under it from now on. */
  reset(): void {
    this.#cache.reset();
  }

  /** Keeps the newest row in view, or no longer. */
  follow(on: boolean): void {
    if (on === this.#following) return;
    this.#following = on;
    this.#layOut();
  }

  toEnd(): void {
    this.#scroll.to(Infinity);
  }

  toTop(): void {
    this.#scroll.to(0);
  }

  /** Marks a row as the selected one. */
  select(row: number | null): void {
    this.#selected = row;
    for (const slot of this.#slots) this.#mark(slot);
  }

  reveal(index: number): void {
    this.#scroll.reveal(index * ROW_PX, (index + 1) * ROW_PX);
  }

  /** Puts the keyboard's focus on the selected row if the table has it. */
  focusSelected(): void {
    if (!this.#box.contains(document.activeElement)) return;
    this.#draw();
    const slot = this.#slots.find(({ row }) => row !== null && row.id === this.#selected);
    (slot?.root ?? this.#box).focus({ preventScroll: true });
  }

  /** The place of the slot an element is in. */
  indexOf(element: EventTarget | null): number | null {
    const slot = this.#slots.find(({ root }) => element instanceof Node && root.contains(element));
    return slot && slot.index >= 0 ? slot.index : null;
  }

  destroy(): void {
    this.#dead = true;
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#scroll.destroy();
  }

  #came(): void {
    if (this.#dead) return;
    // To move the bar is to have the whole page laid out. While it only follows the end, once a display frame is enough.
    if (this.#following) {
      this.#grown = true;
      this.#schedule();
    } else this.#layOut();
    this.#options.counted(this.#cache.matching, this.#cache.known, this.#cache.searched);
  }

  /** How many rows the view is laid out for. While it follows, it moves on to rows that are there: none is ever blank. */
  #layOut(): void {
    this.#grown = false;
    const { matching } = this.#cache;
    if (this.#following && this.#scroll.left()) this.#following = false;
    const whole = this.#following ? this.#cache.wholeEnd(Math.min(matching, this.fits + 1)) : matching;
    this.#count = Math.min(matching, whole || this.#count);
    this.#scroll.setContent(this.#count * ROW_PX);
    if (this.#following) this.#scroll.to(Infinity);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#dead) return;
    this.#frame ||= requestAnimationFrame(() => {
      if (this.#grown) this.#layOut();
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.#dead) return;
    const { top, view } = this.#scroll;
    const need = Math.ceil(view / ROW_PX) + 1;
    while (this.#slots.length < need) {
      const slot: Slot = { ...createRow(), index: -1, row: null };
      slot.root.style.display = 'none';
      this.#scroll.layer.append(slot.root);
      this.#slots.push(slot);
    }
    const count = this.#count;
    if (this.#scroll.atEnd && this.#endSeen !== count) {
      this.#endSeen = count;
      this.#options.ended();
    }
    const first = Math.max(0, Math.floor(top / ROW_PX));
    const last = Math.min(count, first + need);
    const n = this.#slots.length;
    for (let i = 0; i < n; i++) {
      // A row keeps its slot while it is in view, so scrolling by one row refills one slot.
      const slot = this.#slots[i]!;
      const index = first + ((((i - first) % n) + n) % n);
      if (index >= last) {
        if (slot.index !== -1) slot.root.style.display = 'none';
        this.#leave(slot);
        slot.index = -1;
        slot.row = null;
        delete slot.root.dataset.frame;
        continue;
      }
      const row = this.#cache.at(index);
      if (slot.index !== index || slot.row !== row) {
        if (slot.index !== index) this.#leave(slot);
        if (slot.index === -1) slot.root.style.display = '';
        slot.index = index;
        slot.row = row;
        fillRow(slot, row, index);
        this.#mark(slot);
      }
      slot.root.style.transform = `translateY(${index * ROW_PX - top}px)`;
    }
    // One screen either way is asked for with what is in view.
    const { matching } = this.#cache;
    if (this.#following) this.#cache.want(matching - 2 * need, matching + need);
    else if (last > first) this.#cache.want(first - need, last + need);
  }

  /** A slot that is about to show another row hands the focus to the table. */
  #leave(slot: Slot): void {
    if (slot.root === document.activeElement) this.#box.focus({ preventScroll: true });
  }

  #mark(slot: Slot): void {
    const selected = slot.row !== null && slot.row.id === this.#selected;
    slot.root.setAttribute('aria-selected', String(selected));
    slot.root.tabIndex = selected ? 0 : -1;
  }
}
