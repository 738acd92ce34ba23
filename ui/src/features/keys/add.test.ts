import { fireEvent, render } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import type { KeyInfo } from '../../gen/KeyInfo';
import type { KeysState } from '../../gen/KeysState';
import type { Provider } from '../../gen/Provider';
import { toasts } from '../../ui/toast.svelte';
import AddKey from './AddKey.svelte';
import { ring } from './ring.svelte';

const provider = (id: string, name: string) =>
  ({ id, name, dialects: [], auth: '', key: 'required', models: [], notes: [] }) as unknown as Provider;
const state = (keys: { provider: string }[]) =>
  ({ keys: keys as KeyInfo[], tests: {} }) as unknown as KeysState;

test('it names the provider whose key was kept, not the next one that has none', async () => {
  ring.providers = [provider('openai', 'OpenAI'), provider('anthropic', 'Anthropic')];
  ring.state = state([]);
  vi.spyOn(ring, 'set').mockImplementation((id) => {
    ring.state = state([{ provider: id }]);
    return Promise.resolve();
  });
  const onclose = vi.fn();
  const store = { state: 'available', name: 'Secret Service' } as never;
  const { getByTestId, container } = render(AddKey, { store, onclose });
  await fireEvent.input(getByTestId('key-value'), { target: { value: 'sk-1234567890' } });
  await fireEvent.submit(container.querySelector('form')!);
  await vi.waitFor(() => expect(onclose).toHaveBeenCalled());
  expect(ring.set).toHaveBeenCalledWith('openai', 'sk-1234567890', 'keychain');
  expect(toasts.items.at(-1)?.text).toBe('The key for OpenAI is kept in the OS keychain');
});
