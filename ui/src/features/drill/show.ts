import type { DrillLane } from '../../gen/DrillLane';
import type { Estimate } from '../../gen/Estimate';
import type { LabRecipe } from '../../gen/LabRecipe';

/** A fault's name and number, as `x-lab-fault` spells them. `seconds` recipes take their number in seconds. */
export function faultOf(recipe: LabRecipe | undefined, value: number): string {
  if (!recipe) return 'none';
  if (!recipe.parameter) return recipe.id;
  // Where it happens is what is turned here; its code stays 1011.
  if (recipe.id === 'close') return `close=1011;after=${value}`;
  return `${recipe.id}=${value}`;
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
  const number = (n: number) => (n / scale).toFixed(fine);
  const { interval } = estimate;
  return {
    value: number(estimate.value),
    interval: interval ? `${number(interval.low)} – ${number(interval.high)}` : '',
  };
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
