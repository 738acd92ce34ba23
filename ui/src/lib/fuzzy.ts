/** How well `query` fits `text` as a subsequence; null where it does not. Higher is better. */
export function score(query: string, text: string): number | null {
  const q = query.toLowerCase().replace(/\s+/g, '');
  const t = text.toLowerCase();
  let at = 0;
  let total = 0;
  let last = -2;
  for (const c of q) {
    const found = t.indexOf(c, at);
    if (found < 0) return null;
    const wordStart = found === 0 || !/[\p{L}\p{N}]/u.test(t[found - 1]!);
    total += found === last + 1 ? 5 : wordStart ? 4 : 1;
    last = found;
    at = found + 1;
  }
  const whole = t.indexOf(query.toLowerCase().trim());
  if (whole >= 0) total += 10 + (whole === 0 ? 5 : 0);
  return total - t.length / 100;
}

/** The items that fit, best first; all of them in their order for an empty query. */
export function rank<T>(query: string, items: readonly T[], text: (item: T) => string): T[] {
  if (!query.trim()) return [...items];
  return items
    .map((item) => ({ item, score: score(query, text(item)) }))
    .filter((hit): hit is { item: T; score: number } => hit.score !== null)
    .sort((a, b) => b.score - a.score)
    .map((hit) => hit.item);
}
