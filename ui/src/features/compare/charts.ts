import type { CompareRun as Run } from '../../gen/CompareRun';
import { DASHES, letter } from './lanes';
import type { Mark } from './plot';
import { label, scaleOf } from './scale';

/** A lane's numbers for a chart, in the order the runs ran. */
export interface Series {
  lane: number;
  hue: string;
  points: readonly { run: Run; value: number }[];
}
/** A point that leads to its session. */
export interface Spot {
  x: number;
  y: number;
  run: Run;
  value: number;
}
export interface Chart {
  marks: Mark[];
  spots: Spot[];
}
export type ChartKind = 'ecdf' | 'box' | 'order';

const LEFT = 36;
const RIGHT = 10;
const TOP = 8;
const FOOT = 20;

export function chart(
  kind: ChartKind,
  series: readonly Series[],
  unit: string,
  width: number,
  height: number,
): Chart {
  const shown = series.filter(({ points }) => points.length);
  if (!shown.length || width < 120 || height < 80) return { marks: [], spots: [] };
  return { ecdf, box, order }[kind](shown, unit, width, height);
}

/** The share of runs at or below each value. */
function ecdf(series: readonly Series[], unit: string, width: number, height: number): Chart {
  const [right, bottom] = [width - RIGHT, height - FOOT];
  const scale = scaleOf(all(series), LEFT, right, unit);
  const y = (share: number) => bottom - share * (bottom - TOP);
  const marks: Mark[] = [];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    marks.push(rule(LEFT, y(share), right, y(share)));
    marks.push({
      is: 'text',
      x: LEFT - 6,
      y: y(share),
      text: String(share * 100),
      ink: 'text3',
      align: 'end',
    });
  }
  marks.push(...foot(scale, TOP, bottom));
  const spots: Spot[] = [];
  const names: Mark[] = [];
  for (const one of series) {
    const sorted = [...one.points].sort((a, b) => a.value - b.value);
    const line: [number, number][] = [[scale.at(sorted[0]!.value), y(0)]];
    sorted.forEach((point, i) => {
      const x = scale.at(point.value);
      line.push([x, y(i / sorted.length)], [x, y((i + 1) / sorted.length)]);
      spots.push({ x, y: y((i + 1) / sorted.length), ...point });
    });
    marks.push({ is: 'line', points: line, ink: `${one.hue}+`, width: 1.8, dash: DASHES[one.lane]! });
    const median = quantile(
      sorted.map(({ value }) => value),
      0.5,
    );
    const x = scale.at(median);
    const left = x > (LEFT + right) / 2;
    // Names stand a line apart, so that those of lanes that lie together can be read.
    const at = y(0.86 - 0.13 * one.lane);
    names.push({
      is: 'text',
      x: left ? x - 12 : x + 12,
      y: at,
      text: `${letter(one.lane)} ${label(Number(median.toPrecision(3)), unit)}${unit === 'ms' && median < 1000 ? ' ms' : ''}`,
      ink: `${one.hue}+`,
      align: left ? 'end' : 'start',
      strong: true,
    });
  }
  return { marks: [...marks, ...names], spots };
}

