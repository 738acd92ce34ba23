import type { Ribbon } from '../../gen/Ribbon';
import { fit, palette } from '../../lib/canvas';
import { duration, joined } from '../../lib/format';
import { stalls } from './stalls';
import { ticks, xOf, type View } from './view';

/** Height of the axis, of a lane, and of the whole plot under the axis. */
export const AXIS_PX = 20;
export const LANE_PX = 12;
export const LANES_PX = 60;

export const LANES = [
  { name: 'http', label: 'http', hue: 'http-head' },
  { name: 'control', label: 'control', hue: 'control' },
  { name: 'reasoning', label: 'reasoning', hue: 'reasoning' },
  { name: 'text', label: 'text', hue: 'text-delta' },
  { name: 'tool', label: 'tool, usage', hue: 'tool-call' },
] as const;

/** What stands before the lanes: a stream without an API has messages, and nothing in two of them. */
export const laneLabel = (name: (typeof LANES)[number]['name'], raw: boolean): string => {
  if (raw && name === 'text') return 'messages';
  if (raw && (name === 'reasoning' || name === 'tool')) return '';
  return LANES.find((lane) => lane.name === name)!.label;
};

/** Gaps from here on are drawn, if they are this wide. */
const STALL_MS = 50;
const STALL_PX = 8;

export interface Scene {
  ribbon: Ribbon | null;
  view: View;
  /** The present, while the stream runs. */
  now: number | null;
  width: number;
  height: number;
  /** Names of phases are left out. */
  terse: boolean;
  /** Moments whose labels something else covers. */
  covered: View | null;
}

/** Draws the ribbon. What it costs depends on the width of the plot alone. */
export function draw(canvas: HTMLCanvasElement, scene: Scene): void {
  const { width, height, view, ribbon } = scene;
  const context = fit(canvas, width, height);
  if (!context) return;
  const colours = palette();
  const x = (ms: number) => xOf(ms, view, width);
  context.clearRect(0, 0, width, height);

  context.font = `10px ${getComputedStyle(document.body).fontFamily}`;
  context.textBaseline = 'middle';
  for (const tick of ticks(view, width)) {
    const at = Math.round(x(tick.ms)) + 0.5;
    if (tick.ms > 0) {
      context.fillStyle = colours.line1;
      context.fillRect(at - 0.5, AXIS_PX, 1, LANES_PX);
    }
    if (!tick.label || (scene.covered && at > x(scene.covered.from) && at < x(scene.covered.to))) continue;
    const wide = context.measureText(tick.label).width;
    context.fillStyle = colours.text3;
    context.fillText(tick.label, Math.max(0, Math.min(width - wide, at - wide / 2)), AXIS_PX / 2);
  }
  if (!ribbon) return;

  // Phases go down a stair in the rows that are empty before the first byte.
  let stair = AXIS_PX + 27;
  for (const phase of ribbon.phases) {
    const left = x(phase.startMs);
    const right = x(phase.endMs);
    const waits = phase.name === 'wait';
    if (right > 0 && left < width) {
      context.globalAlpha = waits ? 0.45 : 1;
      context.fillStyle = colours.text3;
      context.fillRect(Math.max(0, left), stair, Math.max(1, Math.min(right, width) - Math.max(0, left)), 6);
      context.globalAlpha = 1;
      const room = firstRow(ribbon, phase.endMs);
      const label = `${phase.name} ${joined(duration(phase.endMs - phase.startMs))}`;
      // Only where it ends before the first tick of these rows begins.
      const end = right + 6 + context.measureText(label).width;
      if (waits && !scene.terse && (room === null || x(room) > end + 4)) {
        context.fillText(label, right + 6, stair + 3);
      }
    }
    stair += 6;
  }

  const bins = ribbon.lanes[0]?.bins.length ?? 0;
  const step = (ribbon.toMs - ribbon.fromMs) / Math.max(1, bins);
  ribbon.lanes.forEach((lane, row) => {
    context.fillStyle = colours.layer(LANES.find(({ name }) => name === lane.name)?.hue ?? 'control').fill;
    const top = AXIS_PX + row * LANE_PX + 1.5;
    for (let bin = 0; bin < bins; bin++) {
      if (!lane.bins[bin]) continue;
      context.fillRect(x(ribbon.fromMs + bin * step), top, 1.15, 9);
    }
  });

  context.fillStyle = colours.warn;
  for (const { fromMs, toMs } of stalls(ribbon, STALL_MS, (STALL_PX / width) * bins)) {
    context.fillRect(x(fromMs) + 2, AXIS_PX + LANES_PX + 1.5, Math.max(1, x(toMs) - x(fromMs) - 4), 1.5);
  }

  // Where flow control lets nothing through, a band under the lanes.
  context.fillStyle = colours.layer('h2').fill;
  for (const lane of ribbon.stalls ?? []) {
    for (let bin = 0; bin < lane.bins.length; bin++) {
      if (!lane.bins[bin]) continue;
      const left = x(ribbon.fromMs + bin * step);
      context.globalAlpha = 0.35 + 0.65 * (lane.bins[bin]! / 1000);
      context.fillRect(
        left,
        AXIS_PX + LANES_PX + 4,
        Math.max(1.15, x(ribbon.fromMs + (bin + 1) * step) - left),
        3,
      );
    }
  }
  context.globalAlpha = 1;

  // The clock comes a few times a second, rows more often: the present is never before what has come.
  const now = scene.now === null ? null : Math.max(scene.now, newest(ribbon));
  if (now !== null && now >= view.from && now <= view.to) {
    context.fillStyle = colours.text1;
    context.fillRect(Math.min(width - 1, Math.round(x(now))), 0, 1, height);
  }
}

/** When the newest row on the ribbon came, to a bin; 0 where it holds none. */
export function newest(ribbon: Ribbon): number {
  const bins = ribbon.lanes[0]?.bins.length ?? 0;
  for (let bin = bins - 1; bin >= 0; bin--) {
    if (ribbon.lanes.some((lane) => lane.bins[bin]! > 0))
      return ribbon.fromMs + ((bin + 1) * (ribbon.toMs - ribbon.fromMs)) / bins;
  }
  return 0;
}

/** When the first row came behind a phase that ended `after`. */
function firstRow(ribbon: Ribbon, after: number): number | null {
  const bins = ribbon.lanes[0]?.bins.length ?? 0;
  const step = (ribbon.toMs - ribbon.fromMs) / Math.max(1, bins);
  for (let bin = Math.max(0, Math.floor((after - ribbon.fromMs) / step)); bin < bins; bin++) {
    if (ribbon.lanes.slice(2).some((lane) => lane.bins[bin]! > 0)) return ribbon.fromMs + bin * step;
  }
  return null;
}
