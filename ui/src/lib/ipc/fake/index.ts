import type { Draft } from '../../../gen/Draft';
import type { FrameRow } from '../../../gen/FrameRow';
import type { Preview } from '../../../gen/Preview';
import type { Provider } from '../../../gen/Provider';
import type { Settings } from '../../../gen/Settings';
import { IpcError, type Args, type Backend, type CommandName, type Result } from '../backend';
import { parseFilter } from './filter';
import { keychain } from './keychain';
import { closeConnections, labState, runLab, setLab } from './lab';
import { matches, seeds, withSeed } from './library';
import { FakeSession } from './session';

/** An engine that runs in the browser and makes everything up: for working on the page. Never part of the program. */

const params = new URLSearchParams(location.search);
const sessions = new Map<string, FakeSession>();
const deleted = new Set<string>();
const tagged = new Map<string, string[]>();
let settings: Settings = {
  theme: params.get('theme') ?? 'dark',
  letterKeys: true,
  record: true,
  proxy: 'system',
  roots: '',
  connectSeconds: 10,
  firstByteSeconds: 300,
  idleSeconds: 120,
  labAtStart: true,
  labPort: 4780,
};

const bearer = 'Authorization: Bearer {key}';
const PROVIDERS: Provider[] = [
  provider(
    'lab',
    'Weir Lab',
    'http://127.0.0.1:4780/openai/v1',
    ['lab/steady', 'lab/fast', 'lab/reasoner'],
    'none',
    '',
  ),
  provider('openai', 'OpenAI', 'https://api.openai.com/v1', ['gpt-5', 'gpt-5-mini'], 'required', bearer),
  provider(
    'deepseek',
    'DeepSeek',
    'https://api.deepseek.com/v1',
    ['deepseek-chat', 'deepseek-reasoner'],
    'required',
    bearer,
  ),
  provider(
    'openrouter',
    'OpenRouter',
    'https://openrouter.ai/api/v1',
    ['deepseek/deepseek-r1'],
    'required',
    bearer,
  ),
  provider('llamacpp', 'llama.cpp', 'http://127.0.0.1:8080/v1', [], 'optional', bearer),
];

function provider(
  id: string,
  name: string,
  base: string,
  models: string[],
  key: string,
  auth: string,
): Provider {
  return {
    id,
    name,
    dialects: [
      ['openai-chat', base],
      ['openai-responses', base],
    ],
    auth,
    key,
    models,
    modelsPath: '/models',
    docs: '',
  };
}

function preview(draft: Draft): Preview {
  const known = PROVIDERS.find(({ id }) => id === draft.provider);
  const base = draft.baseUrl ?? known?.dialects[0]?.[1] ?? '';
  const path = draft.dialect === 'openai-responses' ? '/responses' : '/chat/completions';
  const url = draft.url ?? base + path;
  const { ask } = draft;
  const body =
    ask.rawBody ??
    JSON.stringify(
      {
        model: ask.model,
        messages: [
          ...(ask.system ? [{ role: 'system', content: ask.system }] : []),
          ...ask.messages.map(({ role, text }) => ({ role, content: text })),
        ],
        stream: draft.transport === 'sse',
        temperature: ask.params.temperature,
        top_p: ask.params.topP,
        max_tokens: ask.params.maxTokens,
        seed: ask.params.seed,
        stop: ask.params.stop,
        tools: ask.tools.length ? ask.tools.map((tool) => ({ type: 'function', function: tool })) : undefined,
      },
      null,
      2,
    );
  const headers = [
    ...(known?.auth ? [{ name: 'Authorization', value: 'Bearer {key}' }] : []),
    { name: 'Content-Type', value: 'application/json' },
    { name: 'Accept', value: draft.transport === 'sse' ? 'text/event-stream' : 'application/json' },
    ...draft.headers,
  ];
  return {
    method: draft.transport === 'websocket' ? 'GET' : 'POST',
    url: draft.transport === 'websocket' ? url.replace(/^http/, 'ws') : url,
    headers,
    body,
    curl: `curl -N '${url}' \\\n${headers.map(({ name, value }) => `  -H '${name}: ${value.replace('{key}', '$KEY')}' \\\n`).join('')}  -d '${body}'`,
    problem: /^https?:\/\//.test(url)
      ? undefined
      : {
          code: 'url',
          blame: 'user',
          message: 'The base URL is not a URL.',
          consequence: 'Nothing can be sent.',
          evidence: url,
          next: 'Write it with http:// or https://.',
        },
  };
}

function session(id: string): FakeSession {
  const found = sessions.get(id);
  if (!found) throw new IpcError('not_found', `There is no session ${id}.`);
  return found;
}

