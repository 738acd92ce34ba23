import type { Cell } from '../../gen/Cell';
import type { CompareRow } from '../../gen/CompareRow';
import type { CompareRun } from '../../gen/CompareRun';
import type { FigureUnit } from '../../gen/FigureUnit';
import type { Paired } from '../../gen/Paired';
import type { RunFigures } from '../../gen/RunFigures';
import { count } from '../../lib/format';

/** The units behind a figure's name; a share is shown in percent. */
export const UNITS: Record<FigureUnit, string> = {
  ms: 'ms',
  rate: 'tok/s',
  bytes: 'B',
  count: '',
  share: '%',
};

/** Pairs of runs from which on the engine judges at all (`weir_stats::ENOUGH`). */
const ENOUGH = 30;

/** Whether two lanes are apart, as the engine judges it. Below so many pairs nothing is said, not even that they are alike. */
export function verdict({ apart, n, difference: { interval } }: Paired): string {
  if (apart) return 'apart';
  return n < ENOUGH || interval === null ? 'too few runs to say' : 'not apart';
}

/** `first_text` → `firstText`: figures go by one name in tables and by the other in runs. */
export const member = (figure: string): string => figure.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

/** What a run measured of a figure, in the unit it is shown in; null where it has none. */
export function valueOf(figures: RunFigures, row: Pick<CompareRow, 'figure' | 'unit'>): number | null {
  return valueBy(figures, member(row.figure), row);
}

function valueBy(figures: RunFigures, name: string, row: Pick<CompareRow, 'unit'>): number | null {
  const value = (figures as unknown as Record<string, unknown>)[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  return row.unit === 'share' ? value * 100 : value;
}

/** A run's figures count: it is no warm-up, it did not fail, and the clock did not jump in it. */
export const counts = (run: CompareRun): boolean => !run.warmup && !run.failure && !run.disturbed;

/** The measured values of a figure, by lane: runs that count, in the order they ran. */
export function values(
  runs: readonly CompareRun[],
  lanes: number,
  row: Pick<CompareRow, 'figure' | 'unit'>,
): { run: CompareRun; value: number }[][] {
  const name = member(row.figure);
  const found: { run: CompareRun; value: number }[][] = Array.from({ length: lanes }, () => []);
  for (const run of runs) {
    const value = counts(run) ? valueBy(run.figures, name, row) : null;
    if (value !== null) found[run.lane]?.push({ run, value });
  }
  for (const lane of found) lane.sort((a, b) => a.run.order - b.run.order);
  return found;
}

/** Digits after the point that a number of this size is shown with. */
export function digitsOf(size: number): number {
  const n = Math.abs(size);
  return n === 0 || n >= 100 ? 0 : n >= 10 ? 1 : 2;
}

export function number(value: number, digits = digitsOf(value)): string {
  return digits === 0
    ? count(Math.abs(value)).replace(/^/, value < -0.5 ? '−' : '')
    : value.toFixed(digits).replace('-', '−');
}

/**
 * An estimate as a cell shows it. The interval is "± w" where it lies evenly about the figure, else its two ends; "exact"
 * where every run gave the same number; "" where there were too few for one. "≈" marks an approximate interval.
 */
export function cellText(
  { estimate, exact }: Pick<Cell, 'estimate' | 'exact'>,
  unit: FigureUnit,
): { value: string; interval: string } {
  if (!estimate) return { value: '', interval: '' };
  const by = unit === 'share' ? 100 : 1;
  const value = estimate.value * by;
  const whole = exact && Number.isInteger(value);
  const digits = whole ? 0 : digitsOf(value);
  const shown = number(value, digits);
  if (exact) return { value: shown, interval: 'exact' };
  if (!estimate.interval) return { value: shown, interval: '' };
  const [low, high] = [estimate.interval.low * by, estimate.interval.high * by];
  const [down, up] = [value - low, high - value];
  const width = Math.max(down, up);
  const even = width > 0 && Math.abs(down - up) <= width * 0.15;
  const about = estimate.interval.approximate ? '≈' : '';
  const range = `${about}${number(low, digits)}–${number(high, digits)}`;
  return { value: shown, interval: even ? `${about}± ${number(width)}` : range };
}

/** The same in words, for a tooltip and for those who hear it. */
export function cellWords(row: CompareRow, cell: Cell): string {
  if (!cell.estimate) return cell.why;
  const by = row.unit === 'share' ? 100 : 1;
  const unit = UNITS[row.unit] ? ` ${UNITS[row.unit]}` : '';
  const of = `${row.statistic} of ${cell.n} ${cell.n === 1 ? 'run' : 'runs'}`;
  const { interval } = cell.estimate;
  const range = cell.exact
    ? 'the same in every run'
    : interval
      ? `${interval.approximate ? 'approximate ' : ''}95 % interval ${number(interval.low * by)} to ${number(interval.high * by)}${unit}`
      : 'too few runs for an interval';
  return `${number(cell.estimate.value * by)}${unit}, ${of}, ${range}${cell.best ? '; best' : ''}`;
}

export { layerName, ordered } from '../../lib/layers';
