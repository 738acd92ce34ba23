import { describe, expect, it } from 'vitest';
import type { Provider } from '../../gen/Provider';
import { newDraft, readDraft, titleOf, withDialect, withProvider } from './draft';
import { PARAM_CELLS, paramSummary } from './params';

const DIALECTS = [
  { id: 'openai-chat', name: 'Chat', transports: ['sse', 'http'] as const },
  { id: 'openai-responses', name: 'Responses', transports: ['sse', 'http', 'websocket'] as const },
].map((d) => ({ ...d, transports: [...d.transports] }));

function provider(id: string, dialects: [string, string][], models: string[]): Provider {
  return {
    id,
    name: id,
    dialects,
    auth: '',
    key: 'none',
    models,
    modelsPath: '',
    docs: '',
    notes: [],
    own: false,
  };
}

describe('draft', () => {
  it('keeps dialect and transport where the new provider speaks them', () => {
    const draft = { ...newDraft('m'), dialect: 'openai-responses', transport: 'websocket' as const };
    const both = provider(
      'p',
      [
        ['openai-chat', 'a'],
        ['openai-responses', 'b'],
      ],
      ['x'],
    );
    expect(withProvider(draft, both, DIALECTS)).toMatchObject({
      dialect: 'openai-responses',
      transport: 'websocket',
      ask: { model: 'x' },
    });
    const chat = provider('q', [['openai-chat', 'a']], []);
    expect(withProvider(draft, chat, DIALECTS)).toMatchObject({
      dialect: 'openai-chat',
      transport: 'sse',
      ask: { model: '' },
    });
  });

  it('drops an own address with the provider, and keeps one for an own endpoint', () => {
    const draft = { ...newDraft(), baseUrl: 'http://x' };
    expect(withProvider(draft, provider('p', [['openai-chat', 'a']], []), DIALECTS)).not.toHaveProperty(
      'baseUrl',
    );
    expect(withProvider(draft, null, DIALECTS)).toMatchObject({ provider: '', baseUrl: 'http://x' });
  });

  it('keeps the seals of one provider from another, and what a pasted body had beside the fields', () => {
    const draft = newDraft();
    const aside = { shown: 1, kept: 2 };
    const call = { id: 'c', name: 'f', arguments: '{}' };
    draft.ask.systemAside = aside;
    draft.ask.messages = [
      { role: 'user', text: 'a', aside },
      {
        role: 'assistant',
        text: '',
        reasoning: 'r',
        signature: 's',
        toolCalls: [{ ...call, signature: 's' }],
      },
    ];
    const kept = [
      { role: 'user', text: 'a' },
      { role: 'assistant', text: '', reasoning: 'r', toolCalls: [call] },
    ];
    const other = withDialect(draft, 'openai-responses', DIALECTS);
    expect(other.ask.messages).toEqual(kept);
    expect(other.ask.systemAside).toBeUndefined();
    const elsewhere = withProvider(draft, provider('p', [['openai-chat', 'a']], []), DIALECTS);
    expect(elsewhere.ask.messages).toEqual(kept);
    expect(withDialect(draft, 'openai-chat', DIALECTS).ask).toBe(draft.ask);
  });

  it('gives up a body edited by hand when the dialect changes, and only then', () => {
    const draft = newDraft();
    draft.ask.rawBody = '{}';
    expect(withDialect(draft, 'openai-chat', DIALECTS).ask.rawBody).toBe('{}');
    expect(withDialect(draft, 'openai-responses', DIALECTS).ask.rawBody).toBeUndefined();
  });

  it('names a tab by its newest prompt', () => {
    const draft = newDraft();
    expect(titleOf(draft)).toBe('New request');
    draft.ask.messages.push({
      role: 'user',
      text: ' Why is the sky blue, and since when do people ask?\nmore',
    });
    expect(titleOf(draft)).toBe('Why is the sky blue, and since…');
    expect(titleOf({ ...draft, title: 'Sky' })).toBe('Sky');
  });

  it('reads what was kept, and nothing else', () => {
    const draft = newDraft('m');
    expect(readDraft(JSON.parse(JSON.stringify(draft)))).toEqual(draft);
    for (const bad of [null, 3, 'x', {}, { provider: 'p', dialect: 'd' }]) expect(readDraft(bad)).toBeNull();
  });
});

describe('parameters', () => {
  const cell = (name: string) => PARAM_CELLS.find((c) => c.name === name)!;

  it.each([
    ['temperature', '0.7', { temperature: 0.7 }],
    ['temperature', '0,7', { temperature: 0.7 }],
    ['seed', '-3', { seed: -3 }],
    ['max_tokens', '1024', { maxTokens: 1024 }],
    ['usage', 'omit', { usage: false }],
    ['stop', 'END,\\n\\n', { stop: ['END', '\n\n'] }],
    ['reasoning', 'medium', { reasoning: 'medium' }],
  ])('%s reads %s', (name, text, params) => {
    expect(cell(name).write({}, text)).toEqual(params);
    expect(cell(name).write(params, '')).toEqual({});
    expect(cell(name).read(params)).toBe(text.replace('0,7', '0.7'));
  });

  it.each([
    ['temperature', '3'],
    ['temperature', 'x'],
    ['top_p', '-1'],
    ['max_tokens', '0'],
    ['seed', '1.5'],
    ['usage', 'maybe'],
  ])('%s refuses %s', (name, text) => expect(typeof cell(name).write({}, text)).toBe('string'));

  it('sums up in one line', () => {
    expect(paramSummary({})).toBe('Parameters: none set');
    expect(paramSummary({ temperature: 0, seed: 7, usage: true })).toBe('temperature 0 · seed 7 · 1 more');
  });
});
