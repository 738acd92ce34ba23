import type { KeyInfo } from '../../gen/KeyInfo';
import type { Provider } from '../../gen/Provider';
import type { TestResult } from '../../gen/TestResult';

export interface KeyRow {
  provider: string;
  name: string;
  /** Null for a provider that works without one. */
  key: KeyInfo | null;
  test: TestResult | null;
}

/** A row for each key, and one for each provider that needs none; those with keys first, by name. */
export function rowsOf(
  keys: readonly KeyInfo[],
  providers: readonly Provider[],
  tests: Readonly<Record<string, TestResult | undefined>>,
): KeyRow[] {
  const nameOf = (id: string) => providers.find((provider) => provider.id === id)?.name ?? id;
  const held = keys.map((key) => ({
    provider: key.provider,
    name: nameOf(key.provider),
    key,
    test: newest(key.tested, tests[key.provider] ?? null, key.addedAt),
  }));
  const keyless = providers
    .filter(({ id, key }) => key !== 'required' && !keys.some(({ provider }) => provider === id))
    .map(({ id, name }) => ({ provider: id, name, key: null, test: tests[id] ?? null }));
  const byName = (a: KeyRow, b: KeyRow) => a.name.localeCompare(b.name);
  return [...held.sort(byName), ...keyless.sort(byName)];
}

/** The newer of two results; one from before the key was set is about another key. */
function newest(a: TestResult | null, b: TestResult | null, since: number): TestResult | null {
  const results = [a, b].filter((result) => result !== null && result.at >= since) as TestResult[];
  return results.sort((x, y) => y.at - x.at)[0] ?? null;
}

export interface TestSign {
  text: string;
  tone: 'ok' | 'warn' | 'err' | 'plain';
  sign: 'check' | 'alert' | 'cross' | 'clock';
}

/** How a test went, in a few words: "200 in 312 ms, 84 models". */
export function testSign(test: TestResult | null): TestSign {
  if (!test) return { text: 'not tested', tone: 'plain', sign: 'clock' };
  const status = test.status === null ? '' : String(test.status);
  const took = test.tookMs === null ? '' : `in ${test.tookMs} ms`;
  const head = test.verdict === 'passed' ? [status, took].filter(Boolean).join(' ') : status;
  const text = [head, test.detail].filter(Boolean).join(', ') || test.verdict;
  switch (test.verdict) {
    case 'passed':
      return { text, tone: 'ok', sign: 'check' };
    case 'unclear':
      return { text, tone: 'warn', sign: 'alert' };
    case 'failed':
      return { text, tone: 'err', sign: 'cross' };
  }
}

const MINUTE = 60_000;
const DAY = 86_400_000;

/** "now", "2 min ago", "today 23:48", "yesterday", "20 Nov". Both Unix ms. */
export function ago(at: number, now: number): string {
  const past = now - at;
  if (past < MINUTE) return 'now';
  if (past < 60 * MINUTE) return `${Math.floor(past / MINUTE)} min ago`;
  const date = new Date(at);
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY);
  if (days === 0) return `today ${clock(at).slice(0, 5)}`;
  if (days === 1) return 'yesterday';
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}

/** "23:49:02" of the machine's own time. */
export function clock(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((n) => String(n).padStart(2, '0'))
    .join(':');
}

/** When a key was read: the time today, the day and time before. */
export function usedAt(at: number, now: number): string {
  const today = new Date(now).setHours(0, 0, 0, 0);
  if (at >= today) return clock(at);
  return `${new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${clock(at).slice(0, 5)}`;
}
