/**
 * A list of fixed-height rows that keeps as many DOM rows as fit on screen and refills them as it scrolls, so that
 * its cost depends on what is visible, never on how long the list is. Rows are pulled by range, asynchronously.
 */
export interface SlotListOptions<Row> {
  rowHeight: number;
  /** Pulls `count` rows from `start`; fewer at the end of the list. */
  pull: (start: number, count: number) => Promise<readonly Row[]>;
  /** Makes an empty row. Called once a slot. */
  create: () => HTMLElement;
  /** Fills a slot. `row` is null while the row is on its way. */
  fill: (slot: HTMLElement, row: Row | null, index: number) => void;
  /** A slot is out of use: the list ends before it. */
  empty?: (slot: HTMLElement) => void;
  /** The user scrolled; `atEnd`: the last row is in view. */
  onScroll?: (atEnd: boolean) => void;
  /** The range on screen changed. */
  onRange?: (first: number, last: number) => void;
}

/** Browsers stop at some 33 million px; above this the scroll bar stands for rows in proportion. */
const MAX_PX = 8_000_000;

export class SlotList<Row> {
  readonly #viewport: HTMLElement;
  readonly #spacer = document.createElement('div');
  readonly #layer = document.createElement('div');
  readonly #options: SlotListOptions<Row>;
  readonly #slots: { element: HTMLElement; index: number }[] = [];
  readonly #observer: ResizeObserver;
  #count = 0;
  #rows: readonly Row[] = [];
  #rowsFrom = 0;
  #generation = 0;
  #pulling = false;
  #wanted = false;
  #frame = 0;
  #own = false;

