/** A time in seconds: "2.35 s", "16 667 s". */
export function inSeconds(ms: number): string {
  const s = ms / 1000;
  return `${s < 99.995 ? s.toFixed(2) : s < 999.95 ? s.toFixed(1) : Math.round(s)} s`;
}
