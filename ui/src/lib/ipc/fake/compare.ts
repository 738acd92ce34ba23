import type { Draft } from '../../../gen/Draft';
import type { Transport } from '../../../gen/Transport';
import type { CompareRow } from '../../../gen/CompareRow';
import type { CompareRun } from '../../../gen/CompareRun';
import type { CompareTable } from '../../../gen/CompareTable';
import type { Comparison } from '../../../gen/Comparison';
import type { ComparisonSummary } from '../../../gen/ComparisonSummary';
import type { ComparisonUpdate } from '../../../gen/ComparisonUpdate';
import type { ComparisonView } from '../../../gen/ComparisonView';
import type { FigureUnit } from '../../../gen/FigureUnit';
import type { Lane } from '../../../gen/Lane';
import type { LaneReplay } from '../../../gen/LaneReplay';
import type { Preset } from '../../../gen/Preset';
import type { RunFigures } from '../../../gen/RunFigures';
import type { Statistic } from '../../../gen/Statistic';
import { IpcError } from '../backend';
import { REPLY, tokens } from './reply';

/** The pretended comparisons: runs play on the page's clock, figures are rough. `?compare=fail` makes a lane fail. */
const asked = new URLSearchParams(location.search).get('compare');
const WORDS = tokens(REPLY).slice(0, 75);
const TEXT = WORDS.join('');

interface Pretended {
  comparison: Comparison;
  startedAtMs: number;
  runs: CompareRun[];
  plan: { lane: number; n: number; warmup: boolean; at: number; replay: LaneReplay; run: CompareRun }[];
  endMs: number;
  stoppedAt: number | null;
}

const all = new Map<string, Pretended>();
const replays = new Map<string, LaneReplay>();

const lane = (transport: Transport, name: string, more: Partial<Draft> & Partial<Lane> = {}): Lane => ({
  name,
  draft: {
    provider: more.provider ?? 'lab',
    dialect: 'openai-responses',
    transport,
    http: more.http ?? '1.1',
    ask: {
      model: 'lab/steady',
      system: '',
      messages: [{ role: 'user', text: 'Explain frame and chunk in three protocols.' }],
      params: {},
      tools: [],
    },
    headers: [],
    insecure: false,
    keepOpen: false,
  },
  connection: more.connection ?? 'cold',
  coding: more.coding ?? '',
  deflate: more.deflate ?? false,
});

const preset = (id: string, name: string, about: string, lanes: Lane[]): Preset => ({
  id,
  name,
  about,
  comparison: { id: '', title: name, lanes, runs: 20, warmups: 2, order: 'interleaved', seed: 1, pauseMs: 0 },
  why: '',
});

export const presets = (): Preset[] => [
  preset('protocols', 'Three protocols, one prompt', 'Is WebSocket faster than SSE here?', [
    lane('http', 'HTTP'),
    lane('sse', 'SSE'),
    lane('websocket', 'WebSocket'),
  ]),
  preset('versions', 'HTTP/1.1 against 2', 'What do HTTP/2’s frames cost?', [
    lane('sse', 'HTTP/1.1'),
    lane('sse', 'HTTP/2', { http: '2' }),
  ]),
  preset('six', 'Six lanes', 'As many as can be.', [
    lane('http', 'HTTP'),
    lane('sse', 'SSE'),
    lane('websocket', 'WebSocket'),
    lane('ndjson', 'NDJSON'),
    lane('sse', 'SSE gzip', { coding: 'gzip' }),
    lane('websocket', 'WS deflate', { deflate: true }),
  ]),
  { id: 'none', name: 'Two providers', about: '', comparison: null, why: 'There is but one key.' },
];

