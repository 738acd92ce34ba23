import type { ConsolePage } from '../../gen/ConsolePage';
import type { ConsoleRow } from '../../gen/ConsoleRow';
import { SlotList } from '../../ui/SlotList';
import { createLine, fillLine } from './line';

export const LINE_PX = 22;
/** Asks at most this often while events come. */
const ASK_MS = 100;

export interface LogListOptions {
  pull: (start: number, count: number) => Promise<ConsolePage>;
  /** Lines that match, and the share of the session that this is about. */
  counted: (matching: number, searched: number) => void;
  /** The user scrolled; `atEnd`: the last line is in view. */
  scrolled: (atEnd: boolean) => void;
  picked: (row: ConsoleRow, index: number) => void;
  failed: (error: unknown) => void;
}

/** The lines of a console's log: as many in the page as fit on screen, pulled by range, however long the log is. */
export class LogList {
  readonly #list: SlotList<ConsoleRow>;
  readonly #options: LogListOptions;
  readonly #lines = new Map<HTMLElement, number>();
  #selected: number | null = null;
  #following = true;
  #dead = false;
  #asking = false;
  #again = false;
  #askedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #generation = 0;
  readonly #observer: ResizeObserver;
  /** Lines on screen that are not final: connections that have no answer yet. */
  #open = new Set<number>();

  constructor(box: HTMLElement, options: LogListOptions) {
    this.#options = options;
    this.#list = new SlotList<ConsoleRow>(box, {
      rowHeight: LINE_PX,
      pull: async (start, count) => {
        const page = await options.pull(start, count);
        this.#count(page);
        return page.rows;
      },
      create: () => createLine(),
      fill: (slot, row, index) => {
        this.#lines.set(slot, index);
        if (row?.head && !row.head.answer) this.#open.add(index);
        else this.#open.delete(index);
        fillLine(slot, row, index, row !== null && row.id === this.#selected);
      },
      empty: (slot) => {
        this.#lines.delete(slot);
        // Nobody finds a line that is not shown.
        fillLine(slot, null, -1, false);
      },
      onScroll: (atEnd) => options.scrolled(atEnd),
    });
    // Made after the list's own, it runs after it: the end stays in view while the log is made smaller.
    this.#observer = new ResizeObserver(() => {
      if (this.#following) this.#list.scrollToEnd();
    });
    this.#observer.observe(box);
  }

  /** Lines that match, as far as is known. */
  get matching(): number {
    return this.#list.count;
  }

  get fits(): number {
    return this.#list.visibleRows;
  }

  at(index: number): ConsoleRow | null {
    return this.#list.at(index);
  }

  /** The place of the line an element is in. */
  indexOf(element: EventTarget | null): number | null {
    if (!(element instanceof Element)) return null;
    const line = element.closest<HTMLElement>('.cl');
    return line ? (this.#lines.get(line) ?? null) : null;
  }

  /** The session grew, or its end came. */
  grew(): void {
    if (this.#timer !== undefined || this.#dead) return;
    const wait = Math.max(0, this.#askedAt + ASK_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#askedAt = performance.now();
      void this.#ask();
    }, wait);
  }

  /** Another filter is in force. */
  reset(): void {
    this.#generation++;
    this.#list.reset(0);
    void this.#ask();
  }

  follow(on: boolean): void {
    this.#following = on;
    if (on) this.#list.scrollToEnd();
  }

  select(row: number | null): void {
    this.#selected = row;
    this.#list.repaint();
  }

  reveal(index: number): void {
    this.#list.reveal(index);
  }

  destroy(): void {
    this.#dead = true;
    clearTimeout(this.#timer);
    this.#observer.disconnect();
    this.#list.destroy();
  }

  async #ask(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      do {
        this.#again = false;
        const generation = this.#generation;
        const page = await this.#options.pull(0, 0);
        if (this.#dead) return;
        if (generation !== this.#generation) this.#again = true;
        else this.#count(page);
      } while (this.#again);
    } catch (error) {
      this.#options.failed(error);
    } finally {
      this.#asking = false;
    }
    if (this.#open.size > 0) this.#list.refresh();
  }

  #count(page: ConsolePage): void {
    if (this.#dead) return;
    const grew = page.matching > this.#list.count;
    this.#list.setCount(page.matching);
    if (this.#following && grew) this.#list.scrollToEnd();
    this.#options.counted(page.matching, page.searched ?? 1);
    // A search of payloads goes on when it is asked again.
    if ((page.searched ?? 1) < 1) this.grew();
  }
}
