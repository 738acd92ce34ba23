import type { KeptIn } from '../../gen/KeptIn';
import type { KeysState } from '../../gen/KeysState';
import type { Provider } from '../../gen/Provider';
import { call, IpcError } from '../../lib/ipc';
import { toast } from '../../ui/toast.svelte';
import { rowsOf } from './show';

/** The keys as the page may know them: never a secret, only that it exists and how it ends. */
class KeyRing {
  state = $state.raw<KeysState | null>(null);
  providers = $state.raw<readonly Provider[]>([]);
  problem = $state.raw<IpcError | null>(null);
  /** Providers being tested now. */
  testing = $state.raw<ReadonlySet<string>>(new Set());

  readonly rows = $derived(rowsOf(this.state?.keys ?? [], this.providers, this.state?.tests ?? {}));
  /** Keys of this run only. */
  readonly inMemory = $derived((this.state?.keys ?? []).filter(({ keptIn }) => keptIn === 'memory').length);

  async load(): Promise<void> {
    try {
      // Asked each time: the user may have added one.
      this.providers = await call('providers', {});
      this.state = await call('keys', {});
      this.problem = null;
    } catch (thrown) {
      this.problem = IpcError.from(thrown);
    }
  }

  name(provider: string): string {
    return this.providers.find(({ id }) => id === provider)?.name ?? provider;
  }

  /** Hands a secret over; throws `IpcError`. The secret is not kept here. */
  async set(provider: string, value: string, keep: KeptIn): Promise<void> {
    await call('set_key', { provider, value, keep });
    await this.load();
  }

  async remove(provider: string): Promise<void> {
    await this.#told(() => call('delete_key', { provider }));
  }

  async test(provider: string): Promise<void> {
    if (this.testing.has(provider)) return;
    this.testing = new Set([...this.testing, provider]);
    await this.#told(() => call('test_key', { provider }));
    this.testing = new Set([...this.testing].filter((id) => id !== provider));
  }

  /** One after the other, so that each row is seen to change. */
  async testAll(): Promise<void> {
    for (const { provider } of this.rows) await this.test(provider);
  }

  async forgetSession(): Promise<void> {
    await this.#told(() => call('forget_session_keys', {}));
  }

  async unlock(): Promise<void> {
    await this.#told(() => call('unlock_keychain', {}));
  }

  async #told(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
    await this.load();
  }
}

export const ring = new KeyRing();
