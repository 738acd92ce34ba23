import { expect, it, test } from 'vitest';
import { copyOf, faultOf, idFrom, newProvider } from './provider';

const good = {
  ...newProvider(),
  id: 'mine',
  name: 'Mine',
  dialects: [['openai-chat', 'http://h:1/v1']] as [string, string][],
};

test.each([
  [{}, null],
  [{ name: ' ' }, 'It needs a name.'],
  [{ id: 'Mine' }, 'An id has lower-case letters, digits and hyphens.'],
  [{ id: 'openai' }, 'Another provider has the id openai.'],
  [{ dialects: [] }, 'It speaks no dialect.'],
  [{ dialects: [['openai-chat', 'h/v1']] as [string, string][] }, '“h/v1” is no http, https, ws or wss URL.'],
  [{ auth: 'x-key: abc' }, 'The line for the key holds {key}, where the key is to stand.'],
  [{ auth: '', key: 'none' }, null],
])('a provider with %j', (part, fault) => expect(faultOf({ ...good, ...part }, ['openai'])).toBe(fault));

it('makes an id of a name', () => {
  expect(idFrom('  Büro GPU #2 ')).toBe('buro-gpu-2');
  expect(idFrom('日本')).toBe('');
});

it('copies under an id of its own', () => {
  expect(copyOf({ ...good, own: false }, ['mine', 'mine-2'])).toMatchObject({ id: 'mine-3', own: true });
});