/** Rows that came and match; the gap is to the row before it in the view. */
function matching(s: FakeSession, filter: string): FrameRow[] {
  const test = parseFilter(filter);
  if (typeof test !== 'function') throw new IpcError('filter', test.message, test);
  const rows = s.pieces.slice(0, s.rows).map((piece) => piece.row);
  if (!filter.trim()) return rows;
  let last = 0;
  return rows.filter(test).map((row) => {
    const gapMs = row.tMs - last;
    last = row.tMs;
    return { ...row, gapMs };
  });
}

for (const { id, draft, title } of seeds()) sessions.set(id, new FakeSession(id, draft, title, false));

function summaries() {
  return [...sessions.values()]
    .filter((s) => !deleted.has(s.info.id))
    .map((s) => withSeed(s.summary(), tagged.get(s.info.id)));
}

type Handlers = { [K in CommandName]: (args: Args<K>) => Result<K> };

const handlers: Handlers = {
  providers: () => PROVIDERS,
  dialects: () => [
    { id: 'openai-chat', name: 'OpenAI Chat Completions', transports: ['sse', 'http'] },
    { id: 'openai-responses', name: 'OpenAI Responses', transports: ['sse', 'http', 'websocket'] },
  ],
  models: ({ provider: id }) => PROVIDERS.find((p) => p.id === id)?.models ?? [],
  preview: ({ draft }) => preview(draft),
  send: ({ draft }) => {
    const { problem } = preview(draft);
    if (problem) throw new IpcError(problem.code, problem.message, problem);
    const id = `s${sessions.size}`;
    const made = new FakeSession(id, draft, draft.title ?? '', true);
    sessions.set(id, made);
    return made.info;
  },
  stop: ({ session: id }) => (session(id).stop(), null),
  open: ({ session: id }) => session(id).info,
  close: () => null,
  rows: ({ session: id, filter, start, count }) => {
    const rows = matching(session(id), filter);
    return { matching: rows.length, start, rows: rows.slice(start, start + count) };
  },
  check_filter: ({ filter }) => {
    const test = parseFilter(filter);
    return typeof test === 'function' ? null : test;
  },
  position: ({ session: id, filter, row }) => {
    const at = matching(session(id), filter).findIndex((r) => r.id === row);
    return at < 0 ? null : at;
  },
  next_gap: ({ session: id, row, backwards, overMs }) => {
    const rows = matching(session(id), '').filter((r) => r.gapMs > overMs);
    const next = backwards ? rows.reverse().find((r) => r.id < row) : rows.find((r) => r.id > row);
    return next?.id ?? null;
  },
  frame: ({ session: id, row }) => session(id).detail(row),
  ribbon: ({ session: id, fromMs, toMs, bins }) => session(id).ribbon(fromMs, toMs, bins),
  locate: ({ session: id, block, offset }) => session(id).locate(block, offset),
  place: ({ session: id, row }) => session(id).place(row),
  sessions: ({ query }) => {
    const all = summaries()
      .filter((s) => matches(s, query))
      .sort((x, y) => y.startedAtMs - x.startedAtMs);
    return {
      total: all.length,
      bytes: all.reduce((sum, { bytesDown }) => sum + bytesDown, 0),
      sessions: all.slice(query.offset, query.offset + query.limit),
    };
  },
  tags: () => [...new Set(summaries().flatMap(({ tags }) => tags))].sort(),
  rename_session: ({ session: id, title }) => ((session(id).info.title = title), null),
  tag_session: ({ session: id, tags }) => (tagged.set(id, tags), null),
  delete_sessions: ({ sessions: ids }) => (ids.forEach((id) => deleted.add(id)), null),
  restore_sessions: ({ sessions: ids }) => (ids.forEach((id) => deleted.delete(id)), null),
  export_sessions: ({ format }) => `weir-export.${format}`,
  ...keychain,
  lab: labState,
  start_lab: () => runLab(true),
  stop_lab: () => runLab(false),
  set_lab: ({ settings: next }) => setLab(next),
  close_lab_connections: closeConnections,
  about: () => ({ version: '0.1.0', libraryBytes: 1_500_000 }),
  settings: () => settings,
  set_settings: ({ settings: next }) => ((settings = next), null),
  remembered: ({ name }) => (params.has('fresh') ? null : localStorage.getItem(`weir.${name}`)),
  remember: ({ name, value }) => (localStorage.setItem(`weir.${name}`, value), null),
};

export const fakeBackend: Backend = {
  async call(name, args) {
    await Promise.resolve();
    return handlers[name](args);
  },
  async bytes(id, _conn, out, start, len) {
    return session(id).bytes(out, start, len);
  },
  async importSession() {
    throw new IpcError('unsupported', 'Importing needs Weir’s window.');
  },
  watch: (id, onUpdate) => session(id).watch(onUpdate),
};
