import type { Ribbon } from '../../gen/Ribbon';

/** A stretch in which nothing came. */
export interface Stall {
  fromMs: number;
  toMs: number;
}

/**
 * Gaps that can be seen on the ribbon: no row in any lane for `overMs` and `minBins` bins at least, between the first
 * byte and the last row.
 */
export function stalls(ribbon: Ribbon, overMs: number, minBins: number): Stall[] {
  const bins = ribbon.lanes[0]?.bins.length ?? 0;
  if (bins === 0) return [];
  const ms = (ribbon.toMs - ribbon.fromMs) / bins;
  // What is before the first byte is a phase, not a gap.
  const begun = Math.max(0, ...ribbon.phases.map(({ endMs }) => endMs));
  const found: Stall[] = [];
  let last = -1;
  for (let bin = 0; bin < bins; bin++) {
    if (!ribbon.lanes.some((lane) => lane.bins[bin]! > 0)) continue;
    const fromMs = ribbon.fromMs + (last + 1) * ms;
    const empty = bin - last - 1;
    if (last >= 0 && empty >= minBins && empty * ms >= overMs && fromMs >= begun) {
      found.push({ fromMs, toMs: ribbon.fromMs + bin * ms });
    }
    last = bin;
  }
  return found;
}
