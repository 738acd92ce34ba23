/** The gap column: how long nothing came before this row. */

/** From here on a gap is amber. */
export const LONG_MS = 50;
/** Widest bar, px: reached at one second. */
export const BAR_PX = 36;

/** Width of a gap's bar in px; logarithmic, because stalls and token gaps lie decades apart. */
export function gapBar(ms: number): number {
  if (!(ms > 0)) return 0;
  return Math.max(1, Math.min(BAR_PX, Math.round(18 * Math.log10(1 + ms / 10))));
}

/** A gap in figures that fit the column. */
export function gapText(ms: number): string {
  if (ms < 999.95) return ms.toFixed(1);
  if (ms < 999_999.5) return ms.toFixed(0);
  return `${(ms / 1000).toFixed(0)}s`;
}
