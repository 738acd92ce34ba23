/** Height of a character of text that was never drawn, in px: a line of a reply is 20 px high and holds about 65. */
const PX_PER_CHARACTER = 0.3;

/** About how high `[start, end)` of a text will be, in px. */
export function estimate(start: number, end: number): number {
  return (end - start) * PX_PER_CHARACTER;
}
