/** Whole numbers with a unit, as fields show and take them. */

const BYTES: readonly [string, number][] = [
  ['GiB', 1 << 30],
  ['MiB', 1 << 20],
  ['KiB', 1 << 10],
];
/** Units that are said before the number. */
const BEFORE = new Set(['every', 'event']);

/** "350 ms", "every 7", "16 MiB" for 16777216 of unit "B". */
export function withUnit(value: number, unit: string): string {
  if (unit === 'B') {
    const [name, factor] = BYTES.find(([, f]) => value >= f && value % f === 0) ?? ['B', 1];
    return `${value / factor} ${name}`;
  }
  if (BEFORE.has(unit)) return `${unit} ${value}`;
  return unit ? `${value} ${unit}` : `${value}`;
}

/** The number that was typed, with or without its unit; null where there is none. */
export function parseNumber(text: string, unit: string): number | null {
  const found = /^\D*?(\d+(?:[.,]\d+)?)\s*([a-z]*)/i.exec(text.trim());
  if (!found) return null;
  const value = Number(found[1]!.replace(',', '.'));
  if (unit !== 'B') return Math.round(value);
  const factor = { k: 1 << 10, m: 1 << 20, g: 1 << 30 }[found[2]!.charAt(0).toLowerCase()] ?? 1;
  return Math.round(value * factor);
}
