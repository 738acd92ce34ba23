import type { CompareRow } from '../../gen/CompareRow';

/** Rows that change in one display frame: with six lanes, what a script may take of one. */
const ROWS = 4;

/** The rows of a table that is told anew several times a second, each time a few of them a display frame. */
export class Slices {
  rows = $state.raw<readonly CompareRow[]>([]);
  #wanted: readonly CompareRow[] = [];
  #frame = 0;

  /** Takes a table's rows: at once where it is the last one, or has other rows than those that are shown. */
  take(rows: readonly CompareRow[], last: boolean): void {
    this.#wanted = rows;
    const alike =
      !last &&
      rows.length === this.rows.length &&
      rows.every(
        ({ figure, statistic, cells }, i) =>
          figure === this.rows[i]!.figure &&
          statistic === this.rows[i]!.statistic &&
          cells.length === this.rows[i]!.cells.length,
      );
    if (!alike) {
      this.stop();
      this.rows = rows;
    } else if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#step(0));
  }

  /** Changes no more rows. */
  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #step(from: number): void {
    const to = from + ROWS;
    this.rows = [...this.rows.slice(0, from), ...this.#wanted.slice(from, to), ...this.rows.slice(to)];
    // A table that came meanwhile is begun again from its top.
    const stale = this.rows.findIndex((row, i) => row !== this.#wanted[i]);
    this.#frame = stale < 0 ? 0 : requestAnimationFrame(() => this.#step(stale));
  }
}
