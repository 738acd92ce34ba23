import { expect, it, test } from 'vitest';
import type { RateLimit } from '../../gen/RateLimit';
import { limitShort, limitText, tightest } from './limits';

const limit = (name: string, part: Partial<RateLimit> = {}): RateLimit => ({
  name,
  limit: null,
  remaining: null,
  resetMs: null,
  ...part,
});

test.each([
  [
    limit('requests', { limit: 60, remaining: 59, resetMs: 12_000 }),
    '59 of 60 requests left, full again in 12.0 s',
  ],
  [limit('input-tokens', { remaining: 7 }), '7 input tokens left'],
  [limit('tokens', { limit: 10 }), 'at most 10 tokens'],
  [limit('tokens'), 'tokens'],
  [limit('retry', { resetMs: 350 }), 'try again in 350 ms'],
])('%j', (one, text) => expect(limitText(one)).toBe(text));

it('finds the tightest, and a wait before all', () => {
  const requests = limit('requests', { limit: 60, remaining: 59 });
  const tokens = limit('tokens', { limit: 1000, remaining: 10 });
  const retry = limit('retry', { resetMs: 1 });
  expect(tightest([requests, tokens])).toBe(tokens);
  expect(tightest([requests, tokens, retry])).toBe(retry);
  expect(tightest([limit('x'), limit('y', { limit: 0, remaining: 0 })])).toBeNull();
  expect(limitShort(tokens)).toBe('10/1\u2009000 tokens');
});
