import type { Ribbon } from '../../gen/Ribbon';

/** Ask at most this often: eight times a second. */
export const ASK_MS = 125;

/** One request at a time, the newest wish next, and never more often than `ASK_MS`. */
export class RibbonFeed {
  readonly #ask: () => Promise<Ribbon>;
  readonly #came: (ribbon: Ribbon) => void;
  readonly #failed: (error: unknown) => void;
  #busy = false;
  #wanted = false;
  #askedAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dead = false;

  constructor(ask: () => Promise<Ribbon>, came: (ribbon: Ribbon) => void, failed: (error: unknown) => void) {
    this.#ask = ask;
    this.#came = came;
    this.#failed = failed;
  }

  /** Something changed that the ribbon shows. */
  want(): void {
    this.#wanted = true;
    if (this.#busy || this.#timer !== undefined || this.#dead) return;
    const wait = Math.max(0, this.#askedAt + ASK_MS - performance.now());
    this.#timer = setTimeout(() => void this.#run(), wait);
  }

  destroy(): void {
    this.#dead = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#wanted = false;
    this.#busy = true;
    this.#askedAt = performance.now();
    try {
      const ribbon = await this.#ask();
      if (!this.#dead) this.#came(ribbon);
    } catch (error) {
      if (!this.#dead) this.#failed(error);
    } finally {
      this.#busy = false;
      if (this.#wanted) this.want();
    }
  }
}
