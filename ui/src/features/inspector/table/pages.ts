/**
 * Rows by range, in pages. One request is on its way at a time and the newest wish is asked next, so however fast the
 * view moves the engine sees no queue. A full page never changes; only the last one, which is not full, is asked again.
 */

/** Rows a page. */
export const PAGE = 64;
/** Pages that are kept: what has not been looked at for longest goes first. */
const KEPT = 16;
/** Pages one request may ask for. */
const SPAN = 4;

export interface Page<Row> {
  /** Rows that match, so far. */
  matching: number;
  start: number;
  rows: readonly Row[];
  /** The share of the session that was searched so far; absent once all of it was. */
  searched?: number;
}

export interface PageSource<Row> {
  pull: (start: number, count: number) => Promise<Page<Row>>;
  /** Rows came, or the count changed. */
  changed: () => void;
  failed: (error: unknown) => void;
}

export class PageCache<Row> {
  readonly #source: PageSource<Row>;
  #pages = new Map<number, readonly Row[]>();
  #matching = 0;
  #known = false;
  #generation = 0;
  #shown = 0;
  /** One past the newest row that came. */
  #newest = 0;
  #busy = false;
  #range: readonly [number, number] | null = null;
  #tail = false;
  #searched = 1;

  constructor(source: PageSource<Row>) {
    this.#source = source;
  }

  /** Rows that match, as far as is known. */
  get matching(): number {
    return this.#matching;
  }

  /** The count is the one of the filter in force. */
  get known(): boolean {
    return this.#known;
  }

  /** The share of the session's rows that the count is about: below 1 while a search goes on. */
  get searched(): number {
    return this.#searched;
  }

  /** The row at a position, if it is at hand. */
  at(index: number): Row | null {
    const page = Math.floor(index / PAGE);
    const rows = this.#pages.get(page);
    return rows?.[index - page * PAGE] ?? null;
  }

  /**
   * The newest count whose last `view` rows are at hand; 0 where none is. A view that follows the end goes there, not to
   * the count itself, whose rows may still be on their way.
   */
  wholeEnd(view: number): number {
    for (const end of [this.#matching, Math.min(this.#newest, this.#matching)]) {
      let at = Math.max(0, end - view);
      while (at < end && this.at(at) !== null) at++;
      if (at === end) return end;
    }
    return 0;
  }

  /** Wishes `[first, last)`. */
  want(first: number, last: number): void {
    this.#range = [Math.max(0, first), last];
    void this.#run();
  }

  /** The session grew: asks how many match now, and for the last page anew. */
  grew(): void {
    this.#tail = true;
    void this.#run();
  }

  /** Another filter. What is shown stays until the first answer under the new one. */
  reset(): void {
    this.#generation++;
    this.#known = false;
    this.#tail = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#next(); next; next = this.#next()) {
        const generation = this.#generation;
        const page = await this.#source.pull(next[0], next[1]);
        if (generation !== this.#generation) continue;
        this.#take(page, next[0], generation);
        this.#source.changed();
      }
    } catch (error) {
      this.#tail = false;
      this.#range = null;
      this.#searched = 1;
      this.#source.failed(error);
    } finally {
      this.#busy = false;
    }
  }

  /** What to ask for now: `[start, count]`, or null when all wishes stand. */
  #next(): readonly [number, number] | null {
    if (this.#shown !== this.#generation) {
      // The first page under a new filter, which also says how many match.
      this.#tail = false;
      return [0, PAGE];
    }
    if (this.#tail) {
      this.#tail = false;
      return this.#end();
    }
    return this.#missing() ?? (this.#searched < 1 ? this.#end() : null);
  }

  #end(): readonly [number, number] {
    return [Math.floor(this.#matching / PAGE) * PAGE, PAGE];
  }

  /** Rows in view that are not at hand. */
  #missing(): readonly [number, number] | null {
    if (!this.#range) return null;
    const [first, last] = [this.#range[0], Math.min(this.#range[1], this.#matching)];
    let from = -1;
    let to = -1;
    for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) {
      const full = Math.min(PAGE, this.#matching - page * PAGE);
      if ((this.#pages.get(page)?.length ?? 0) >= full) continue;
      if (from < 0) from = page;
      to = page;
    }
    if (from < 0) return null;
    return [from * PAGE, Math.min(to - from + 1, SPAN) * PAGE];
  }

  #take(answer: Page<Row>, asked: number, generation: number): void {
    if (this.#shown !== generation) {
      this.#pages.clear();
      this.#newest = 0;
      this.#shown = generation;
    }
    this.#matching = answer.matching;
    this.#searched = answer.searched ?? 1;
    this.#known = true;
    this.#newest = Math.max(this.#newest, answer.start + answer.rows.length);
    for (let at = 0; at < answer.rows.length; at += PAGE) {
      const page = Math.floor((answer.start + at) / PAGE);
      this.#pages.delete(page);
      this.#pages.set(page, answer.rows.slice(at, at + PAGE));
    }
    // An engine that has fewer rows than it counted would be asked forever: give the wish up.
    if (answer.rows.length === 0 && asked < answer.matching) this.#range = null;
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= KEPT) break;
      if (!this.#inRange(page)) this.#pages.delete(page);
    }
  }

  #inRange(page: number): boolean {
    return !!this.#range && page * PAGE < this.#range[1] && (page + 1) * PAGE > this.#range[0];
  }
}
