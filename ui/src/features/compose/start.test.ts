import { render } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { useBackend } from '../../lib/ipc';
import { FIRST_PROMPT, newDraft } from './draft';
import NothingSent from './NothingSent.svelte';
import { requestTabs, RequestTab } from './tabs.svelte';

/** A backend whose answer to one command is given by the test. */
function pending(name: string): (answer: unknown) => Promise<void> {
  let give: (answer: unknown) => void = () => {};
  const asked = new Promise((done) => (give = done));
  useBackend({ call: async (command: string) => (command === name ? asked : null) } as never);
  return async (answer) => {
    give(answer);
    await new Promise((done) => setTimeout(done));
  };
}

it('is ready once the requests of the last run are asked for', async () => {
  const answer = pending('remembered');
  const restored = requestTabs.restore('lab/steady');
  expect(requestTabs.ready).toBe(false);
  await answer(null);
  await restored;
  expect(requestTabs.ready).toBe(true);
  expect(requestTabs.active.draft.ask.messages[0]!.text).toBe(FIRST_PROMPT);
});

it('keeps the way to the tour where it is when the keys are known', async () => {
  const answer = pending('keys');
  const none = () => {};
  const tab = new RequestTab(7, newDraft('lab/steady'));
  const props = { tab, preview: null, onsend: none, onlab: none, onkeys: none, ontour: none };
  const { getByTestId, getByRole } = render(NothingSent, props);
  const tour = getByTestId('take-tour');
  getByRole('heading', { name: 'Nothing sent yet' });
  await answer({ keys: [] });
  getByRole('heading', { name: 'No key yet' });
  expect(getByTestId('take-tour')).toBe(tour);
});
