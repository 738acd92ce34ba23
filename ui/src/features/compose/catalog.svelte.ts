import type { Provider } from '../../gen/Provider';
import { call, type Result } from '../../lib/ipc';
import type { DialectChoice } from './draft';

let providers = $state.raw<readonly Provider[]>([]);
let dialects = $state.raw<readonly DialectChoice[]>([]);
let models = $state.raw<ReadonlyMap<string, readonly string[]>>(new Map());
const asked = new Set<string>();

/** What can be chosen: providers, dialects and models. */
export const catalog = {
  get providers(): readonly Provider[] {
    return providers;
  },
  get dialects(): readonly DialectChoice[] {
    return dialects;
  },
  async load(): Promise<void> {
    [providers, dialects] = await Promise.all([call('providers', {}), call('dialects', {})]);
  },
  provider(id: string): Provider | null {
    return providers.find((provider) => provider.id === id) ?? null;
  },
  dialect(id: string): DialectChoice | null {
    return dialects.find((dialect) => dialect.id === id) ?? null;
  },
  /** Models of a provider: those it listed when asked, else those that come with the program. */
  models(provider: string, baseUrl: string | null): readonly string[] {
    return models.get(`${provider} ${baseUrl ?? ''}`) ?? catalog.provider(provider)?.models ?? [];
  },
  /** Asks the provider for its models, once; a provider that does not say keeps the list that came with the program. */
  async askModels(provider: string, baseUrl: string | null): Promise<void> {
    const key = `${provider} ${baseUrl ?? ''}`;
    if (asked.has(key)) return;
    asked.add(key);
    try {
      const list: Result<'models'> = await call('models', { provider, baseUrl });
      if (list.length) models = new Map(models).set(key, list);
    } catch {
      // Without a key or a connection it cannot be known yet: ask again next time.
      asked.delete(key);
    }
  },
};