function random(seed: number): () => number {
  let s = seed;
  return () => (s = (s * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

export function start(comparison: Comparison, session: (draft: Draft) => string): string {
  const id = `c${all.size}`;
  const rng = random(comparison.seed + 5);
  const made: Pretended = {
    comparison: { ...comparison, id },
    startedAtMs: Date.now(),
    runs: [],
    plan: [],
    endMs: 0,
    stoppedAt: null,
  };
  let at = 0;
  let order = 0;
  for (let round = 0; round < comparison.warmups + comparison.runs; round++) {
    const warmup = round < comparison.warmups;
    const n = warmup ? round + 1 : round - comparison.warmups + 1;
    const lanes = comparison.lanes.map((_, i) => i).sort(() => rng() - 0.5);
    const ends = lanes.map((i) => {
      const own = comparison.lanes[i]!;
      const replay = play(session(own.draft), own, rng);
      replays.set(replay.session, replay);
      const failed = asked === 'fail' && i === 1 && n > 3 && rng() < 0.4;
      const run: CompareRun = {
        lane: i,
        n,
        session: replay.session,
        warmup,
        order: order++,
        startedAtMs: made.startedAtMs + at,
        figures: figuresOf(replay, own),
        failure: failed
          ? { code: 'http-429', message: '429: rate limited', blame: 'peer', status: 429 }
          : null,
        clockJumpMs: null,
        sleptMs: null,
        stoodMs: null,
        within: false,
        disturbed: false,
        dateAheadMs: null,
      };
      made.plan.push({ lane: i, n, warmup, at, replay, run });
      const end = at + replay.endMs / speed;
      if (comparison.order === 'interleaved') at = end + comparison.pauseMs;
      return end;
    });
    at = Math.max(at, ...ends);
  }
  made.endMs = at;
  all.set(id, made);
  return id;
}

/** The first round plays at its pace; so that nobody waits, all go at four times the speed. */
const speed = 4;

function play(session: string, { draft }: Lane, rng: () => number): LaneReplay {
  const up = draft.transport === 'websocket' ? 43 : 0;
  const wait = 340 + rng() * 60 + rng() * rng() * 80;
  let t = 85 + up + wait;
  const ticks: [number, number][] = [];
  let length = 0;
  for (const word of WORDS) {
    length += word.length;
    ticks.push([t, length]);
    t += 6 + rng() * 20;
  }
  const shown = draft.transport === 'http' ? ([[t, TEXT.length]] as [number, number][]) : ticks;
  const phases = [
    { name: 'tcp', startMs: 0, endMs: 41 },
    { name: 'tls', startMs: 41, endMs: 85 },
    ...(up ? [{ name: 'upgrade', startMs: 85, endMs: 128 }] : []),
    { name: 'wait', startMs: 85 + up, endMs: shown[0]![0] },
  ];
  return { session, zeroMs: 0, endMs: t + 4, phases, text: TEXT, ticks: shown };
}

function figuresOf({ ticks, endMs }: LaneReplay, { draft, coding }: Lane): RunFigures {
  const gaps = ticks
    .slice(1)
    .map(([ms], i) => ms - ticks[i]![0])
    .sort((a, b) => a - b);
  const gap = (q: number) => (gaps.length ? gaps[Math.floor(q * (gaps.length - 1))]! : null);
  const kind = { http: 'json', sse: 'sse', websocket: 'ws', ndjson: 'ndjson', eventstream: 'eventstream' }[
    draft.transport
  ];
  const layers: [string, number][] =
    draft.transport === 'http'
      ? [
          ['http-head', 151],
          ['json', 249],
          ['text', 331],
        ]
      : [
          ['http-head', 204],
          ['chunk', 467],
          [kind, 616],
          ['json', coding ? 2300 : 13_238],
          ['text', 331],
        ];
  const down = layers.reduce((sum, [, n]) => sum + n, 0);
  const streamed = gaps.length > 0;
  const decode = ticks.at(-1)![0] - ticks[0]![0];
  return {
    dns: null,
    tcp: 40 + (endMs % 3),
    tls: 44 + (endMs % 2),
    ttfb: ticks[0]![0] - 3,
    ttft: ticks[0]![0],
    firstReasoning: null,
    firstText: ticks[0]![0],
    gapP50: gap(0.5),
    gapP95: gap(0.95),
    gapP99: gap(0.99),
    gapMax: gap(1),
    tpot: streamed ? decode / 74 : null,
    tokensPerS: streamed ? 74_000 / decode : null,
    total: endMs,
    bytesDown: down,
    bytesUp: 420,
    bytesTls: 96,
    bytesPerToken: down / 75,
    frames: ticks.length + 2,
    reads: ticks.length + 1,
    deltas: ticks.length,
    textShare: 331 / down,
    inputTokens: 12,
    outputTokens: 75,
    layers,
  };
}

const ROWS: readonly [string, keyof RunFigures, string, FigureUnit, boolean | null, Statistic][] = [
  ['tcp', 'tcp', 'TCP', 'ms', true, 'mean'],
  ['tls', 'tls', 'TLS', 'ms', true, 'mean'],
  ['ttft', 'ttft', 'TTFT', 'ms', true, 'mean'],
  ['ttft', 'ttft', 'TTFT', 'ms', true, 'median'],
  ['gap_p50', 'gapP50', 'Gap p50', 'ms', true, 'mean'],
  ['gap_p99', 'gapP99', 'Gap p99', 'ms', true, 'mean'],
  ['tokens_per_s', 'tokensPerS', 'Output tokens/s', 'rate', false, 'mean'],
  ['total', 'total', 'Total', 'ms', true, 'mean'],
  ['bytes_down', 'bytesDown', 'Bytes down', 'bytes', true, 'mean'],
  ['bytes_per_token', 'bytesPerToken', 'Bytes per token', 'bytes', true, 'mean'],
  ['deltas', 'deltas', 'Deltas', 'count', null, 'mean'],
  ['text_share', 'textShare', 'Text share', 'share', null, 'mean'],
];

function tableOf({ comparison, runs }: Pretended): CompareTable {
  const good = (i: number) => runs.filter((run) => run.lane === i && !run.warmup && !run.failure);
  const lanes = comparison.lanes.map((own, i) => ({
    letter: String.fromCharCode(65 + i),
    name: own.name,
    n: good(i).length,
    failed: runs.filter((run) => run.lane === i && !run.warmup && run.failure).length,
    disturbed: 0,
    warmups: runs.filter((run) => run.lane === i && run.warmup).length,
    causes: [],
    otherwise: [],
    layers: good(i)[0]?.figures.layers ?? [],
  }));
  if (lanes.every(({ n }) => n === 0)) return { lanes, rows: [], answers: [], notes: [] };
  const rows = ROWS.map(([figure, key, name, unit, lower, statistic]): CompareRow => {
    const cells = lanes.map(({ n, failed }, i) => {
      const values = good(i)
        .map(({ figures }) => figures[key])
        .filter((one): one is number => typeof one === 'number');
      const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
      const wide =
        (1.96 * Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / values.length)) /
        Math.sqrt(n || 1);
      const interval = n >= 5 ? { low: mean - wide, high: mean + wide * 1.05, approximate: n < 30 } : null;
      return {
        estimate: values.length ? { value: mean, interval } : null,
        n,
        failed,
        exact: wide === 0,
        best: false,
        why: values.length ? '' : 'one delivery',
      };
    });
    const there = cells
      .flatMap(({ estimate }, i) => (estimate ? [{ value: estimate.value, i }] : []))
      .sort((a, b) => a.value - b.value);
    if (
      lower !== null &&
      there.length > 1 &&
      Math.abs(there[0]!.value - there[1]!.value) > there[0]!.value * 0.03
    )
      cells[lower ? there[0]!.i : there.at(-1)!.i]!.best = true;
    const paired = there.slice(1).map(({ value, i }) => ({
      a: there[0]!.i,
      b: i,
      n: lanes[i]!.n,
      difference: {
        value: there[0]!.value - value,
        interval: {
          low: (there[0]!.value - value) * 1.1,
          high: (there[0]!.value - value) * 0.9,
          approximate: false,
        },
      },
      apart: true,
    }));
    return { figure, name, about: `${name} of a run`, statistic, unit, lowerIsBetter: lower, cells, paired };
  });
  const notes = ['Fewer than 30 runs: intervals are approximate.'];
  if (lanes.some(({ failed }) => failed))
    notes.unshift(
      'Lane B: some runs failed (http-429: rate limited). Its figures are of the other runs alone.',
    );
  const answers = ['TTFT: too few runs to say which lane is faster: 20 pairs of the 30 it takes.'];
  return { lanes, rows, answers, notes };
}

function advance(made: Pretended): number {
  const now = Math.min(made.stoppedAt ?? Infinity, made.endMs, Date.now() - made.startedAtMs);
  made.runs = made.plan.filter(({ at, replay }) => at + replay.endMs / speed <= now).map(({ run }) => run);
  return now;
}

function found(id: string): Pretended {
  const made = all.get(id);
  if (!made) throw new IpcError('not_found', `There is no comparison ${id}.`);
  return made;
}

function progressOf(made: Pretended) {
  const now = advance(made);
  const { runs, plan, stoppedAt, endMs } = made;
  const state =
    runs.length === plan.length
      ? ('done' as const)
      : stoppedAt !== null
        ? ('stopped' as const)
        : ('running' as const);
  return {
    state,
    done: runs.length,
    of: plan.length,
    failed: runs.filter(({ failure }) => failure).length,
    elapsedMs: now,
    leftMs: state === 'running' && runs.length ? endMs - now : null,
  };
}

export function view(id: string): ComparisonView {
  const made = found(id);
  const progress = progressOf(made);
  return {
    comparison: made.comparison,
    startedAtMs: made.startedAtMs,
    progress,
    runs: made.runs,
    table: tableOf(made),
  };
}

export const list = (): ComparisonSummary[] =>
  [...all].reverse().map(([id, made]) => {
    const { state, done, failed } = progressOf(made);
    const { title, lanes, runs } = made.comparison;
    return {
      id,
      title,
      lanes: lanes.map(({ name }) => name),
      startedAtMs: made.startedAtMs,
      runs,
      done,
      failed,
      state,
    };
  });

export function stop(id: string): null {
  const made = found(id);
  made.stoppedAt ??= Date.now() - made.startedAtMs;
  return null;
}

export function replay(session: string): LaneReplay {
  const known = replays.get(session);
  if (!known) throw new IpcError('not_found', 'There is no such run.');
  return known;
}

export const remove = (id: string): null => (all.delete(id), null);

export const cost = ({ lanes, runs, warmups }: Comparison) => ({
  requests: lanes.length * (runs + warmups),
  dropped: lanes.length * warmups,
  lanes: lanes.map(({ draft }) => ({
    requests: runs + warmups,
    free: draft.provider === 'lab',
    inputTokens: 12 * (runs + warmups),
    outputTokens: 75 * (runs + warmups),
    mostOutputTokens: null,
  })),
  problem: null,
});

export function watch(id: string, onUpdate: (update: ComparisonUpdate) => void): () => void {
  const made = found(id);
  const sent = new Map<string, number>();
  let told = 0;
  let tableAt = 0;
  const tick = () => {
    const progress = progressOf(made);
    const now = progress.elapsedMs;
    const lanes = made.plan
      .filter(
        ({ at, replay: one }) =>
          now >= at && !(sent.get(one.session) === -1) && now - at < one.endMs / speed + 60,
      )
      .map(({ lane: i, n, warmup, at, replay: one, run }) => {
        const t = Math.min((now - at) * speed, one.endMs);
        const over = t >= one.endMs;
        const before = sent.get(one.session) ?? 0;
        const came = one.ticks.filter(([ms]) => ms <= t).length;
        const from = before ? one.ticks[before - 1]![1] : 0;
        const to = came ? one.ticks[came - 1]![1] : 0;
        sent.set(one.session, over ? -1 : came);
        const text = run.failure ? '' : one.text.slice(from, to);
        const block = {
          index: 0,
          kind: 'text' as const,
          firstRow: 0,
          lastRow: 0,
          startMs: 0,
          endMs: t,
          deltas: came,
          offset: from,
          text,
        };
        return {
          lane: i,
          n,
          warmup,
          zeroMs: 0,
          ticks: one.ticks.slice(before, came).map(([ms]) => ms),
          update: {
            session: one.session,
            state: over
              ? ('done' as const)
              : t < 85
                ? ('connecting' as const)
                : came
                  ? ('streaming' as const)
                  : ('waiting' as const),
            elapsedMs: t,
            rows: came,
            blocks: text ? [block] : [],
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
            outcome: over
              ? { kind: run.failure ? ('failed' as const) : ('complete' as const), problem: null }
              : null,
          },
        };
      });
    const table = now - tableAt > 250 || progress.state !== 'running' ? tableOf(made) : null;
    if (table) tableAt = now;
    onUpdate({ id, progress, runs: made.runs.slice(told), table, lanes });
    told = made.runs.length;
    if (progress.state !== 'running') clearInterval(timer);
  };
  const timer = setInterval(tick, 33);
  return () => clearInterval(timer);
}