  constructor(viewport: HTMLElement, options: SlotListOptions<Row>) {
    this.#viewport = viewport;
    this.#options = options;
    viewport.style.overflowY = 'auto';
    viewport.style.position = 'relative';
    this.#spacer.style.cssText = 'width:1px;visibility:hidden';
    this.#spacer.setAttribute('role', 'presentation');
    this.#layer.style.cssText = 'position:absolute;top:0;left:0;right:0;will-change:transform';
    this.#layer.setAttribute('role', 'presentation');
    viewport.append(this.#spacer, this.#layer);
    viewport.addEventListener('scroll', this.#onScroll, { passive: true });
    this.#observer = new ResizeObserver(() => this.#schedule());
    this.#observer.observe(viewport);
  }

  get count(): number {
    return this.#count;
  }

  get visibleRows(): number {
    return Math.max(1, Math.floor(this.#viewport.clientHeight / this.#options.rowHeight));
  }

  get atEnd(): boolean {
    return this.#top() + this.#viewport.clientHeight >= this.#count * this.#options.rowHeight - 2;
  }

  /** Says how long the list is now. Rows that are shown stay; new ones are pulled if they would be in view. */
  setCount(count: number): void {
    if (count === this.#count) return;
    const top = this.#top();
    this.#count = count;
    this.#spacer.style.height = `${this.#scrollable()}px`;
    if (this.#scrollable() < count * this.#options.rowHeight) this.#scrollToPx(top);
    this.#schedule();
  }

  /** Forgets every row that was pulled, e.g. for another filter. Goes to the top unless told to stay. */
  reset(count: number, stay = false): void {
    this.#generation++;
    this.#rows = [];
    this.#count = count;
    this.#spacer.style.height = `${this.#scrollable()}px`;
    if (!stay) this.#scrollToPx(0);
    this.#schedule();
  }

  /** Pulls the rows in view anew, keeping what is shown until they come. */
  refresh(): void {
    this.#generation++;
    this.#wanted = true;
    void this.#pull();
  }

  /** Fills the shown slots again, e.g. after the selection moved. */
  repaint(): void {
    for (const slot of this.#slots) if (slot.index >= 0) this.#fill(slot.element, slot.index);
  }

  /** Brings a row into view; `centre` where it was far. */
  reveal(index: number, where: 'nearest' | 'centre' = 'nearest'): void {
    const h = this.#options.rowHeight;
    const top = this.#top();
    const height = this.#viewport.clientHeight;
    const y = index * h;
    if (y >= top && y + h <= top + height) return;
    if (where === 'centre') this.#scrollToPx(y - (height - h) / 2);
    else this.#scrollToPx(y < top ? y : y + h - height);
  }

  scrollToEnd(): void {
    this.#scrollToPx(this.#count * this.#options.rowHeight);
  }

  /** The row at an index, if it is at hand. */
  at(index: number): Row | null {
    return this.#rows[index - this.#rowsFrom] ?? null;
  }

  destroy(): void {
    this.#generation++;
    this.#observer.disconnect();
    this.#viewport.removeEventListener('scroll', this.#onScroll);
    cancelAnimationFrame(this.#frame);
    this.#spacer.remove();
    this.#layer.remove();
  }

  readonly #onScroll = () => {
    const own = this.#own;
    this.#own = false;
    this.#schedule();
    if (!own) this.#options.onScroll?.(this.atEnd);
  };

  #scrollable(): number {
    return Math.min(this.#count * this.#options.rowHeight, MAX_PX);
  }

  /** Where the view begins, in px of the whole list. */
  #top(): number {
    const whole = this.#count * this.#options.rowHeight;
    const room = this.#scrollable() - this.#viewport.clientHeight;
    if (whole <= MAX_PX || room <= 0) return this.#viewport.scrollTop;
    return (this.#viewport.scrollTop / room) * (whole - this.#viewport.clientHeight);
  }

  #scrollToPx(px: number): void {
    const whole = this.#count * this.#options.rowHeight;
    const room = this.#scrollable() - this.#viewport.clientHeight;
    const to = whole <= MAX_PX ? px : (px / Math.max(1, whole - this.#viewport.clientHeight)) * room;
    const before = this.#viewport.scrollTop;
    this.#own = true;
    this.#viewport.scrollTop = to;
    if (this.#viewport.scrollTop === before) this.#own = false;
    this.#schedule();
  }

  #schedule(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const h = this.#options.rowHeight;
    const top = this.#top();
    const fit = Math.ceil(this.#viewport.clientHeight / h) + 1;
    while (this.#slots.length < fit) {
      const element = this.#options.create();
      element.style.position = 'absolute';
      element.style.left = element.style.right = '0';
      this.#layer.append(element);
      this.#slots.push({ element, index: -1 });
    }
    const first = Math.max(0, Math.min(Math.floor(top / h), this.#count - 1));
    const last = Math.min(this.#count, first + fit);
    const shift = this.#viewport.scrollTop - top;
    for (let i = 0; i < this.#slots.length; i++) {
      // A row keeps its slot while it is in view, so scrolling by one row refills one slot.
      const slot = this.#slots[i]!;
      const n = this.#slots.length;
      const index = first + ((((i - first) % n) + n) % n);
      if (index >= last) {
        slot.element.style.display = 'none';
        if (slot.index >= 0) this.#options.empty?.(slot.element);
        slot.index = -1;
        continue;
      }
      slot.element.style.display = '';
      slot.element.style.transform = `translateY(${index * h + shift}px)`;
      if (slot.index !== index || this.at(index) === null) {
        slot.index = index;
        this.#fill(slot.element, index);
      }
    }
    this.#options.onRange?.(first, last);
    const have = first >= this.#rowsFrom && last <= this.#rowsFrom + this.#rows.length;
    if (!have && last > first) {
      this.#wanted = true;
      void this.#pull();
    }
  }

  #fill(element: HTMLElement, index: number): void {
    this.#options.fill(element, this.at(index), index);
  }

  /** One pull at a time; what is wanted meanwhile is pulled next, and only the newest of it. */
  async #pull(): Promise<void> {
    if (this.#pulling) return;
    this.#pulling = true;
    try {
      while (this.#wanted) {
        this.#wanted = false;
        const generation = this.#generation;
        const fit = Math.ceil(this.#viewport.clientHeight / this.#options.rowHeight) + 1;
        const first = Math.max(0, Math.floor(this.#top() / this.#options.rowHeight));
        const start = Math.max(0, first - fit);
        const rows = await this.#options.pull(start, fit * 3);
        if (generation !== this.#generation) {
          this.#wanted = true;
          continue;
        }
        this.#rows = rows;
        this.#rowsFrom = start;
        this.repaint();
      }
    } catch (error) {
      console.error('rows', error);
    } finally {
      this.#pulling = false;
    }
  }
}
