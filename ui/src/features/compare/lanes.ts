import type { Draft } from '../../gen/Draft';
import type { Transport } from '../../gen/Transport';
import type { Lane } from '../../gen/Lane';

export const FEWEST_LANES = 2;
export const MOST_LANES = 6;

/** The hue of a lane is that of its protocol. */
export const HUES: Record<Transport, string> = {
  http: 'http-head',
  sse: 'sse',
  ndjson: 'json',
  websocket: 'ws',
  eventstream: 'eventstream',
};

export const TRANSPORTS: Record<Transport, { name: string; about: string }> = {
  http: { name: 'HTTP', about: 'request and response' },
  sse: { name: 'SSE', about: 'events on one response' },
  ndjson: { name: 'NDJSON', about: 'lines of one response' },
  websocket: { name: 'WebSocket', about: 'messages on one socket' },
  eventstream: { name: 'Event stream', about: 'AWS frames on one response' },
};

/** Lines of lanes that share a hue are told apart by these. */
export const DASHES: readonly (readonly number[])[] = [[], [5, 2], [2, 2], [8, 2, 2, 2], [1, 3], [10, 3]];

/** Lanes are A to F, by position. */
export const letter = (lane: number): string => String.fromCharCode(65 + lane);

/** A lane for a draft, on connections of its own. */
export function laneOf(draft: Draft, name = TRANSPORTS[draft.transport].name): Lane {
  return { name, draft, connection: 'cold', coding: '', deflate: false };
}

/** Two lanes of one name cannot be told apart in a table: the name of a copy gets the next free number. */
export function copyName(name: string, lanes: readonly Lane[]): string {
  const stem = name.replace(/ \d+$/, '');
  const taken = new Set(lanes.map((lane) => lane.name));
  let n = 2;
  while (taken.has(`${stem} ${n}`)) n++;
  return `${stem} ${n}`;
}

/** How the reply travels in a lane, in a few words. */
export function wireOf({ draft, connection, coding, deflate }: Lane): string {
  const http =
    draft.transport === 'websocket'
      ? 'HTTP/1.1 upgrade'
      : draft.http === 'auto'
        ? 'HTTP auto'
        : `HTTP/${draft.http}`;
  const more = [
    coding,
    deflate && draft.transport === 'websocket' && 'deflate',
    connection === 'reused' && 'reused',
  ];
  return [http, ...more].filter(Boolean).join(' · ');
}

/** The prompt all lanes share: the newest turn of the first. */
export function promptOf(lanes: readonly Lane[]): string {
  return lanes[0]?.draft.ask.messages.at(-1)?.text ?? '';
}

/** Lanes that ask the first one's question get another; one with a question of its own keeps it. */
export function withPrompt(lanes: readonly Lane[], text: string): Lane[] {
  const before = promptOf(lanes);
  return lanes.map((lane) => (promptOf([lane]) === before ? asking(lane, text) : lane));
}

/** A lane that asks `text`. */
export function asking(lane: Lane, text: string): Lane {
  const messages = [...lane.draft.ask.messages.slice(0, -1), { role: 'user' as const, text }];
  return { ...lane, draft: { ...lane.draft, ask: { ...lane.draft.ask, messages } } };
}

/** In what a lane asks something else than the first: words for people, empty where it asks the same. */
export function differences(lanes: readonly Lane[], lane: number): string[] {
  const first = lanes[0]?.draft.ask;
  const own = lanes[lane]?.draft.ask;
  if (!first || !own || lane === 0) return [];
  const found: string[] = [];
  const differ = (one: unknown, other: unknown) =>
    JSON.stringify(one ?? null) !== JSON.stringify(other ?? null);
  if (differ(first.messages, own.messages)) found.push('prompt');
  if (differ(first.system, own.system)) found.push('system prompt');
  if (differ(first.params, own.params)) found.push('parameters');
  if (differ(first.tools, own.tools)) found.push('tools');
  if (differ(first.output, own.output)) found.push('output format');
  if (differ(first.rawBody, own.rawBody)) found.push('raw body');
  return found;
}

const FAULT = 'x-lab-fault';

/** The fault that all the lanes to the Lab ask for; "" for none or several. */
export function faultOf(lanes: readonly Lane[]): string {
  const named = lanes
    .filter(({ draft }) => draft.provider === 'lab')
    .map(({ draft }) => draft.headers.find(({ name }) => name === FAULT)?.value ?? '');
  return named.every((one) => one === named[0]) ? (named[0] ?? '') : '';
}

/** The same lanes with a fault of the Lab, by its name; "" takes it away. Other providers know no faults. */
export function withFault(lanes: readonly Lane[], fault: string): Lane[] {
  return lanes.map((lane) => {
    if (lane.draft.provider !== 'lab') return lane;
    const headers = lane.draft.headers.filter(({ name }) => name !== FAULT);
    if (fault) headers.push({ name: FAULT, value: fault });
    return { ...lane, draft: { ...lane.draft, headers } };
  });
}

/** The same lanes with another system prompt, in those that have the first one's. */
export function withSystem(lanes: readonly Lane[], system: string): Lane[] {
  const before = lanes[0]?.draft.ask.system;
  return lanes.map((lane) => {
    const { ask } = lane.draft;
    return ask.system === before ? { ...lane, draft: { ...lane.draft, ask: { ...ask, system } } } : lane;
  });
}
