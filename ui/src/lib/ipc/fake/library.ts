import type { Draft } from '../../../gen/Draft';
import type { SessionSummary } from '../../../gen/SessionSummary';
import type { SessionsQuery } from '../../../gen/SessionsQuery';
import type { Transport } from '../../../gen/Transport';

/** Titles and figures of a library that was never recorded. */
type Row = [
  title: string,
  provider: string,
  transport: Transport,
  hoursAgo: number,
  totalMs: number,
  frames: number,
  bytes: number,
  ttftMs: number | null,
  outcome: string,
  problem: string,
  status: number | null,
  tags: string,
];

const ROWS: readonly Row[] = [
  [
    'Decode question, utf8-split',
    'openrouter',
    'sse',
    0.2,
    4860,
    237,
    47_468,
    672,
    'complete',
    '',
    200,
    'utf8 tools',
  ],
  [
    'Three protocols, run 20 C',
    'lab',
    'websocket',
    0.5,
    1790,
    81,
    10_900,
    483,
    'complete',
    '',
    101,
    'compare',
  ],
  ['Three protocols, run 20 B', 'lab', 'sse', 0.5, 1720, 79, 14_900, 450, 'complete', '', 200, 'compare'],
  ['Three protocols, run 20 A', 'lab', 'http', 0.5, 1720, 2, 731, 1710, 'complete', '', 200, 'compare'],
  ['Drop after 40 tokens', 'lab', 'sse', 1, 980, 44, 7_400, 361, 'cut', 'reset', 200, 'fault'],
  [
    'Realtime transcript',
    'openai',
    'websocket',
    2.7,
    38_400,
    1204,
    612_000,
    298,
    'complete',
    '',
    101,
    'realtime',
  ],
  ['Long context, 96k prompt', 'openai', 'sse', 3.1, 21_870, 882, 171_000, 3940, 'complete', '', 200, 'long'],
  [
    'Burst of 12, key rotation',
    'deepseek',
    'sse',
    3.5,
    210,
    2,
    642,
    null,
    'failed',
    'http-status',
    429,
    'limits',
  ],
  ['Local llama, NDJSON', 'llamacpp', 'ndjson', 4.8, 9330, 264, 33_000, 212, 'complete', '', 200, 'local'],
  [
    'Malformed JSON at event 17',
    'lab',
    'sse',
    5.2,
    880,
    19,
    3_900,
    349,
    'failed',
    'parse-error',
    200,
    'fault',
  ],
  [
    'Stall of 30 s, idle timeout',
    'lab',
    'sse',
    5.3,
    30_020,
    22,
    4_400,
    351,
    'failed',
    'timed-out',
    200,
    'fault',
  ],
  ['Function calling', 'openai', 'sse', 30, 2950, 31, 18_200, 824, 'complete', '', 200, 'tools'],
  [
    'Close 1011 in the middle',
    'lab',
    'websocket',
    31,
    1100,
    44,
    6_000,
    355,
    'cut',
    'closed-1011',
    101,
    'fault',
  ],
  ['HTTP/2 and 1.1, same prompt', 'openai', 'sse', 32, 3410, 142, 29_600, 511, 'complete', '', 200, 'h2'],
  ['Stopped by me', 'deepseek', 'sse', 33, 6770, 305, 60_100, 1260, 'cancelled', 'cancelled', 200, ''],
  ['Header diff, gateway off', '', 'http', 200, 2080, 2, 1_900, 2080, 'complete', '', 200, 'gateway'],
  ['CR-only newlines', 'lab', 'sse', 201, 1660, 76, 14_100, 348, 'complete', '', 200, 'fault parser'],
  ['Slow drip, 1 B per write', 'lab', 'sse', 202, 15_090, 76, 14_100, 402, 'complete', '', 200, 'fault'],
  ['Bad TLS name', '', 'http', 230, 70, 0, 0, null, 'failed', 'tls-error', null, ''],
  ['Structured output, strict', 'openai', 'sse', 231, 2220, 98, 20_300, 476, 'complete', '', 200, 'json'],
  [
    'Batch smoke, 50 prompts',
    'openrouter',
    'sse',
    232,
    4020,
    1630,
    318_000,
    141,
    'complete',
    '',
    200,
    'batch',
  ],
  ['Ping every 20 s', 'openai', 'websocket', 260, 301_600, 64, 8_800, 305, 'complete', '', 101, 'realtime'],
  [
    'Proxy buffers the stream',
    'openrouter',
    'sse',
    261,
    3900,
    181,
    37_700,
    3710,
    'complete',
    '',
    200,
    'proxy',
  ],
  ['Compressed events, gzip', 'openrouter', 'sse', 300, 2600, 120, 7_200, 533, 'complete', '', 200, 'gzip'],
  ['First call', 'lab', 'sse', 301, 1750, 79, 14_900, 352, 'complete', '', 200, ''],
];
const seeded = new Map(ROWS.map((row, i) => [`s${i}`, row]));

/** What the library holds at first. */
export function seeds(): { id: string; title: string; draft: Draft }[] {
  return [...seeded].map(([id, [title, provider, transport]]) => ({
    id,
    title,
    draft: {
      provider,
      dialect: 'openai-chat',
      transport,
      http: '1.1',
      ask: {
        model: provider === 'lab' ? 'lab/steady' : 'deepseek/deepseek-r1',
        system: '',
        messages: [{ role: 'user', text: `${title}: why, and what is the fix?` }],
        params: {},
        tools: [],
      },
      headers: [],
      insecure: false,
      keepOpen: false,
    },
  }));
}

/** A session's summary with the figures the library pretends it has. */
export function withSeed(summary: SessionSummary, tags: string[] | undefined): SessionSummary {
  const row = seeded.get(summary.id);
  if (!row) return tags ? { ...summary, tags } : summary;
  const [, , , hoursAgo, totalMs, frames, bytesDown, ttftMs, outcome, problem, status, named] = row;
  const metrics = summary.metrics && { ...summary.metrics, bytesDown, frames, ttftMs, totalMs };
  return {
    ...summary,
    startedAtMs: summary.startedAtMs - hoursAgo * 3_600_000,
    totalMs,
    frames,
    bytesDown,
    ttftMs,
    outcome,
    problem,
    status,
    metrics,
    tags: tags ?? named.split(' ').filter(Boolean),
  };
}

export function matches(session: SessionSummary, query: SessionsQuery): boolean {
  return (
    `${session.title} ${session.prompt} ${session.reply}`.toLowerCase().includes(query.text.toLowerCase()) &&
    (!query.provider || session.provider === query.provider) &&
    (!query.transport || session.transport === query.transport) &&
    (!query.outcome || session.outcome === query.outcome) &&
    (!query.tag || session.tags.includes(query.tag)) &&
    session.startedAtMs >= query.sinceMs
  );
}
