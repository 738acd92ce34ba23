import type { RibbonPhase } from '../../gen/RibbonPhase';
import { niceStep, ticks as gridOf, xOf, type View } from '../../lib/timescale';
import type { Mark } from './plot';

/** What a lane's run looks like on the shared axis. */
export interface LaneTimes {
  phases: readonly RibbonPhase[];
  /** When each delta came, ascending. */
  ticks: readonly number[];
  /** The reply came in one piece. */
  single: boolean;
  failed: boolean;
  /** It goes on. */
  live: boolean;
  endMs: number;
}

export const AXIS = 20;

/** Where the axis ends that holds `endMs`: at the next of even steps. */
export function axisEnd(endMs: number): number {
  const step = niceStep(Math.max(endMs, 1) / 10);
  return Math.max(step, Math.ceil((endMs * 1.01) / step) * step);
}

/**
 * From the first byte, or where none has come from the end of connecting, to the first token: what a user waits on top. Null
 * where nothing was waited for.
 */
export function tokenWait({ phases, ticks, live, endMs }: LaneTimes): { from: number; to: number } | null {
  const from = phases.at(-1)?.endMs ?? 0;
  const to = ticks[0] ?? (live ? endMs : null);
  return to !== null && to > from ? { from, to } : null;
}

/** The lanes' bars and ticks between two moments. */
export function marks(lanes: readonly LaneTimes[], view: View, width: number, height: number): Mark[] {
  const x = (ms: number) => Math.max(-2, Math.min(width + 2, xOf(ms, view, width)));
  const found: Mark[] = [];
  for (const { ms, label } of gridOf(view, width, 64)) {
    const at = Math.min(x(ms), width - 0.5);
    found.push({
      is: 'line',
      points: [
        [at, AXIS],
        [at, height],
      ],
      ink: 'line1',
    });
    const align = at < 14 ? 'start' : at > width - 20 ? 'end' : 'middle';
    if (label) found.push({ is: 'text', x: at, y: AXIS / 2, text: label, ink: 'text3', align });
  }
  const tall = (height - AXIS) / Math.max(1, lanes.length);
  const bar = (from: number, to: number, y: number, h: number, alpha: number): void => {
    if (to < view.from || from > view.to) return;
    found.push({ is: 'rect', x: x(from), y, w: Math.max(1, x(to) - x(from)), h, ink: 'text3', alpha });
  };
  lanes.forEach((lane, i) => {
    const top = AXIS + tall * i;
    if (i)
      found.push({
        is: 'line',
        points: [
          [0, top],
          [width, top],
        ],
        ink: 'line1',
      });
    // Phases go down a stair; the waits lie lowest.
    const thick = Math.max(3, Math.min(5, tall / 9));
    const inner = tall * 0.64;
    const low = top + tall * 0.18 + inner - thick;
    lane.phases.forEach(({ name, startMs, endMs }, n) => {
      const waits = name === 'wait';
      const y = waits ? low : top + tall * 0.18 + Math.min(n * (thick + 2), inner - 2 * thick);
      bar(startMs, endMs, y, thick, waits ? 0.7 : 1);
    });
    const wait = tokenWait(lane);
    if (wait && wait.to >= view.from && wait.from <= view.to) {
      const y = low + thick / 2;
      found.push({
        is: 'line',
        points: [
          [x(wait.from), y],
          [x(wait.to), y],
        ],
        ink: 'text3',
        width: thick,
        dash: [2, 2],
      });
    }
    let last = -1;
    // Those on screen alone: a long reply has many.
    for (let n = countAt(lane.ticks, view.from - 1e-9); n < lane.ticks.length; n++) {
      const ms = lane.ticks[n]!;
      if (ms > view.to) break;
      const at = Math.round(x(ms) * 2) / 2;
      if (at === last) continue;
      last = at;
      found.push({
        is: 'rect',
        x: at,
        y: top + tall * 0.18,
        w: lane.single ? 3 : 1.2,
        h: inner,
        ink: 'text-delta',
      });
    }
    if (lane.failed && lane.endMs >= view.from && lane.endMs <= view.to) {
      const at = Math.min(width - 2, x(lane.endMs));
      found.push({ is: 'rect', x: at, y: top + tall * 0.1, w: 2, h: tall * 0.8, ink: 'error' });
    }
  });
  return found;
}

/** How many of the ticks had come at a moment. */
export function countAt(ticks: readonly number[], ms: number): number {
  let [low, high] = [0, ticks.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (ticks[mid]! <= ms) low = mid + 1;
    else high = mid;
  }
  return low;
}

const SHORT: Record<string, string> = { dns: 'DNS', tcp: 'TCP', tls: 'TLS', upgrade: 'Up', wait: 'wait' };

/** A duration of a phase: "0.4", "86". */
export const phaseMs = (ms: number): string => (ms < 10 ? ms.toFixed(1) : String(Math.round(ms)));

/** "TCP 41, TLS 45, wait 384, token +120", in ms. */
export function phaseLine(lane: LaneTimes): string {
  // What took no time to speak of, as resolving an address does, only takes room.
  const parts = lane.phases
    .filter(({ startMs, endMs }) => endMs - startMs >= 0.05)
    .map(({ name, startMs, endMs }) => `${SHORT[name] ?? name} ${phaseMs(endMs - startMs)}`);
  const wait = tokenWait(lane);
  if (wait && lane.ticks.length) parts.push(`token +${phaseMs(wait.to - wait.from)}`);
  return parts.join(', ');
}
