import { clauses, terms, without } from '../../../lib/filter';

type Clause = ReturnType<typeof clauses>[number];

/**
 * The one term, or group of terms, to drop where nothing matches: the one without which most rows would. Null where no single term is to
 * blame. `count` asks how many rows match a filter.
 */
export async function termToDrop(
  filter: string,
  count: (filter: string) => Promise<number>,
): Promise<{ term: Clause; matching: number } | null> {
  let best: { term: Clause; matching: number } | null = null;
  const all = clauses(filter);
  // Of alternatives none can be dropped by itself.
  if (all.length === 1 && terms(filter).length > 1) return null;
  for (const term of all) {
    const matching = await count(without(filter, term));
    if (matching > (best?.matching ?? 0)) best = { term, matching };
  }
  return best;
}
