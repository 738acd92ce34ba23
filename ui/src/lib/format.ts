/** Figures as the window writes them: at most four digits, the unit apart so that it can be set small. */
export interface Figure {
  value: string;
  unit: string;
}

const THIN = '\u2009';

/** 237 → "237", 41200 → "41 200". */
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** A duration: below a second in ms, then in s, then in min. */
export function duration(ms: number): Figure {
  if (ms < 10) return { value: trim(ms, ms < 1 ? 2 : 1), unit: 'ms' };
  if (ms < 999.5) return { value: Math.round(ms).toString(), unit: 'ms' };
  if (ms < 99_995) return { value: (ms / 1000).toFixed(ms < 9_995 ? 2 : 1), unit: 's' };
  return { value: (ms / 60_000).toFixed(1), unit: 'min' };
}

/** Bytes in decimal units, as the wire counts them. */
export function size(bytes: number): Figure {
  if (bytes < 1000) return { value: bytes.toString(), unit: 'B' };
  let n = bytes;
  for (const unit of ['kB', 'MB', 'GB']) {
    n /= 1000;
    if (n < 999.5 || unit === 'GB') return { value: n < 99.95 ? n.toFixed(1) : n.toFixed(0), unit };
  }
  throw new Error('unreachable');
}

/** A share of 1 in percent: one decimal below 10. */
export function percent(share: number): Figure {
  const p = share * 100;
  return { value: p < 9.95 ? p.toFixed(1) : p.toFixed(0), unit: '%' };
}

/** Value and unit in one string. */
export function joined({ value, unit }: Figure): string {
  return unit ? `${value} ${unit}` : value;
}

/** Seconds since the dial began, as gutters write it: "2.07 s". */
export function seconds(ms: number, digits = 2): string {
  return `${(ms / 1000).toFixed(digits)} s`;
}

function trim(n: number, digits: number): string {
  return n.toFixed(digits).replace(/\.?0+$/, '') || '0';
}
