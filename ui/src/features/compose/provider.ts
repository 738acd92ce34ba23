import type { Provider } from '../../gen/Provider';

/** Where a key can go, as the API's documents put it. */
export const AUTH_LINES: readonly string[] = [
  'Authorization: Bearer {key}',
  'x-api-key: {key}',
  'api-key: {key}',
  'x-goog-api-key: {key}',
  '?key={key}',
];

/** A provider to begin with. */
export function newProvider(): Provider {
  return {
    id: '',
    name: '',
    dialects: [['openai-chat', '']],
    auth: AUTH_LINES[0]!,
    key: 'optional',
    models: [],
    modelsPath: '/models',
    docs: '',
    notes: [],
    own: true,
  };
}

/** An id made from a name: lower-case letters, digits and hyphens. */
export function idFrom(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

/** A provider's copy to change: one of the user's own, under an id that is not taken. */
export function copyOf(provider: Provider, taken: readonly string[]): Provider {
  let n = 2;
  while (taken.includes(`${provider.id}-${n}`)) n++;
  return { ...provider, id: `${provider.id}-${n}`, name: `${provider.name} (own)`, own: true };
}

/** What keeps a provider from being used, or null. The engine has the last word. */
export function faultOf(provider: Provider, taken: readonly string[]): string | null {
  if (!provider.name.trim()) return 'It needs a name.';
  if (!/^[a-z0-9-]+$/.test(provider.id)) return 'An id has lower-case letters, digits and hyphens.';
  if (taken.includes(provider.id)) return `Another provider has the id ${provider.id}.`;
  if (provider.dialects.length === 0) return 'It speaks no dialect.';
  for (const [, base] of provider.dialects) {
    if (!/^(https?|wss?):\/\/[^\s/]+/.test(base)) return `“${base}” is no http, https, ws or wss URL.`;
  }
  if (provider.key !== 'none' && !provider.auth.includes('{key}')) {
    return 'The line for the key holds {key}, where the key is to stand.';
  }
  return null;
}
