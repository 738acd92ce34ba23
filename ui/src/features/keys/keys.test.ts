import { expect, test } from 'vitest';
import type { KeyInfo } from '../../gen/KeyInfo';
import type { Provider } from '../../gen/Provider';
import type { TestResult } from '../../gen/TestResult';
import { ago, rowsOf, testSign, usedAt } from './show';

const provider = (id: string, name: string, key: string): Provider => ({
  id,
  name,
  dialects: [],
  auth: '',
  key,
  models: [],
  modelsPath: '',
  docs: '',
  notes: [],
  own: false,
});
const passed = (at: number): TestResult => ({
  verdict: 'passed',
  status: 200,
  tookMs: 312,
  detail: '84 models',
  at,
});
const key = (id: string, addedAt: number, tested: TestResult | null = null): KeyInfo => ({
  provider: id,
  kind: 'api-key',
  keptIn: 'keychain',
  endsIn: 'w3Kd',
  addedAt,
  tested,
  usedAt: null,
});
const providers = [
  provider('openai', 'OpenAI', 'required'),
  provider('lab', 'Weir Lab', 'none'),
  provider('llamacpp', 'llama.cpp', 'optional'),
];

test('keys come first, then providers that need none; a provider that needs one and has none is not listed', () => {
  const rows = rowsOf([key('own', 1)], providers, {});
  expect(rows.map(({ name, key: held }) => [name, held !== null])).toEqual([
    ['own', true],
    ['llama.cpp', false],
    ['Weir Lab', false],
  ]);
});

test('a test from before the key was set says nothing about it', () => {
  expect(rowsOf([key('openai', 100)], providers, { openai: passed(50) })[0]!.test).toBeNull();
  expect(rowsOf([key('openai', 100, passed(120))], providers, { openai: passed(150) })[0]!.test?.at).toBe(
    150,
  );
});

test('results in a few words', () => {
  expect(testSign(passed(1)).text).toBe('200 in 312 ms, 84 models');
  expect(testSign({ ...passed(1), verdict: 'failed', status: 403, detail: 'API not enabled' })).toEqual({
    text: '403, API not enabled',
    tone: 'err',
    sign: 'cross',
  });
  expect(testSign({ ...passed(1), verdict: 'failed', status: null, detail: 'could not connect' }).text).toBe(
    'could not connect',
  );
  expect(testSign(null).text).toBe('not tested');
});

test('times as people say them', () => {
  const noon = new Date(2026, 10, 24, 12, 0, 0).getTime();
  expect(ago(noon - 5_000, noon)).toBe('now');
  expect(ago(noon - 120_000, noon)).toBe('2 min ago');
  expect(ago(noon - 2 * 3_600_000, noon)).toBe('today 10:00');
  expect(ago(noon - 20 * 3_600_000, noon)).toBe('yesterday');
  expect(usedAt(noon, noon)).toBe('12:00:00');
  expect(usedAt(noon - 86_400_000, noon)).toBe('23 Nov 12:00');
});
