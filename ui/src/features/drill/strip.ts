import type { DrillMoment } from '../../gen/DrillMoment';
import type { DrillTick } from '../../gen/DrillTick';

/** The axis in steps of 1, 2, 2.5, 5 × 10ⁿ ms that are at least `apart` px wide. */
export function axis(endMs: number, width: number, apart = 90): { end: number; step: number } {
  const rough = (Math.max(endMs, 1) / Math.max(1, width)) * apart;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = scale * ([1, 2, 2.5, 5, 10].find((one) => one * scale >= rough * 0.999) ?? 10);
  return { end: Math.max(step, Math.ceil((endMs * 1.01) / step) * step), step };
}

/** A time without news: from the last byte before a break to the first new word after it, or to the end. */
export interface Outage {
  fromMs: number;
  /** When the break was known; null while it is not. */
  noticedMs: number | null;
  toMs: number;
  recovered: boolean;
}

/** The outages among a lane's moments; one that nothing ended lasts to `endMs`. */
export function outages(moments: readonly DrillMoment[], endMs: number): Outage[] {
  const found: Outage[] = [];
  let open: Outage | null = null;
  for (const { kind, t_ms } of moments) {
    if (kind === 'fault') open = { fromMs: t_ms, noticedMs: null, toMs: endMs, recovered: false };
    else if (!open) continue;
    else if (kind === 'noticed') open.noticedMs ??= t_ms;
    else if (kind === 'recovered' || kind === 'ended') {
      found.push({ ...open, toMs: t_ms, recovered: kind === 'recovered' });
      open = null;
    }
  }
  return open ? [...found, open] : found;
}

/** Ticks as columns of pixels: several words in one column are one. A column of words that came again says so. */
export function columns(
  ticks: readonly DrillTick[],
  endMs: number,
  width: number,
): { x: number; again: boolean }[] {
  const found: { x: number; again: boolean }[] = [];
  for (const { t_ms, again } of ticks) {
    const x = Math.round((t_ms / endMs) * width * 2) / 2;
    const last = found.at(-1);
    if (last && last.x === x) last.again &&= again;
    else found.push({ x, again });
  }
  return found;
}

/** What a lane went through, in a sentence for those who cannot see its strip. */
export function sentence(moments: readonly DrillMoment[]): string {
  return moments.map(({ kind, t_ms, words }) => `${(t_ms / 1000).toFixed(2)} s ${kind}: ${words}`).join('; ');
}
