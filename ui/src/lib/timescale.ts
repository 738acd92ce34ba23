/** The stretch of time on screen: axis, zoom, and places on it. All times in ms since the dial began. Pure. */

export interface View {
  from: number;
  to: number;
}

/** Shortest stretch that can be zoomed to. */
const SHORTEST_MS = 1;
const STEPS = [1, 2, 5];

/** The smallest of 1, 2, 5 × 10ⁿ that is not below `ms`. */
export function niceStep(ms: number): number {
  const scale = 10 ** Math.floor(Math.log10(Math.max(ms, 1e-6)));
  return scale * (STEPS.find((step) => step * scale >= ms * (1 - 1e-9)) ?? 10);
}

export function xOf(ms: number, view: View, width: number): number {
  return ((ms - view.from) / (view.to - view.from)) * width;
}

export function msAt(x: number, view: View, width: number): number {
  return view.from + (x / Math.max(1, width)) * (view.to - view.from);
}

export interface Tick {
  ms: number;
  /** Empty for a line without a label. */
  label: string;
}

/** Grid lines at least `apart` px from each other, every second one with a label. */
export function ticks(view: View, width: number, apart = 72): Tick[] {
  const span = view.to - view.from;
  if (!(span > 0) || width <= 0) return [];
  const step = niceStep((span / width) * apart);
  // Every second line, or every one where twice the step is not a round number.
  const labelled = Math.abs(niceStep(step * 2) - step * 2) < step / 2 ? step * 2 : step;
  const found: Tick[] = [];
  for (let n = Math.ceil(view.from / step - 1e-9); n * step <= view.to + step * 1e-9; n++) {
    const ms = n * step;
    const whole = Math.abs(ms / labelled - Math.round(ms / labelled)) < 1e-6;
    found.push({ ms, label: whole ? timeLabel(ms, labelled) : '' });
  }
  return found;
}

/** A moment with the digits that steps of `step` ms need. */
export function timeLabel(ms: number, step: number): string {
  if (step < 1) return `${ms.toFixed(Math.min(3, Math.ceil(-Math.log10(step))))} ms`;
  if (step < 1000 && ms < 1000 && ms !== 0) return `${ms.toFixed(0)} ms`;
  if (step >= 60_000) return `${(ms / 60_000).toFixed(0)} min`;
  const digits = Math.max(0, Math.min(3, Math.ceil(-Math.log10(step / 1000) - 1e-9)));
  return `${(ms / 1000).toFixed(ms === 0 ? 0 : digits)} s`;
}

/** Zooms about a moment, which keeps its place; never beyond `[0, end]`. */
export function zoom(view: View, factor: number, about: number, end: number): View {
  const span = Math.max(SHORTEST_MS, Math.min(end, (view.to - view.from) * factor));
  const share = (about - view.from) / (view.to - view.from);
  return within({ from: about - share * span, to: about + (1 - share) * span }, end);
}

/** Moves the view by a time. */
export function pan(view: View, byMs: number, end: number): View {
  return within({ from: view.from + byMs, to: view.to + byMs }, end);
}

function within({ from, to }: View, end: number): View {
  const span = Math.min(to - from, end);
  const start = Math.max(0, Math.min(from, end - span));
  return { from: start, to: start + span };
}
