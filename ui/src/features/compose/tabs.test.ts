import { beforeEach, expect, it } from 'vitest';
import type { Update } from '../../gen/Update';
import { IpcError, useBackend } from '../../lib/ipc';
import { newDraft } from './draft';
import { requestTabs } from './tabs.svelte';
import { withMessages } from './turns';

const calls: [string, Record<string, unknown>][] = [];
let tell: (update: Update) => void = () => {};

beforeEach(() => {
  calls.length = 0;
  useBackend({
    call: async (name, args) => {
      calls.push([name, args]);
      if (name === 'send') {
        const { draft } = args as { draft: unknown };
        return { id: 's1', title: '', draft, url: '', startedAtMs: 0, live: true } as never;
      }
      if (name === 'say') throw new IpcError('closed', 'The connection is closed.');
      return null as never;
    },
    bytes: async () => new Uint8Array(),
    audio: async () => new Uint8Array(),
    attach: async () => '',
    attached: async () => new Uint8Array(),
    importSession: async () => Promise.reject(new Error('none')),
    watch: (_, onUpdate) => ((tell = onUpdate), () => {}),
    watchComparison: () => () => {},
    watchDrill: () => () => {},
    watchMemoryDrill: () => () => {},
  });
});

function conversation() {
  const draft = newDraft('m', 'one');
  const tab = requestTabs.add(
    withMessages(draft, [
      { role: 'user', text: 'one' },
      { role: 'assistant', text: 'two' },
      { role: 'user', text: 'three' },
    ]),
  );
  return tab;
}
const texts = (tab: ReturnType<typeof conversation>) => tab.draft.ask.messages.map(({ text }) => text);
const at = (state: Update['state']) => ({ state, blocks: [], finish: null }) as unknown as Update;

it('sends from a turn, keeps what stood below aside, and puts it back once', async () => {
  const tab = conversation();
  await requestTabs.sendFrom(tab, 0);
  expect(texts(tab)).toEqual(['one']);
  expect(tab.asked).toBe(1);
  expect(tab.aside?.below).toBe(2);
  expect(calls.find(([name]) => name === 'send')?.[1]).toMatchObject({
    draft: { ask: { messages: [{ text: 'one' }] } },
  });
  requestTabs.putBack(tab);
  expect(texts(tab)).toEqual(['one', 'two', 'three']);
  expect(tab.aside).toBeNull();
  requestTabs.putBack(tab);
  expect(texts(tab)).toEqual(['one', 'two', 'three']);
});

it('sends nothing while a turn is under way', async () => {
  const tab = conversation();
  await requestTabs.send(tab);
  tell(at('streaming'));
  await requestTabs.sendFrom(tab, 0);
  await requestTabs.send(tab);
  expect(calls.filter(([name]) => name === 'send')).toHaveLength(1);
  expect(texts(tab)).toHaveLength(3);
});

it('speaks on the open connection, and says why it cannot', async () => {
  const tab = conversation();
  await requestTabs.send(tab);
  tell(at('open'));
  await requestTabs.send(tab);
  expect(calls.filter(([name]) => name === 'send')).toHaveLength(1);
  expect(calls.find(([name]) => name === 'say')?.[1]).toMatchObject({ session: 's1', ask: { model: 'm' } });
  expect(tab.refused?.message).toBe('The connection is closed.');
});

it('begins a new request with the model of the one before only where both go to the Lab', () => {
  requestTabs.add(newDraft('lab/tools'));
  expect(requestTabs.add().draft.ask.model).toBe('lab/tools');
  const elsewhere = requestTabs.add({ ...newDraft('smollm2'), baseUrl: 'http://127.0.0.1:18080/v1' });
  expect(requestTabs.add().draft.ask.model).not.toBe('smollm2');
  requestTabs.activate(elsewhere);
  requestTabs.add(newDraft('lab/tools'));
  for (const tab of [...requestTabs.list]) requestTabs.close(tab);
  expect(requestTabs.list).toHaveLength(1);
  expect(requestTabs.active.draft.ask.model).toBe('lab/tools');
});
