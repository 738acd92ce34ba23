import { expect, test } from 'vitest';
import type { LensView } from '../../../gen/LensView';
import { ending, verdictOf, visible } from './words';

const lens = (part: Partial<LensView>): LensView => ({
  name: 'splitlines',
  clients: '',
  about: '',
  rule: '',
  same: 4,
  verdict: 'same',
  difference: null,
  ...part,
});

test('a verdict says whether more may come, and events are counted from one', () => {
  expect(verdictOf(lens({}), true, 'sse')).toBe('same');
  expect(verdictOf(lens({}), false, 'sse')).toBe('same so far');
  expect(verdictOf(lens({ verdict: 'unsettled' }), true, 'sse')).toBe('open from event 5 on');
  const difference = {
    kind: 'data',
    event: 4,
    message: '',
    standard: null,
    client: null,
    row: 7,
    spans: [],
    border: null,
  } satisfies LensView['difference'];
  expect(verdictOf(lens({ verdict: 'differs', difference }), false, 'sse')).toBe('differs at event 5');
  expect(verdictOf(lens({ verdict: 'differs', difference }), true, 'ndjson')).toBe('differs at line 5');
});

test('what cannot be seen is named', () => {
  expect(visible('a\u2028b\n\u0085\uFEFFé�')).toBe('a<U+2028>b␊<U+0085><U+FEFF>é�');
});

test('what both readings end in is no difference', () => {
  const reading = (from: string, ends = true) => ({
    event: 'message',
    id: '',
    before: '',
    begins: true,
    from,
    ends,
  });
  expect(ending(reading('你b"}'), reading('���b"}'))).toBe(3);
  expect(ending(reading('a'), reading('a'))).toBe(1);
  expect(ending(reading('b"}', false), reading('b"}'))).toBe(0);
  expect(ending(reading('🎉x'), reading('🏉x'))).toBe(1);
});
