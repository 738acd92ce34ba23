import type { RibbonPhase } from '../../gen/RibbonPhase';
import type { Mark } from './plot';

/** What a lane's run looks like on the shared axis. */
export interface LaneTimes {
  phases: readonly RibbonPhase[];
  /** When each delta came, ascending. */
  ticks: readonly number[];
  /** The reply came in one piece. */
  single: boolean;
  failed: boolean;
  endMs: number;
}

export const AXIS = 20;

/** The axis in steps of 1, 2, 2.5, 5 × 10ⁿ ms that are at least `apart` px wide. */
export function axis(endMs: number, width: number, apart = 110): { end: number; step: number } {
  const rough = (Math.max(endMs, 1) / Math.max(1, width)) * apart;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = scale * ([1, 2, 2.5, 5, 10].find((one) => one * scale >= rough * 0.999) ?? 10);
  return { end: Math.max(step, Math.ceil((endMs * 1.01) / step) * step), step };
}

export function marks(
  lanes: readonly LaneTimes[],
  end: number,
  step: number,
  width: number,
  height: number,
): Mark[] {
  const x = (ms: number) => (ms / end) * width;
  const found: Mark[] = [];
  const digits = step >= 1000 ? 0 : step >= 100 ? 2 : 3;
  for (let ms = 0; ms <= end * 1.0001; ms += step) {
    const at = Math.min(x(ms), width - 0.5);
    found.push({
      is: 'line',
      points: [
        [at, AXIS],
        [at, height],
      ],
      ink: 'line1',
    });
    const align = ms === 0 ? 'start' : at > width - 20 ? 'end' : 'middle';
    found.push({
      is: 'text',
      x: at,
      y: AXIS / 2,
      text: `${(ms / 1000).toFixed(digits)} s`,
      ink: 'text3',
      align,
    });
  }
  const tall = (height - AXIS) / Math.max(1, lanes.length);
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
    // Phases go down a stair; the wait lies lowest.
    const bar = Math.max(3, Math.min(5, tall / 9));
    const inner = tall * 0.64;
    lane.phases.forEach((phase, n) => {
      const waits = phase.name === 'wait';
      const y = top + tall * 0.18 + (waits ? inner - bar : Math.min(n * (bar + 2), inner - 2 * bar));
      const from = x(phase.startMs);
      const w = Math.max(1, x(Math.min(phase.endMs, end)) - from);
      found.push({ is: 'rect', x: from, y, w, h: bar, ink: 'text3', alpha: waits ? 0.4 : 1 });
    });
    let last = -1;
    for (const ms of lane.ticks) {
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
    if (lane.failed) {
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

/** "TCP 41, TLS 45, wait 384", in ms. */
export function phaseLine(phases: readonly RibbonPhase[]): string {
  return phases
    .map(({ name, startMs, endMs }) => {
      const ms = endMs - startMs;
      return `${SHORT[name] ?? name} ${ms < 10 ? ms.toFixed(1) : Math.round(ms)}`;
    })
    .join(', ');
}
