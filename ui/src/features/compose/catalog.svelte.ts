import type { DialectInfo } from '../../gen/DialectInfo';
import type { ModelList } from '../../gen/ModelList';
import type { Provider } from '../../gen/Provider';
import { call, IpcError } from '../../lib/ipc';

/** How asking a provider for its models went. */
export interface Asked {
  list: ModelList | null;
  asking: boolean;
  /** Why there is no newer list, or null. */
  fault: string | null;
}

let providers = $state.raw<readonly Provider[]>([]);
let dialects = $state.raw<readonly DialectInfo[]>([]);
let asked = $state.raw<ReadonlyMap<string, Asked>>(new Map());

const keyOf = (provider: string, baseUrl: string | null) => `${provider} ${baseUrl ?? ''}`;

/** What can be chosen: providers, dialects and models. */
export const catalog = {
  get providers(): readonly Provider[] {
    return providers;
  },
  get dialects(): readonly DialectInfo[] {
    return dialects;
  },
  async load(): Promise<void> {
    [providers, dialects] = await Promise.all([call('providers', {}), call('dialects', {})]);
  },
  provider(id: string): Provider | null {
    return providers.find((provider) => provider.id === id) ?? null;
  },
  dialect(id: string): DialectInfo | null {
    return dialects.find((dialect) => dialect.id === id) ?? null;
  },
  /** Keeps a provider of the user's own; throws `IpcError` where it cannot be used. */
  async saveProvider(provider: Provider): Promise<void> {
    providers = await call('save_provider', { provider });
    asked = new Map([...asked].filter(([key]) => !key.startsWith(`${provider.id} `)));
  },
  /** Takes a provider of the user's own away. */
  async deleteProvider(id: string): Promise<void> {
    providers = await call('delete_provider', { id });
  },
  /** Models of a provider: those it listed when asked, else those that come with the program. */
  models(provider: string, baseUrl: string | null): readonly string[] {
    const names = asked.get(keyOf(provider, baseUrl))?.list?.names;
    return names?.length ? names : (catalog.provider(provider)?.models ?? []);
  },
  /** How asking for the models went, or null where nobody asked. */
  asked(provider: string, baseUrl: string | null): Asked | null {
    return asked.get(keyOf(provider, baseUrl)) ?? null;
  },
  /** Asks for the models; the engine knows which lists last, unless `refresh` is set. A provider that does not say keeps the list it had. */
  async askModels(provider: string, baseUrl: string | null, refresh = false): Promise<void> {
    const key = keyOf(provider, baseUrl);
    const before = asked.get(key);
    if (before?.asking) return;
    const note = (now: Asked) => (asked = new Map(asked).set(key, now));
    note({ list: before?.list ?? null, asking: true, fault: null });
    try {
      note({ list: await call('models', { provider, baseUrl, refresh }), asking: false, fault: null });
    } catch (thrown) {
      note({ list: before?.list ?? null, asking: false, fault: IpcError.from(thrown).message });
    }
  },
};
