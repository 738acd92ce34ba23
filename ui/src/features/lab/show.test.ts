import { expect, test } from 'vitest';
import type { LabEndpoint } from '../../gen/LabEndpoint';
import { dotEnv, faultNames, stateSign, urlOf } from './show';

const endpoints: LabEndpoint[] = [
  { name: 'OpenAI Chat', transport: 'sse', path: '/openai/v1/chat/completions', base: '/openai/v1' },
  { name: 'OpenAI Responses', transport: 'ws', path: '/openai/v1/responses', base: '/openai/v1' },
  { name: 'Plain echo', transport: 'http', path: '/echo', base: null },
];

test('a base URL stands once in .env, under the name its SDK reads', () => {
  expect(dotEnv('http://127.0.0.1:4780', endpoints)).toBe(
    'OPENAI_BASE_URL=http://127.0.0.1:4780/openai/v1\nOPENAI_API_KEY=lab\n',
  );
});

test('SDKs that read other names get those', () => {
  const bases = ['/gemini', '/ollama', '/mcp', '/anthropic'];
  const asked = bases.map((base) => ({ name: base, transport: 'sse' as const, path: base, base }));
  expect(dotEnv('http://lab', asked)).toBe(
    'GOOGLE_GEMINI_BASE_URL=http://lab/gemini\nGEMINI_API_KEY=lab\nOLLAMA_HOST=http://lab/ollama\n' +
      'ANTHROPIC_BASE_URL=http://lab/anthropic\nANTHROPIC_API_KEY=lab\n',
  );
});

test('a WebSocket’s address has its own scheme', () => {
  expect(urlOf('http://127.0.0.1:4780', endpoints[0]!)).toBe(
    'http://127.0.0.1:4780/openai/v1/chat/completions',
  );
  expect(urlOf('http://127.0.0.1:4780', endpoints[1]!)).toBe('ws://127.0.0.1:4780/openai/v1/responses');
});

test('who ended an exchange is told apart', () => {
  expect(stateSign({ kind: 'dropped', by: 'lab' })).toMatchObject({ text: 'dropped', tone: 'err' });
  expect(stateSign({ kind: 'dropped', by: 'client' })).toMatchObject({ text: 'client left', tone: 'plain' });
  expect(stateSign({ kind: 'closed', code: 1000 }).tone).toBe('ok');
  expect(stateSign({ kind: 'closed', code: 1011 }).tone).toBe('err');
});

test('faults go by the names of their recipes', () => {
  const recipes = [
    { id: 'split-utf8', name: 'Split UTF-8', description: '', incident: '', parameter: null },
    { id: 'cr-only', name: 'CR-only newlines', description: '', incident: '', parameter: null },
  ];
  expect(faultNames('split-utf8, cr-only', recipes)).toBe('split UTF-8, CR-only newlines');
  expect(faultNames('none', recipes)).toBe('none');
});
