import type { Draft } from '../../gen/Draft';
import type { Message } from '../../gen/Message';
import type { Provider } from '../../gen/Provider';
import type { ToolCall } from '../../gen/ToolCall';
import type { Transport } from '../../gen/Transport';

export interface DialectChoice {
  id: string;
  name: string;
  transports: Transport[];
}

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
  const next: Draft = { ...draft, provider: provider.id, ask: { ...draft.ask, model, rawBody: undefined } };
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
  const ask = dialect === draft.dialect ? draft.ask : { ...draft.ask, rawBody: undefined };
  return { ...draft, dialect, transport, ask };
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

/** The draft with the model's turn and an open answer to one of its calls at the end of the conversation. */
export function withToolResult(
  draft: Draft,
  said: string,
  calls: readonly ToolCall[],
  call: ToolCall,
): Draft {
  const messages = [...draft.ask.messages];
  const known = messages.some(
    ({ toolCalls }) => toolCalls?.some((c) => c.id === call.id && c.arguments === call.arguments) ?? false,
  );
  if (!known) messages.push({ role: 'assistant', text: said, toolCalls: [...calls] });
  const answered = messages.some(({ role, toolCallId }) => role === 'tool' && toolCallId === call.id);
  if (!answered) messages.push({ role: 'tool', text: '', toolCallId: call.id });
  return withMessages(withoutRawBody(draft), messages);
}

/** The draft with the model's turn and an empty turn of the user at the end. */
export function withReply(draft: Draft, said: string): Draft {
  return withMessages(withoutRawBody(draft), [
    ...draft.ask.messages,
    { role: 'assistant', text: said },
    { role: 'user', text: '' },
  ]);
}

/** Another conversation; a body edited by hand stays in force. */
export function withMessages(draft: Draft, messages: Message[]): Draft {
  return { ...draft, ask: { ...draft.ask, messages } };
}

/** The request as the form has it: without a body edited by hand. */
export function withoutRawBody(draft: Draft): Draft {
  return { ...draft, ask: { ...draft.ask, rawBody: undefined } };
}

/** The conversation with one message moved by a step. */
export function moved(messages: readonly Message[], index: number, step: 1 | -1): Message[] {
  const to = index + step;
  const out = [...messages];
  if (to < 0 || to >= out.length) return out;
  [out[index], out[to]] = [out[to]!, out[index]!];
  return out;
}
