import type { Ask } from '../../gen/Ask';
import type { DialectInfo } from '../../gen/DialectInfo';
import type { Draft } from '../../gen/Draft';
import type { Message } from '../../gen/Message';
import type { OpenTransport } from '../../gen/OpenTransport';
import type { Provider } from '../../gen/Provider';

/** What of a dialect decides where a draft can go. */
export type DialectChoice = Pick<DialectInfo, 'id' | 'transports'>;

/** What the very first request asks. */
export const FIRST_PROMPT = 'Explain the protocol this reply travels on.';

/** A request to the Lab: it needs no key, so it is what one begins with. */
export function newDraft(model = '', prompt = ''): Draft {
  return {
    provider: 'lab',
    dialect: 'openai-chat',
    transport: 'sse',
    http: 'auto',
    ask: {
      model,
      system: '',
      messages: [{ role: 'user', text: prompt }],
      params: {},
      tools: [],
    },
    headers: [],
    insecure: false,
    keepOpen: false,
  };
}

/** The same question for another provider: dialect and transport stay where it speaks them. */
export function withProvider(
  draft: Draft,
  provider: Provider | null,
  dialects: readonly DialectChoice[],
): Draft {
  if (!provider) return { ...draft, provider: '', baseUrl: draft.baseUrl ?? '' };
  const dialect =
    provider.dialects.find(([id]) => id === draft.dialect)?.[0] ?? provider.dialects[0]?.[0] ?? draft.dialect;
  const model = provider.id === draft.provider ? draft.ask.model : (provider.models[0] ?? '');
  const asked = provider.id === draft.provider ? draft.ask : withoutSeals(draft.ask);
  const next: Draft = { ...draft, provider: provider.id, ask: { ...asked, model, rawBody: undefined } };
  delete next.baseUrl;
  delete next.url;
  return withDialect(next, dialect, dialects);
}

/** The same question in another dialect, on a transport that it has. */
export function withDialect(draft: Draft, dialect: string, dialects: readonly DialectChoice[]): Draft {
  const transports = dialects.find(({ id }) => id === dialect)?.transports ?? [];
  const transport = transports.includes(draft.transport)
    ? draft.transport
    : (transports[0] ?? draft.transport);
  const ask = dialect === draft.dialect ? draft.ask : { ...withoutSeals(draft.ask), rawBody: undefined };
  return { ...draft, dialect, transport, ask };
}

/**
 * The question without what only its provider understands: seals on reasoning and on calls, and what a pasted body had beside the
 * fields. Another provider, or another API, would refuse them.
 */
export function withoutSeals(ask: Ask): Ask {
  const messages = ask.messages.map((message): Message => {
    const { signature: _, aside: __, toolCalls, ...rest } = message;
    if (!toolCalls) return rest;
    return { ...rest, toolCalls: toolCalls.map(({ signature: _, ...call }) => call) };
  });
  return { ...ask, messages, systemAside: undefined };
}

/** What can be said on a draft's connection after its first turn; null where it takes but one. */
export function openOn(draft: Draft, dialects: readonly DialectInfo[]): OpenTransport | null {
  const dialect = dialects.find(({ id }) => id === draft.dialect);
  return dialect?.open.find(({ transport }) => transport === draft.transport) ?? null;
}

/** What a tab is called: the title given, or the beginning of the newest prompt. */
export function titleOf(draft: Draft): string {
  if (draft.title) return draft.title;
  const said = [...draft.ask.messages].reverse().find(({ role, text }) => role === 'user' && text.trim());
  const line = said?.text.trim().split('\n')[0] ?? '';
  const words = line.length > 32 ? `${line.slice(0, 32).replace(/\s+\S*$/, '')}…` : line;
  return words || 'New request';
}

/** A draft as it was kept, or null where it is not one. */
export function readDraft(kept: unknown): Draft | null {
  if (typeof kept !== 'object' || kept === null) return null;
  const draft = kept as Partial<Draft>;
  if (
    typeof draft.provider !== 'string' ||
    typeof draft.dialect !== 'string' ||
    !Array.isArray(draft.ask?.messages)
  ) {
    return null;
  }
  const blank = newDraft();
  return { ...blank, ...draft, ask: { ...blank.ask, ...draft.ask } };
}
