import { expect, test } from 'vitest';
import { chipsOf, isNarrowed, NO_FILTERS, queryOf, sinceMs, type Filters } from './query';
import { retagged, stretch, toggled, withAll } from './selection';
import { inSeconds, outcomeSign, startedAt, tally } from './show';

const noon = new Date(2026, 10, 24, 12, 0, 0).getTime();
const HOUR = 3_600_000;

test('periods begin where they say', () => {
  expect(sinceMs('', noon)).toBe(0);
  expect(sinceMs('hour', noon)).toBe(noon - HOUR);
  expect(sinceMs('today', noon)).toBe(noon - 12 * HOUR);
  expect(sinceMs('week', noon)).toBe(noon - 168 * HOUR);
});

test('a query carries the filters and its stretch of the list', () => {
  const filters: Filters = { ...NO_FILTERS, text: ' utf8 ', provider: 'lab', outcome: 'cut', since: 'hour' };
  expect(queryOf(filters, noon, 40, 20)).toEqual({
    text: 'utf8',
    provider: 'lab',
    transport: '',
    outcome: 'cut',
    tag: '',
    sinceMs: noon - HOUR,
    offset: 40,
    limit: 20,
  });
});

test('each chip takes away its own filter', () => {
  const filters: Filters = { ...NO_FILTERS, text: 'x', outcome: 'cancelled', since: 'week' };
  const chips = chipsOf(filters, (id) => id);
  expect(chips.map(({ text }) => text)).toEqual(['outcome: stopped', 'started: last 7 days']);
  expect(chips[0]!.without).toEqual({ ...filters, outcome: '' });
  expect(isNarrowed(filters)).toBe(true);
  expect(isNarrowed({ ...NO_FILTERS, text: '  ' })).toBe(false);
});

test('checking is undone by checking again, and ranges add', () => {
  const a = { id: 'a', tags: ['x'] };
  const b = { id: 'b', tags: [] };
  const one = toggled(new Map(), a);
  expect([...one]).toEqual([['a', ['x']]]);
  expect([...toggled(one, a)]).toEqual([]);
  expect([...withAll(one, [a, b]).keys()]).toEqual(['a', 'b']);
  expect(stretch(7, 3)).toEqual({ offset: 3, limit: 5 });
  expect(stretch(3, 3)).toEqual({ offset: 3, limit: 1 });
});

test('a tag stands once', () => {
  expect(retagged(['b', 'a'], ' a ', true)).toEqual(['a', 'b']);
  expect(retagged(['b', 'a'], 'b', false)).toEqual(['a']);
  expect(retagged(['a'], '  ', true)).toEqual(['a']);
});

test('outcomes in a word', () => {
  const session = { outcome: 'failed', problem: 'tls-error', status: null };
  expect(outcomeSign(session)).toMatchObject({ text: 'tls error', tone: 'err' });
  expect(outcomeSign({ ...session, status: 429 })).toMatchObject({ text: '429', tone: 'warn' });
  expect(outcomeSign({ ...session, status: 401 })).toMatchObject({ text: 'HTTP 401', tone: 'err' });
  expect(outcomeSign({ ...session, outcome: 'cancelled' })).toMatchObject({ text: 'stopped', tone: 'plain' });
});

test('a start reads as people say it', () => {
  expect(startedAt(noon - HOUR, noon)).toBe('Today 11:00');
  expect(startedAt(noon - 24 * HOUR, noon)).toBe('Mon 12:00');
  expect(startedAt(noon - 14 * 24 * HOUR, noon)).toBe('10 Nov 12:00');
  expect(startedAt(noon - 400 * 24 * HOUR, noon)).toBe('20 Oct 2025');
  expect(inSeconds(70)).toBe('0.07 s');
  expect(inSeconds(301_600)).toBe('301.6 s');
  expect(tally(1, null)).toBe('1 session');
  expect(tally(25, 1_500_000)).toBe('25 sessions, 1.5 MB');
});
