import type { OutcomeKind } from '../../gen/OutcomeKind';
import type { SessionsQuery } from '../../gen/SessionsQuery';
import type { Transport } from '../../gen/Transport';

export type Since = 'hour' | 'today' | 'week' | 'month';

/** What the list is narrowed to; "" is no limit. */
export interface Filters {
  text: string;
  provider: string;
  transport: Transport | '';
  outcome: OutcomeKind | 'recording' | '';
  tag: string;
  since: Since | '';
}

export const NO_FILTERS: Filters = {
  text: '',
  provider: '',
  transport: '',
  outcome: '',
  tag: '',
  since: '',
};

export const TRANSPORTS: readonly { value: Transport; label: string }[] = [
  { value: 'sse', label: 'SSE' },
  { value: 'http', label: 'HTTP' },
  { value: 'websocket', label: 'WebSocket' },
  { value: 'ndjson', label: 'NDJSON' },
  { value: 'eventstream', label: 'Event stream' },
];

export const OUTCOMES: readonly { value: Exclude<Filters['outcome'], ''>; label: string }[] = [
  { value: 'complete', label: 'complete' },
  { value: 'cut', label: 'cut' },
  { value: 'cancelled', label: 'stopped' },
  { value: 'failed', label: 'failed' },
  { value: 'recording', label: 'recording' },
];

export const SINCE: readonly { value: Since; label: string }[] = [
  { value: 'hour', label: 'last hour' },
  { value: 'today', label: 'today' },
  { value: 'week', label: 'last 7 days' },
  { value: 'month', label: 'last 30 days' },
];

const HOUR = 3_600_000;

/** The moment a period begins, Unix ms; 0 for all time. `now` is Unix ms, days are the machine's own. */
export function sinceMs(since: Since | '', now: number): number {
  switch (since) {
    case 'hour':
      return now - HOUR;
    case 'today':
      return new Date(now).setHours(0, 0, 0, 0);
    case 'week':
      return now - 7 * 24 * HOUR;
    case 'month':
      return now - 30 * 24 * HOUR;
    case '':
      return 0;
  }
}

/** The query for a stretch of the list. `now` is when the filters were set, so that pages fit each other. */
export function queryOf(filters: Filters, now: number, offset: number, limit: number): SessionsQuery {
  const { text, provider, transport, outcome, tag, since } = filters;
  return {
    text: text.trim(),
    provider,
    transport,
    outcome,
    tag,
    sinceMs: sinceMs(since, now),
    offset,
    limit,
  };
}

/** The filters in force as chips, each with the way to take it away. The search text stands in its own field. */
export function chipsOf(
  filters: Filters,
  providerName: (id: string) => string,
): { key: keyof Filters; text: string; without: Filters }[] {
  const label = (list: readonly { value: string; label: string }[], value: string) =>
    list.find((one) => one.value === value)?.label ?? value;
  const chips: { key: keyof Filters; text: string }[] = [];
  if (filters.provider) chips.push({ key: 'provider', text: `provider: ${providerName(filters.provider)}` });
  if (filters.transport)
    chips.push({ key: 'transport', text: `transport: ${label(TRANSPORTS, filters.transport)}` });
  if (filters.outcome) chips.push({ key: 'outcome', text: `outcome: ${label(OUTCOMES, filters.outcome)}` });
  if (filters.tag) chips.push({ key: 'tag', text: `tag: ${filters.tag}` });
  if (filters.since) chips.push({ key: 'since', text: `started: ${label(SINCE, filters.since)}` });
  return chips.map((chip) => ({ ...chip, without: { ...filters, [chip.key]: '' } }));
}

/** Whether anything narrows the list. */
export function isNarrowed(filters: Filters): boolean {
  return Object.values(filters).some((value) => value.trim() !== '');
}
