import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Draft } from '../../gen/Draft';
import type { FrameRow } from '../../gen/FrameRow';
import type { Update } from '../../gen/Update';
import { IpcError, useBackend } from '../../lib/ipc';
import * as marks from './marks';
import { PATIENCE_MS, Stage } from './stage.svelte';
import { STOPS } from './stops';
import { en } from './en';

const row = (id: number, over: Partial<FrameRow>): FrameRow => ({
  id,
  tMs: id * 10,
  gapMs: 10,
  out: false,
  layer: 'sse',
  kind: 'control',
  size: 10,
  summary: 'raw',
  ...over,
});

const heads = [
  row(0, { out: true, layer: 'http', kind: 'head', summary: 'GET /sse HTTP/1.1' }),
  row(1, { layer: 'http', kind: 'head', summary: 'HTTP/1.1 200 OK' }),
];
const first = [
  ...heads,
  row(2, { kind: 'comment', summary: 'weir lab' }),
  row(3, { kind: 'retry', summary: '3000 ms' }),
  ...[4, 5, 6, 7].map((id) => row(id, {})),
];

let sent: Draft[] = [];
let calls: string[] = [];
let tables: FrameRow[][] = [];
/** Sessions that are over. */
let over = new Set<string>();
let tell = new Map<string, (update: Update) => void>();
let refusal: IpcError | null = null;

const done = (session: string): void => {
  over.add(session);
  tell.get(session)?.({
    session,
    state: 'done',
    elapsedMs: 1,
    rows: 0,
    blocks: [],
    metrics: null,
    kinds: null,
    usage: null,
    finish: null,
    replyId: null,
    signature: null,
    requestId: null,
    limits: null,
    status: 200,
    http: '1.1',
    connection: null,
    outcome: { kind: 'complete', problem: null },
  });
};

const answers: Record<string, (args: never) => unknown> = {
  send: ({ draft }: { draft: Draft }) => {
    if (refusal) throw refusal;
    sent.push(draft);
    const id = `s${sent.length - 1}`;
    return { id, title: draft.title, draft, url: '', startedAtMs: 0, live: true };
  },
  rows: ({ session }: { session: string }) => {
    const rows = tables[Number(session.slice(1))] ?? [];
    return { matching: rows.length, start: 0, rows };
  },
  frame: ({ row: id }: { row: number }) => ({
    nodes: [
      { label: 'field id', value: String(id - 3) },
      { label: 'field retry', value: '3000' },
      { label: 'text', value: `event ${id - 3} of 8` },
    ],
  }),
  stop: ({ session }: { session: string }) => done(session),
  close: () => null,
};

beforeEach(() => {
  vi.useFakeTimers();
  [sent, calls, tables, over, tell, refusal] = [[], [], [], new Set(), new Map(), null];
  useBackend({
    call: async (name: string, args: never) => {
      calls.push(name);
      return (answers[name] ?? (() => null))(args);
    },
    watch: (session: string, onUpdate: (update: Update) => void) => {
      tell.set(session, onUpdate);
      return () => tell.delete(session);
    },
  } as never);
});
afterEach(() => vi.useRealTimers());

const back = STOPS.find(({ id }) => id === 'back')!.scenes[0]!;

describe('coming back', () => {
  it('asks the same URL with the last id and after the wait that the frames named', async () => {
    tables = [first, [...heads, row(4, { summary: 'raw' })]];
    const stage = new Stage(back, 'Tour 3', en.prompts);
    await vi.advanceTimersByTimeAsync(500);
    expect(sent).toHaveLength(1);
    expect(calls).toContain('stop');
    expect(stage.waits).toBe(3);
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1200);
    expect(sent).toHaveLength(2);
    expect(sent[1]!.url).toBe(sent[0]!.url);
    expect(sent[0]!.headers.some(({ name }) => name === 'Last-Event-ID')).toBe(false);
    expect(sent[1]!.headers.at(-1)).toEqual({ name: 'Last-Event-ID', value: '4' });
    expect(sent[1]!.title).toBe('Tour 3');
    done('s1');
    await vi.advanceTimersByTimeAsync(200);
    expect(stage.state).toBe('done');
    const act = stage.act('first')!;
    expect(act.summary(marks.lastEvent(act.rows)!)).toBe('event 4 of 8');
  });

  it('says so when a frame does not come, and leaves nothing running', async () => {
    tables = [heads];
    const stage = new Stage(back, '', en.prompts);
    await vi.advanceTimersByTimeAsync(PATIENCE_MS + 200);
    expect([stage.state, stage.late]).toEqual(['failed', true]);
    expect(over.has('s0')).toBe(true);
  });

  it('sends nothing more once nobody looks', async () => {
    tables = [first];
    const stage = new Stage(back, '', en.prompts);
    await vi.advanceTimersByTimeAsync(500);
    stage.leave();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toHaveLength(1);
    expect(calls).toContain('close');
  });

  it('keeps the engine’s own words for a refusal', async () => {
    refusal = new IpcError('lab-stopped', 'The Lab does not run.');
    const stage = new Stage(back, '', en.prompts);
    await vi.advanceTimersByTimeAsync(100);
    expect(stage.state).toBe('failed');
    expect(stage.refused?.code).toBe('lab-stopped');
  });
});

describe('every request of the tour', () => {
  it('goes to the Lab with a fault, or none, of its own', async () => {
    for (const { scenes } of STOPS) {
      for (const scene of scenes) {
        sent = [];
        const stage = new Stage(scene, '', en.prompts);
        await vi.advanceTimersByTimeAsync(100);
        expect(sent.length).toBeGreaterThan(0);
        for (const draft of sent) {
          expect(draft.provider).toBe('lab');
          expect(draft.url ?? '{lab}').toContain('{lab}');
          expect(draft.headers.filter(({ name }) => name === 'x-lab-fault')).toHaveLength(1);
        }
        stage.leave();
      }
    }
  });
});

describe('marks', () => {
  it('tell messages, pings and closes of a socket apart by direction', () => {
    const ws = (id: number, out: boolean, summary: string) =>
      row(id, { layer: 'ws', out, summary, kind: out && summary === 'hello' ? 'request' : 'control' });
    const rows = [
      ws(2, true, 'hello'),
      ws(3, false, 'raw'),
      ws(4, true, 'ping tour'),
      ws(5, false, 'pong tour'),
      ws(6, true, 'close 1000'),
      ws(7, false, 'close 1000'),
    ];
    const found = [
      marks.messageOut,
      marks.messageIn,
      marks.pingOut,
      marks.pongIn,
      marks.closeOut,
      marks.closeIn,
    ].map((mark) => mark(rows)?.id);
    expect(found).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it('finds no frame among none', () => {
    expect(marks.endMarker([])).toBeUndefined();
    expect(marks.events(first)).toBe(4);
  });
});
