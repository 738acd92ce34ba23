import type { Draft } from '../../../gen/Draft';
import type { FrameRow } from '../../../gen/FrameRow';
import type { Settings } from '../../../gen/Settings';
import { IpcError, type Args, type Backend, type CommandName, type Result } from '../backend';
import * as compare from './compare';
import { codeOf, importCurl, preview, readBody, takeFoundKey } from './compose';
import { drillOptions, noDrill } from './drill';
import { parseFilter } from './filter';
import { keychain } from './keychain';
import { closeConnections, labState, runLab, setLab } from './lab';
import { matches, seeds, withSeed } from './library';
import { deleteProvider, DIALECTS, providers, saveProvider } from './providers';
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
  providers: [],
};

function session(id: string): FakeSession {
  const found = sessions.get(id);
  if (!found) throw new IpcError('not_found', `There is no session ${id}.`);
  return found;
}

/** What a socket says cannot be made up as a model's reply is. */
function noConsole(): never {
  throw new IpcError('fake', 'The development backend opens no connections.');
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

/** A session that is over, as the runs of a comparison leave it. */
function addSession(draft: Draft): string {
  const id = `s${sessions.size}`;
  sessions.set(id, new FakeSession(id, draft, 'A run', false));
  return id;
}

type Handlers = { [K in CommandName]: (args: Args<K>) => Result<K> };

const handlers: Handlers = {
  providers,
  dialects: () => [...DIALECTS],
  models: ({ provider: id }) => {
    const known = providers().find((p) => p.id === id);
    if (id === 'openrouter') throw new IpcError('http_status', '401: no key for OpenRouter');
    return { names: [...(known?.models ?? []), `${id}-next`].sort(), fetchedAtMs: Date.now() };
  },
  save_provider: ({ provider }) => saveProvider(provider),
  delete_provider: ({ id }) => deleteProvider(id),
  read_body: ({ draft, body }) => {
    const ask = readBody(draft, body);
    return ask && { ask, transport: draft.transport };
  },
  import_curl: ({ text }) => importCurl(text),
  forget_found_key: () => (takeFoundKey(), null),
  keep_found_key: ({ provider, keep }) => keychain.set_key({ provider, keep, value: takeFoundKey() }),
  code: ({ draft }) => codeOf(draft),
  preview: ({ draft }) => preview(draft),
  send: ({ draft }) => {
    const { problem } = preview(draft);
    if (problem) throw new IpcError(problem.code, problem.message, problem);
    const id = `s${sessions.size}`;
    const made = new FakeSession(id, draft, draft.title ?? '', true);
    sessions.set(id, made);
    return made.info;
  },
  say: ({ session: id, ask }) => (session(id).say(ask.messages.at(-1)?.text ?? ''), null),
  tell: ({ session: id, message }) => (session(id).tell(message), null),
  ping: ({ session: id, payload }) => (session(id).tell(payload), null),
  hang_up: ({ session: id }) => (session(id).hangUp(), null),
  stop: ({ session: id }) => (session(id).stop(), null),
  open: ({ session: id }) => session(id).info,
  console: noConsole,
  console_url: ({ url }) => url.replace('{lab}', 'http://127.0.0.1:4780'),
  console_rows: noConsole,
  console_message: noConsole,
  console_send: noConsole,
  console_close: noConsole,
  console_answers: noConsole,
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
  shares: ({ session: id, filter }) => session(id).shares(matching(session(id), filter).length),
  next_gap: ({ session: id, row, backwards, overMs }) => {
    const rows = matching(session(id), '').filter((r) => r.gapMs > overMs);
    const next = backwards ? rows.reverse().find((r) => r.id < row) : rows.find((r) => r.id > row);
    return next?.id ?? null;
  },
  next_row: ({ session: id, row, backwards, what }) => {
    const kinds = what === 'error' ? ['error', 'warning', 'incomplete'] : ['comment', 'retry'];
    const rows = matching(session(id), '').filter((r) => kinds.includes(r.kind));
    const next = backwards
      ? rows.reverse().find((r) => row === null || r.id < row)
      : rows.find((r) => row === null || r.id > row);
    return next?.id ?? null;
  },
  row_at: ({ session: id, out, at }) => {
    const owner = matching(session(id), '').find((r) => {
      const detail = session(id).detail(r.id);
      return detail.out === out && detail.start <= at && at < detail.end;
    });
    return owner?.id ?? null;
  },
  frame: ({ session: id, row }) => session(id).detail(row),
  lenses: () => null,
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
  save_sound: () => 'weir-sound.wav',
  export_sessions: ({ format }) => `weir-export.${format}`,
  ...keychain,
  lab: labState,
  start_lab: () => runLab(true),
  stop_lab: () => runLab(false),
  set_lab: ({ settings: next }) => setLab(next),
  close_lab_connections: closeConnections,
  comparisons: compare.list,
  comparison_presets: compare.presets,
  start_comparison: ({ comparison }) => compare.start(comparison, addSession),
  stop_comparison: ({ id }) => compare.stop(id),
  comparison: ({ id }) => compare.view(id),
  comparison_cost: ({ comparison }) => compare.cost(comparison),
  lane_replay: ({ session: id }) => compare.replay(id),
  comparison_report: ({ format }) => `weir-comparison.${format}`,
  delete_comparison: ({ id }) => compare.remove(id),
  // No engine stands behind the page here: a drill needs sockets, and processes of its own.
  drill_options: drillOptions,
  start_drill: noDrill,
  stop_drill: () => null,
  last_drill: () => null,
  drills: () => [],
  drill: noDrill,
  drill_report: noDrill,
  start_memory_drill: noDrill,
  stop_memory_drill: () => null,
  last_memory_drill: () => null,
  memory_drill: noDrill,
  memory_report: noDrill,
  delete_drill: () => null,
  about: () => ({ version: '0.1.0', libraryBytes: 1_500_000 }),
  settings: () => settings,
  set_settings: ({ settings: next }) => ((settings = next), null),
  remembered: ({ name }) => (params.has('fresh') ? null : localStorage.getItem(`weir.${name}`)),
  remember: ({ name, value }) => (localStorage.setItem(`weir.${name}`, value), null),
};

/** Attached files by their references. */
const attached = new Map<string, Uint8Array>();

export const fakeBackend: Backend = {
  async call(name, args) {
    await Promise.resolve();
    return handlers[name](args);
  },
  async bytes(id, _conn, out, start, len) {
    return session(id).bytes(out, start, len);
  },
  async audio(id) {
    return session(id).sound();
  },
  async attach(file) {
    const hash = [...file].reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7);
    const reference = `weir-file:${hash.toString(16).padStart(64, '0')}:${file.length}`;
    attached.set(reference, file);
    return reference;
  },
  async attached(reference) {
    const file = attached.get(reference);
    if (!file) throw new IpcError('file-gone', 'An attached file is no longer kept.');
    return file;
  },
  async importSession() {
    throw new IpcError('unsupported', 'Importing needs Weir’s window.');
  },
  watch: (id, onUpdate) => session(id).watch(onUpdate),
  watchComparison: compare.watch,
  watchDrill: () => () => {},
  watchMemoryDrill: () => () => {},
};
