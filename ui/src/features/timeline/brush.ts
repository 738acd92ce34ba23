import type { TimeRange } from '../../lib/filter';
import { msAt, xOf, type View } from './view';

/** What a pointer took hold of. */
export type Grip = 'from' | 'to' | 'body' | 'new';

/** Reach of a handle, px. */
const REACH = 6;

/** What a pointer at `x` takes hold of. */
export function gripAt(x: number, brush: TimeRange | null, view: View, width: number): Grip {
  if (!brush) return 'new';
  const from = xOf(brush.fromMs, view, width);
  const to = xOf(Math.min(brush.toMs, view.to * 2), view, width);
  const near = Math.abs(x - to) <= Math.abs(x - from) ? 'to' : 'from';
  if (Math.abs(x - (near === 'to' ? to : from)) <= REACH) return near;
  return x > from && x < to ? 'body' : 'new';
}

/** The brush while a grip is dragged from `startX` to `x`. `end`: end of the session's time. */
export function dragged(
  grip: Grip,
  brush: TimeRange | null,
  startX: number,
  x: number,
  view: View,
  width: number,
  end: number,
): TimeRange {
  const clamp = (ms: number) => Math.max(0, Math.min(end, ms));
  const at = clamp(msAt(x, view, width));
  const by = msAt(x, view, width) - msAt(startX, view, width);
  if (grip === 'new' || !brush) return ordered(clamp(msAt(startX, view, width)), at);
  const old = { fromMs: brush.fromMs, toMs: Math.min(brush.toMs, end) };
  if (grip === 'from') return ordered(clamp(old.fromMs + by), old.toMs);
  if (grip === 'to') return ordered(old.fromMs, clamp(old.toMs + by));
  return moved(old, by, end);
}

/** The brush as a whole moved by a time, as far as there is room. */
export function moved({ fromMs, toMs }: TimeRange, by: number, end: number): TimeRange {
  const shift = Math.max(-fromMs, Math.min(end - toMs, by));
  return { fromMs: fromMs + shift, toMs: toMs + shift };
}

/** One edge moved by a time; it stops at the other. */
export function edged(brush: TimeRange, edge: 'from' | 'to', by: number, end: number): TimeRange {
  if (edge === 'from') return { ...brush, fromMs: Math.max(0, Math.min(brush.toMs, brush.fromMs + by)) };
  return { ...brush, toMs: Math.max(brush.fromMs, Math.min(end, brush.toMs + by)) };
}

function ordered(a: number, b: number): TimeRange {
  return a <= b ? { fromMs: a, toMs: b } : { fromMs: b, toMs: a };
}

/** Digits of the seconds that tell two pixels apart: two at least. */
export function digitsFor(view: View, width: number): number {
  const seconds = (view.to - view.from) / 1000 / Math.max(1, width);
  return Math.max(2, Math.min(6, Math.floor(-Math.log10(seconds))));
}
