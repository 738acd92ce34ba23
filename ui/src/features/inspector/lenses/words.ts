import type { LensFormat } from '../../../gen/LensFormat';
import type { LensReading } from '../../../gen/LensReading';
import type { LensView } from '../../../gen/LensView';

/** What a client hands on. */
export const UNITS: Record<LensFormat, string> = { sse: 'event', ndjson: 'line' };

/** What a lens came to, in a few words. `done` says that nothing more is read. */
export function verdictOf(lens: LensView, done: boolean, format: LensFormat): string {
  const one = UNITS[format];
  if (lens.verdict === 'differs') return `differs at ${one} ${(lens.difference?.event ?? 0) + 1}`;
  if (lens.verdict === 'unsettled') return `open from ${one} ${lens.same + 1} on`;
  return done ? 'same' : 'same so far';
}

/** Characters that cannot be seen, made visible. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\uFEFF]/gu, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}

/** Characters at the end that two readings have alike; none where one of them is not shown to its end. */
export function ending(one: LensReading, other: LensReading): number {
  if (!one.ends || !other.ends) return 0;
  const most = Math.min(one.from.length, other.from.length);
  let alike = 0;
  while (alike < most && one.from.at(-1 - alike) === other.from.at(-1 - alike)) alike++;
  // Never between the two halves of a character.
  return alike > 0 && /[\udc00-\udfff]/.test(one.from.at(-alike)!) ? alike - 1 : alike;
}
