import type { Draft } from '../../gen/Draft';
import type { Message } from '../../gen/Message';
import type { ToolCall } from '../../gen/ToolCall';
import type { Session } from '../session/session.svelte';

/** What of a session makes a turn; narrow, so that tests need no session. */
export interface Told {
  blocks: readonly Pick<Session['blocks'][number], 'kind' | 'tool' | 'text'>[];
  /** The seal on the reasoning or the text. */
  signature: string | null;
}

/** The model's newest turn as a message of the conversation; null where nothing came that could be sent back. */
export function turnOf({ blocks, signature }: Told): Message | null {
  const from = blocks.map(({ kind }) => kind).lastIndexOf('said') + 1;
  const turn = blocks.slice(from);
  const words = (...kinds: string[]) =>
    turn
      .filter(({ kind }) => kinds.includes(kind))
      .map((block) => block.text())
      .join('');
  const calls = turn.filter(({ kind }) => kind === 'tool_call').map(callOf);
  const message: Message = { role: 'assistant', text: words('text', 'refusal') };
  const reasoning = words('reasoning');
  if (reasoning) message.reasoning = reasoning;
  if (signature) message.signature = signature;
  if (calls.length) message.toolCalls = calls;
  return message.text || reasoning || calls.length ? message : null;
}

/** A tool call as it goes back: with the arguments exactly as they came. */
export function callOf(block: Told['blocks'][number]): ToolCall {
  const call: ToolCall = {
    id: block.tool?.id ?? '',
    name: block.tool?.name ?? '',
    arguments: block.text(),
  };
  if (block.tool?.signature) call.signature = block.tool.signature;
  return call;
}

/** Whether the conversation holds an answer to its first `asked` messages. */
export function carried(messages: readonly Message[], asked: number): boolean {
  return messages[asked]?.role === 'assistant';
}

/**
 * The draft with the model's turn behind the `asked` messages it answers, and room for what comes next: an open result
 * for each of its calls that has none, else an empty turn of the user. Done again, it changes nothing.
 */
export function withReply(draft: Draft, turn: Message, asked: number): Draft {
  const messages = [...draft.ask.messages];
  const at = Math.min(asked, messages.length);
  if (!carried(messages, at)) messages.splice(at, 0, turn);
  const calls = messages[at]!.toolCalls ?? [];
  let next = at + 1;
  if (calls.length) {
    const results: Message[] = [];
    while (messages[next]?.role === 'tool') results.push(messages[next++]!);
    const open = calls.filter((call, n) => !hasResult(results, calls, call, n));
    messages.splice(next, 0, ...open.map(({ id }): Message => ({ role: 'tool', text: '', toolCallId: id })));
  } else if (next === messages.length) {
    messages.push({ role: 'user', text: '' });
  }
  return withMessages(withoutRawBody(draft), messages);
}

/** Where the result of the `n`-th call of the turn at `at` stands in the conversation; -1 where it has none. */
export function resultAt(messages: readonly Message[], at: number, n: number): number {
  const calls = messages[at]?.toolCalls ?? [];
  const id = calls[n]?.id;
  let skip = calls.slice(0, n).filter((call) => call.id === id).length;
  for (let i = at + 1; messages[i]?.role === 'tool'; i++) {
    if (messages[i]!.toolCallId === id && skip-- === 0) return i;
  }
  return -1;
}

/** Name of the function whose result stands at `index`; undefined where no turn before it called one. */
export function nameOfCall(messages: readonly Message[], index: number): string | undefined {
  let at = index;
  while (messages[at]?.role === 'tool') at--;
  const calls = messages[at]?.toolCalls ?? [];
  return calls.find((_, n) => resultAt(messages, at, n) === index)?.name;
}

/** Calls without ids of their own are told apart by their order. */
function hasResult(
  results: readonly Message[],
  calls: readonly ToolCall[],
  call: ToolCall,
  n: number,
): boolean {
  const before = calls.slice(0, n).filter(({ id }) => id === call.id).length;
  return results.filter(({ toolCallId }) => toolCallId === call.id).length > before;
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
