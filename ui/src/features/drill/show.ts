import type { Drill } from '../../gen/Drill';
import type { DrillLane } from '../../gen/DrillLane';
import type { Estimate } from '../../gen/Estimate';
import type { LabRecipe } from '../../gen/LabRecipe';
import type { MemoryRow } from '../../gen/MemoryRow';

/** A fault's name and number, as `x-lab-fault` spells them. `seconds` recipes take their number in seconds. */
export function faultOf(recipe: LabRecipe | undefined, value: number): string {
  if (!recipe) return 'none';
  if (!recipe.parameter) return recipe.id;
  // Where it happens is what is turned here; its code stays 1011.
  if (recipe.id === 'close') return `close=1011;after=${value}`;
  return `${recipe.id}=${value}`;
}

/** The recipe and the number that `faultOf` spells as `fault`; null where these recipes cannot say it. */
export function recipeOf(fault: string, recipes: readonly LabRecipe[]): [string, number] | null {
  if (fault === 'none') return ['', 0];
  const after = /^close=1011;after=(\d+)$/.exec(fault);
  const [, id, number] = after ? ['', 'close', after[1]] : (/^([\w-]+)(?:=([\d.]+))?$/.exec(fault) ?? []);
  const recipe = recipes.find((one) => one.id === id);
  const value = Number(number ?? 0);
  return recipe && faultOf(recipe, value) === fault ? [recipe.id, value] : null;
}

/** What is drilled, in a line. */
export function whatOf(drill: Drill): string {
  const fault = drill.fault === 'none' ? 'no fault' : drill.fault;
  const always = drill.repeat === 'always' && drill.fault !== 'none' ? ', every connection' : '';
  return `${fault}${always} · ${drill.tokens} words at ${drill.rate}/s · HTTP/${drill.http}`;
}

/** A sensible number for a drill of `tokens` words: a third through the reply, or what the recipe begins with. */
export function valueOf(recipe: LabRecipe | undefined, tokens: number): number {
  const parameter = recipe?.parameter;
  if (!parameter) return 0;
  const wanted = parameter.unit === 'tok' ? Math.ceil(tokens / 3) : parameter.default;
  return Math.max(parameter.min, Math.min(parameter.max, wanted));
}

/** Milliseconds with their unit; a dash for none. */
export function ms(time: number | null): string {
  if (time === null) return '–';
  return time >= 1000
    ? `${(time / 1000).toFixed(2)} s`
    : `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;
}

/** How a lane ended, in a word or two. */
export function ended(lane: DrillLane, running: boolean): string {
  if (lane.error) return lane.error;
  if (lane.whole) return 'whole';
  return running ? 'under way' : 'cut';
}

/** A figure with its interval, divided by `scale`. */
export function figure(
  estimate: Estimate | null | undefined,
  scale: number,
  digits: number,
): {
  value: string;
  interval: string;
} {
  if (!estimate) return { value: '–', interval: '' };
  // Three figures are more than the interval allows.
  const fine = Math.abs(estimate.value / scale) < 100 ? digits : 0;
  // A true minus, and none before a nought.
  const number = (n: number) =>
    (n / scale)
      .toFixed(fine)
      .replace(/^-(?=0(\.0*)?$)/, '')
      .replace('-', '−');
  const { interval } = estimate;
  return {
    value: number(estimate.value),
    interval: interval ? `${number(interval.low)} – ${number(interval.high)}` : '',
  };
}

/** Bytes that a process takes with no connection: the mean of what was measured, or where the line begins. */
function none(row: MemoryRow, of: 'lab_bytes' | 'client_bytes'): number {
  const without = row.points.filter(({ connections }) => connections === 0);
  if (without.length) return without.reduce((sum, point) => sum + point[of], 0) / without.length;
  return (of === 'lab_bytes' ? row.lab : row.client).bytes?.intercept.value ?? 0;
}

/** What connections add to what a process takes without any, in MiB, point by point. */
export function added(
  row: MemoryRow,
  of: 'lab_bytes' | 'client_bytes',
): { connections: number; mib: number }[] {
  const base = none(row, of);
  return row.points.map((point) => ({
    connections: point.connections,
    mib: (point[of] - base) / (1024 * 1024),
  }));
}

/** The most that connections of any kind add, in MiB: the scale that all charts share. */
export function most(rows: readonly MemoryRow[]): number {
  const all = rows.flatMap((row) => [...added(row, 'lab_bytes'), ...added(row, 'client_bytes')]);
  return all.reduce((top, { mib }) => Math.max(top, mib), 0.1);
}

/** A series as it is typed: numbers from 1 to 1000, each larger than the one before; null where it is none. */
export function series(text: string): number[] | null {
  const numbers = text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);
  const rises = numbers.every(
    (n, i) => Number.isInteger(n) && n >= 1 && n <= 1000 && n > (numbers[i - 1] ?? 0),
  );
  return numbers.length && rises ? numbers : null;
}
