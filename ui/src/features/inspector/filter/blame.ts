import { terms, without, type Term } from '../../../lib/filter';

/**
 * The one term to drop where nothing matches: the one without which most rows would. Null where no single term is to
 * blame. `count` asks how many rows match a filter.
 */
export async function termToDrop(
  filter: string,
  count: (filter: string) => Promise<number>,
): Promise<{ term: Term; matching: number } | null> {
  let best: { term: Term; matching: number } | null = null;
  for (const term of terms(filter)) {
    const matching = await count(without(filter, term));
    if (matching > (best?.matching ?? 0)) best = { term, matching };
  }
  return best;
}
