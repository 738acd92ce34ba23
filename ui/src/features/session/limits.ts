import type { RateLimit } from '../../gen/RateLimit';
import { count, duration, joined } from '../../lib/format';

/** "59 of 60 requests left, full again in 12.0 s": a rate limit in words, as far as it was told. */
export function limitText({ name, limit, remaining, resetMs }: RateLimit): string {
  const when = resetMs === null ? '' : joined(duration(resetMs));
  if (name === 'retry') return `try again in ${when || 'a while'}`;
  const counted = name.replaceAll('-', ' ');
  const left =
    remaining === null
      ? limit === null
        ? counted
        : `at most ${count(limit)} ${counted}`
      : limit === null
        ? `${count(remaining)} ${counted} left`
        : `${count(remaining)} of ${count(limit)} ${counted} left`;
  return when ? `${left}, full again in ${when}` : left;
}

/** The limit of which the smallest share is left; a wait that was asked for goes before all. Null where none tells a share. */
export function tightest(limits: readonly RateLimit[]): RateLimit | null {
  const wait = limits.find(({ name }) => name === 'retry');
  if (wait) return wait;
  let found: RateLimit | null = null;
  let least = Infinity;
  for (const one of limits) {
    if (!one.limit || one.remaining === null) continue;
    const share = one.remaining / one.limit;
    if (share < least) [found, least] = [one, share];
  }
  return found;
}

/** The tightest limit in few letters: "59/60 requests". */
export function limitShort(limit: RateLimit): string {
  if (limit.name === 'retry') return limitText(limit);
  return `${count(limit.remaining ?? 0)}/${count(limit.limit ?? 0)} ${limit.name.replaceAll('-', ' ')}`;
}
