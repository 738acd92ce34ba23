import { describe, expect, it } from 'vitest';
import type { Message } from '../../gen/Message';
import { newDraft } from './draft';
import { callOf, carried, moved, nameOfCall, resultAt, turnOf, withReply, type Told } from './turns';

const block = (
  kind: Told['blocks'][number]['kind'],
  text: string,
  tool?: Told['blocks'][number]['tool'],
) => ({
  kind,
  tool,
  text: () => text,
});
const call = (id: string, name = 'f') => ({ id, name, arguments: '{}' });
const roles = (messages: readonly Message[]) => messages.map(({ role }) => role);

describe('the model’s turn', () => {
  it('takes text, reasoning and calls, each with its seal', () => {
    const turn = turnOf({
      blocks: [
        block('reasoning', 'hm'),
        block('text', 'a'),
        block('tool_call', '{"x":1}', { ...call('c1'), signature: 's1' }),
        block('text', 'b'),
      ],
      signature: 'seal',
    });
    expect(turn).toEqual({
      role: 'assistant',
      text: 'ab',
      reasoning: 'hm',
      signature: 'seal',
      toolCalls: [{ id: 'c1', name: 'f', arguments: '{"x":1}', signature: 's1' }],
    });
  });

  it('is what came after the user last spoke on an open socket', () => {
    const turn = turnOf({
      blocks: [block('text', 'first'), block('said', 'and?'), block('text', 'second')],
      signature: null,
    });
    expect(turn).toEqual({ role: 'assistant', text: 'second' });
  });

  it('is none where nothing came', () => {
    expect(turnOf({ blocks: [block('text', 'a'), block('said', 'b')], signature: null })).toBeNull();
  });
});

describe('going on', () => {
  const turn: Message = { role: 'assistant', text: 'hello' };

  it('puts the turn behind what was asked, with room for the next, once', () => {
    const next = withReply(newDraft(), turn, 1);
    expect(roles(next.ask.messages)).toEqual(['user', 'assistant', 'user']);
    expect(carried(next.ask.messages, 1)).toBe(true);
    expect(withReply(next, turn, 1).ask.messages).toEqual(next.ask.messages);
  });

  it('keeps the place of the turn where the user has already written on', () => {
    const draft = newDraft();
    draft.ask.messages.push({ role: 'user', text: 'and?' });
    const next = withReply(draft, turn, 1);
    expect(next.ask.messages.map(({ text }) => text)).toEqual(['', 'hello', 'and?']);
  });

  it('opens a result for each call, and never two', () => {
    const calls = { ...turn, toolCalls: [call('a'), call('b')] };
    const once = withReply(newDraft(), calls, 1);
    expect(once.ask.messages.slice(2)).toEqual([
      { role: 'tool', text: '', toolCallId: 'a' },
      { role: 'tool', text: '', toolCallId: 'b' },
    ]);
    expect(withReply(once, calls, 1).ask.messages).toEqual(once.ask.messages);
    expect(resultAt(once.ask.messages, 1, 1)).toBe(3);
  });

  it('tells calls without ids apart by their order', () => {
    const calls = { ...turn, toolCalls: [call('', 'f'), call('', 'g')] };
    const next = withReply(newDraft(), calls, 1);
    expect(roles(next.ask.messages)).toEqual(['user', 'assistant', 'tool', 'tool']);
    expect([0, 1, 2].map((n) => resultAt(next.ask.messages, 1, n))).toEqual([2, 3, -1]);
    expect([0, 2, 3].map((at) => nameOfCall(next.ask.messages, at))).toEqual([undefined, 'f', 'g']);
  });

  it('keeps the arguments of a call as they came', () => {
    expect(callOf(block('tool_call', '{ "a" : 1.0 }', call('c'))).arguments).toBe('{ "a" : 1.0 }');
  });

  it('gives up a body edited by hand', () => {
    const draft = newDraft();
    draft.ask.rawBody = '{}';
    expect(withReply(draft, turn, 1).ask.rawBody).toBeUndefined();
  });

  it('moves messages', () => {
    const list = withReply(newDraft(), turn, 1).ask.messages;
    expect(roles(moved(list, 1, -1))).toEqual(['assistant', 'user', 'user']);
    expect(moved(list, 0, -1)).toEqual(list);
  });
});
