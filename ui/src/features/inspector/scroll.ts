/**
 * Scrolling over content of any height. Browsers stop at 16 to 33 million px, so above a safe height the scroll bar
 * stands for the content in proportion, while the wheel and the keys still move by true pixels.
 */

/** Height up to which a scroll box is as tall as its content. */
export const SAFE_PX = 8_000_000;

/** The mapping between content px and scroll-bar px. Pure. */
export interface Scale {
  /** Height of the scrolled box. */
  box: number;
  /** The bar stands for more than it shows. */
  scaled: boolean;
  toBar: (top: number) => number;
  toContent: (bar: number) => number;
}

export function scale(content: number, view: number, safe = SAFE_PX): Scale {
  if (content <= safe) return { box: content, scaled: false, toBar: (top) => top, toContent: (bar) => bar };
  const room = Math.max(1, safe - view);
  const whole = Math.max(1, content - view);
  return {
    box: safe,
    scaled: true,
    toBar: (top) => (top / whole) * room,
    toContent: (bar) => (bar / room) * whole,
  };
}

export interface VirtualScrollOptions {
  /** Something moved: paint at the next animation frame. */
  changed: () => void;
  /** The user scrolled, rather than the program. */
  scrolled?: () => void;
}

/** A scroll box whose content is painted into a layer that stands still; `top` says what to paint. */
export class VirtualScroll {
  /** Stays at the box's upper edge; what is painted goes in here. */
  readonly layer = document.createElement('div');
  readonly #box: HTMLElement;
  readonly #spacer = document.createElement('div');
  readonly #options: VirtualScrollOptions;
  readonly #observer: ResizeObserver;
  #content = 0;
  #view = 0;
  #scale = scale(0, 0);
  #top = 0;
  /** The bar as this object set it last: a scroll event at this place is its own. */
  #bar = 0;

  constructor(box: HTMLElement, options: VirtualScrollOptions) {
    this.#box = box;
    this.#options = options;
    box.style.overflowY = 'auto';
    box.style.overflowX = 'hidden';
    this.layer.style.cssText = 'position:sticky;top:0;left:0;height:0;z-index:1';
    this.layer.setAttribute('role', 'presentation');
    this.#spacer.style.cssText = 'width:1px;visibility:hidden';
    this.#spacer.setAttribute('role', 'presentation');
    box.append(this.layer, this.#spacer);
    box.addEventListener('scroll', this.#onScroll, { passive: true });
    box.addEventListener('wheel', this.#onWheel, { passive: false });
    this.#view = box.clientHeight;
    this.#observer = new ResizeObserver(() => {
      const ended = this.atEnd && this.#content > this.#view;
      this.#view = box.clientHeight;
      this.#fit();
      if (ended) this.to(Infinity);
      this.#options.changed();
    });
    this.#observer.observe(box);
  }

  /** First content px in view. */
  get top(): number {
    return this.#top;
  }

  /** Height of the view. */
  get view(): number {
    return this.#view;
  }

  get content(): number {
    return this.#content;
  }

  /** The last content px is in view. */
  get atEnd(): boolean {
    return this.#top + this.#view >= this.#content - 2;
  }

  setContent(px: number): void {
    if (px === this.#content) return;
    this.#content = px;
    this.#fit();
    this.#options.changed();
  }

  /** Goes to a content px, as near as the ends allow. */
  to(top: number): void {
    this.#top = Math.max(0, Math.min(top, this.#content - this.#view));
    this.#bar = this.#scale.toBar(this.#top);
    this.#box.scrollTop = this.#bar;
    this.#bar = this.#box.scrollTop;
    this.#options.changed();
  }

  by(px: number): void {
    this.to(this.#top + px);
  }

  /** Brings `[from, to)` into view with `margin` px around it; does not move if it is there already. */
  reveal(from: number, to: number, margin = 0): void {
    if (from >= this.#top && to <= this.#top + this.#view) return;
    const far = from < this.#top - this.#view || to > this.#top + 2 * this.#view;
    if (far) this.to(from - Math.max(0, (this.#view - (to - from)) / 2));
    else if (from < this.#top) this.to(from - margin);
    else this.to(Math.min(from - margin, to - this.#view + margin));
  }

  /**
   * Takes in where the user has scrolled to, should its event not have come yet: on a busy page that may take a while, and a
   * program that moves the bar meanwhile would undo it. True where the user has scrolled away from the end.
   */
  left(): boolean {
    return this.#take() && !this.atEnd;
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#box.removeEventListener('scroll', this.#onScroll);
    this.#box.removeEventListener('wheel', this.#onWheel);
    this.layer.remove();
    this.#spacer.remove();
  }

  #fit(): void {
    this.#scale = scale(this.#content, this.#view);
    this.#spacer.style.height = `${this.#scale.box}px`;
    const most = Math.max(0, this.#content - this.#view);
    if (this.#top > most || this.#scale.scaled) this.to(this.#top);
  }

  readonly #onScroll = () => void this.#take();

  /** The bar stands elsewhere than it was put: the user moved it. */
  #take(): boolean {
    const bar = this.#box.scrollTop;
    if (Math.abs(bar - this.#bar) < 1) return false;
    this.#bar = bar;
    const most = Math.max(0, this.#content - this.#view);
    this.#top = Math.max(0, Math.min(this.#scale.toContent(bar), most));
    this.#options.changed();
    this.#options.scrolled?.();
    return true;
  }

  /** In proportion one notch of the wheel would skip rows; here it moves by what it says. */
  readonly #onWheel = (event: WheelEvent) => {
    if (!this.#scale.scaled || event.ctrlKey || event.deltaY === 0) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? this.#view : 1;
    this.by(event.deltaY * unit);
    this.#options.scrolled?.();
  };
}
