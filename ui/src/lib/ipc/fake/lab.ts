import type { LabConnection } from '../../../gen/LabConnection';
import type { LabRecipe } from '../../../gen/LabRecipe';
import type { LabSettings } from '../../../gen/LabSettings';
import type { LabState } from '../../../gen/LabState';

/** The pretended Lab: settings are kept, connections are made up. `?lab=off` and `?lab=taken` show it not running. */
const ADDRESS = 'http://127.0.0.1:4780';
const asked = new URLSearchParams(location.search).get('lab');

const recipe = (
  id: string,
  name: string,
  description: string,
  unit?: string,
  preset = 0,
  max = 1e6,
): LabRecipe => ({
  id,
  name,
  description,
  incident: 'what happens to real services',
  parameter: unit === undefined ? null : { unit, default: preset, min: 0, max },
});
const RECIPES: LabRecipe[] = [
  recipe('drop-after', 'Drop mid-stream', 'TCP reset after so many tokens', 'tok', 40),
  recipe('cut-after', 'Cut mid-stream', 'the socket closes (FIN) in the middle of the body', 'tok', 40),
  recipe('stall', 'Stall', 'no bytes for a while after 10 tokens, socket open', 's', 30, 3600),
  recipe('split-utf8', 'Split UTF-8', 'a chunk or fragment ends inside a character', 'every', 7),
  recipe('cr-only', 'CR-only newlines', 'legal SSE that breaks simple parsers'),
  recipe('malformed-json', 'Malformed JSON', 'one event with a cut brace', 'event', 17),
  recipe('invalid-utf8', 'Invalid UTF-8', 'one event with a byte no UTF-8 text has', 'event', 5),
  recipe('status-429', '429 with Retry-After', 'before the first byte', 's', 12, 86_400),
  recipe('status-500', '500 server error', 'JSON error before the first byte'),
  recipe('html-error', 'HTML error page', '502 from a proxy that speaks HTML'),
  recipe('redirect', 'Redirect', '307 to /echo'),
  recipe('slow-drip', 'Slow drip', 'one byte per write', 'ms', 5, 60_000),
  recipe('close', 'Close 1011', 'WebSocket server error after so many tokens', 'tok', 40),
  recipe('ws-refuse', 'Refused handshake', 'the WebSocket upgrade gets an HTTP error', '', 403, 599),
  recipe('oversized', 'Oversized frame', 'one WebSocket message over the limit', 'B', 16 << 20, 1 << 30),
  recipe('huge-line', 'Huge line', 'one SSE line of this length', 'B', 64 << 20, 1 << 30),
];

type Pretended = [
  client: string,
  transport: LabConnection['transport'],
  path: string,
  state: LabConnection['state'],
  age: number,
  tokens: number | null,
  bytes: number,
  fault: string,
];
const CHAT = '/openai/v1/chat/completions';
const RESPONSES = '/openai/v1/responses';
const CONNECTIONS: Pretended[] = [
  ['Weir', 'sse', CHAT, { kind: 'streaming' }, 1210, 58, 9800, 'split-utf8'],
  ['curl/8.5.0', 'sse', RESPONSES, { kind: 'streaming' }, 4020, 103, 38_100, 'split-utf8'],
  ['python-httpx/0.27', 'ws', RESPONSES, { kind: 'idle' }, 31_700, 0, 1100, 'none'],
  ['Weir', 'sse', CHAT, { kind: 'dropped', by: 'lab' }, 980, 40, 7400, 'drop-after'],
  ['okhttp/4.12', 'sse', RESPONSES, { kind: 'complete' }, 2310, 120, 15_000, 'none'],
  ['node', 'http', '/echo', { kind: 'complete' }, 3, null, 214, 'none'],
  ['Weir', 'ws', RESPONSES, { kind: 'closed', code: 1011 }, 710, 40, 5200, 'close'],
];

let running = asked === null;
let open = true;
let settings: LabSettings = {
  pace: {
    ttft_ms: 350,
    tokens_per_second: 60,
    jitter_percent: 25,
    reply_tokens: 120,
    tokens_per_event: 1,
    seed: 7,
    shape: 'steady',
  },
  reply: 'lesson',
  faults: RECIPES.map(({ id, parameter }) => ({
    id,
    on: id === 'drop-after' || id === 'split-utf8',
    value: parameter?.default ?? 0,
  })),
  http2: true,
};

export function labState(): LabState {
  return {
    running,
    address: running ? ADDRESS : '',
    tlsAddress: running ? ADDRESS.replace(/^http:\/\/[^:]*/, 'https://localhost') : '',
    certificate: running ? '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n' : '',
    port: 4780,
    http2: settings.http2,
    settings,
    endpoints: [
      { name: 'OpenAI Chat', transport: 'sse', path: CHAT, base: '/openai/v1' },
      { name: 'OpenAI Responses', transport: 'sse', path: RESPONSES, base: '/openai/v1' },
      { name: 'OpenAI Responses', transport: 'ws', path: RESPONSES, base: '/openai/v1' },
      { name: 'OpenAI models', transport: 'http', path: '/openai/v1/models', base: '/openai/v1' },
      { name: 'Plain echo', transport: 'http', path: '/echo', base: null },
      { name: 'WebSocket echo', transport: 'ws', path: '/echo/ws', base: null },
      { name: 'Plain events', transport: 'sse', path: '/sse', base: null },
      { name: 'Flood of events', transport: 'sse', path: '/flood', base: null },
      { name: 'Flood of messages', transport: 'ws', path: '/flood/ws', base: null },
    ],
    connections: {
      open: running && open ? 3 : 0,
      since_start: 18,
      rows: running
        ? CONNECTIONS.map(([client, transport, path, state, age_ms, tokens, bytes, fault], i) => ({
            id: 18 - i,
            client,
            transport,
            path,
            state: open || i > 2 ? state : { kind: 'dropped', by: 'lab' },
            age_ms,
            tokens,
            of: tokens === null ? null : 120,
            bytes,
            fault,
          }))
        : [],
    },
    recipes: RECIPES,
    problem:
      asked === 'taken' && !running
        ? {
            code: 'port-taken',
            blame: 'local',
            message: 'Port 4780 is taken by another program.',
            consequence: 'The Lab does not run; everything else works without it.',
            evidence: 'bind 127.0.0.1:4780: Address already in use (os error 98)',
            next: 'Choose another port in Settings, or end the other program.',
          }
        : null,
  };
}

export function runLab(on: boolean): LabState {
  running = on;
  return labState();
}

export function setLab(next: LabSettings): LabState {
  settings = next;
  return labState();
}

export function closeConnections(): null {
  open = false;
  return null;
}