/** Median, quartiles, whiskers to the farthest run within 1.5 interquartile ranges (Tukey), and every run as a point. */
function box(series: readonly Series[], unit: string, width: number, height: number): Chart {
  const [right, bottom] = [width - RIGHT, height - FOOT];
  const scale = scaleOf(all(series), LEFT, right, unit);
  const marks: Mark[] = foot(scale, TOP, bottom);
  const spots: Spot[] = [];
  const tall = (bottom - TOP) / series.length;
  series.forEach((one, i) => {
    const middle = TOP + tall * (i + 0.5);
    const half = Math.min(14, tall * 0.3);
    const ink = `${one.hue}+`;
    const sorted = one.points.map(({ value }) => value).sort((a, b) => a - b);
    const [q1, q2, q3] = [0.25, 0.5, 0.75].map((q) => quantile(sorted, q)) as [number, number, number];
    const low = sorted.find((value) => value >= q1 - 1.5 * (q3 - q1))!;
    const high = [...sorted].reverse().find((value) => value <= q3 + 1.5 * (q3 - q1))!;
    const x = scale.at;
    marks.push({
      is: 'text',
      x: LEFT - 8,
      y: middle,
      text: letter(one.lane),
      ink,
      align: 'end',
      strong: true,
    });
    marks.push({
      is: 'line',
      points: [
        [x(low), middle],
        [x(q1), middle],
      ],
      ink,
    });
    marks.push({
      is: 'line',
      points: [
        [x(q3), middle],
        [x(high), middle],
      ],
      ink,
    });
    marks.push({
      is: 'rect',
      x: x(q1),
      y: middle - half,
      w: Math.max(1, x(q3) - x(q1)),
      h: half * 2,
      ink: one.hue,
      alpha: 0.18,
    });
    const corners: [number, number][] = [
      [x(q1), middle - half],
      [x(q3), middle - half],
      [x(q3), middle + half],
      [x(q1), middle + half],
      [x(q1), middle - half],
    ];
    marks.push({ is: 'line', points: corners, ink });
    marks.push({
      is: 'line',
      points: [
        [x(q2), middle - half],
        [x(q2), middle + half],
      ],
      ink,
      width: 2.4,
    });
    one.points.forEach(({ run, value }, n) => {
      // Points of one value would lie on each other: spread by a fixed pattern, not by chance.
      const spot = { x: x(value), y: middle + (((n * 7) % 11) / 10 - 0.5) * half * 1.4, run, value };
      spots.push(spot);
      marks.push({ is: 'dot', x: spot.x, y: spot.y, r: 1.7, ink, hollow: true });
    });
  });
  return { marks, spots };
}

/** Each run's value over the order the runs took place in: a drift is seen. */
function order(series: readonly Series[], unit: string, width: number, height: number): Chart {
  const [right, bottom] = [width - RIGHT, height - FOOT];
  const scale = scaleOf(all(series), bottom, TOP, unit, 40);
  const last = Math.max(1, ...series.flatMap(({ points }) => points.map(({ run }) => run.order)));
  const x = (n: number) => LEFT + 6 + (n / last) * (right - LEFT - 12);
  const marks: Mark[] = scale.ticks.flatMap(({ value, label: text }): Mark[] => [
    rule(LEFT, scale.at(value), right, scale.at(value)),
    { is: 'text', x: LEFT - 6, y: scale.at(value), text, ink: 'text3', align: 'end' },
  ]);
  marks.push({ is: 'text', x: LEFT, y: bottom + 12, text: 'first run', ink: 'text3' });
  marks.push({ is: 'text', x: right, y: bottom + 12, text: 'last run', ink: 'text3', align: 'end' });
  const spots: Spot[] = [];
  for (const one of series) {
    const line = one.points.map(({ run, value }): [number, number] => [x(run.order), scale.at(value)]);
    marks.push({ is: 'line', points: line, ink: `${one.hue}+`, width: 0.8, dash: DASHES[one.lane]! });
    one.points.forEach(({ run, value }, i) => {
      const [px, py] = line[i]!;
      spots.push({ x: px, y: py, run, value });
      marks.push({ is: 'dot', x: px, y: py, r: 2.2, ink: `${one.hue}+` });
    });
    const [ex, ey] = line.at(-1)!;
    marks.push({
      is: 'text',
      x: Math.min(ex + 6, right - 6),
      y: ey - 8,
      text: letter(one.lane),
      ink: `${one.hue}+`,
      strong: true,
    });
  }
  return { marks, spots };
}

/** Hyndman & Fan's definition 7, as the engine's. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
}

/** The point nearest to a place, within reach of a pointer. */
export function spotAt(spots: readonly Spot[], x: number, y: number, reach = 10): Spot | null {
  let best: Spot | null = null;
  let nearest = reach ** 2;
  for (const spot of spots) {
    const far = (spot.x - x) ** 2 + (spot.y - y) ** 2;
    if (far <= nearest) [best, nearest] = [spot, far];
  }
  return best;
}

const all = (series: readonly Series[]) => series.flatMap(({ points }) => points.map(({ value }) => value));

const rule = (x1: number, y1: number, x2: number, y2: number): Mark => ({
  is: 'line',
  points: [
    [x1, y1],
    [x2, y2],
  ],
  ink: 'line1',
});

function foot(scale: ReturnType<typeof scaleOf>, top: number, bottom: number): Mark[] {
  return scale.ticks.flatMap(({ value, label: text }): Mark[] => [
    rule(scale.at(value), top, scale.at(value), bottom),
    { is: 'text', x: scale.at(value), y: bottom + 12, text, ink: 'text3', align: 'middle' },
  ]);
}
