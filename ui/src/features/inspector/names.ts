/** How kinds, layers and row ids read, and which hue each has. */
import type { LayerName } from '../../lib/canvas';

interface Name {
  label: string;
  hue: LayerName;
}

const KINDS: Readonly<Record<string, Name>> = {
  connection: { label: 'connection', hue: 'http-head' },
  head: { label: 'head', hue: 'http-head' },
  message: { label: 'message', hue: 'text-delta' },
  reasoning: { label: 'reasoning', hue: 'reasoning' },
  text: { label: 'text', hue: 'text-delta' },
  refusal: { label: 'refusal', hue: 'error' },
  tool_call: { label: 'tool call', hue: 'tool-call' },
  audio: { label: 'audio', hue: 'text-delta' },
  said: { label: 'said', hue: 'control' },
  usage: { label: 'usage', hue: 'usage' },
  finish: { label: 'finish', hue: 'control' },
  control: { label: 'control', hue: 'control' },
  comment: { label: 'comment', hue: 'control' },
  retry: { label: 'retry', hue: 'control' },
  request: { label: 'request', hue: 'json' },
  warning: { label: 'warning', hue: 'error' },
  error: { label: 'error', hue: 'error' },
  unknown: { label: 'unknown', hue: 'control' },
  incomplete: { label: 'incomplete', hue: 'error' },
  chunk: { label: 'chunk', hue: 'chunk' },
  frame: { label: 'frame', hue: 'h2' },
};

const LAYER_NAMES: Readonly<Record<string, Name>> = {
  http: { label: 'HTTP', hue: 'http-head' },
  chunk: { label: 'chunk', hue: 'chunk' },
  h2: { label: 'HTTP/2', hue: 'h2' },
  sse: { label: 'SSE', hue: 'sse' },
  ndjson: { label: 'NDJSON', hue: 'json' },
  eventstream: { label: 'EVS', hue: 'eventstream' },
  ws: { label: 'WS', hue: 'ws' },
  body: { label: 'body', hue: 'json' },
};

/** Kinds that the legend always shows, in its order. */
export const USUAL_KINDS = ['head', 'reasoning', 'text', 'tool_call', 'usage', 'control'] as const;
/** Kinds of carriers: rows that are shown only when the filter names them. */
export const CARRIER_KINDS: readonly string[] = ['chunk', 'frame'];
/** All kinds in legend order. */
export const ALL_KINDS: readonly string[] = Object.keys(KINDS);
/** All layers that rows stand in. */
export const ALL_LAYERS: readonly string[] = Object.keys(LAYER_NAMES);

export function kindName(kind: string): Name {
  return KINDS[kind] ?? { label: kind, hue: 'control' };
}

export function layerName(layer: string): Name {
  return LAYER_NAMES[layer] ?? { label: layer, hue: 'control' };
}

/** A layer of the tree in few letters, for the byte bar. */
export function hueLabel(hue: string): string {
  const short: Record<string, string> = {
    'http-head': 'HTTP',
    h2: 'HTTP/2',
    sse: 'SSE',
    eventstream: 'EVS',
    ws: 'WS',
    json: 'JSON',
    'text-delta': 'text',
    'tool-call': 'tool call',
  };
  return short[hue] ?? hue;
}

const CARRIER = 0x8000_0000;

/** Rows with bit 31 set are chunks, DATA frames and fragments. */
export function isCarrier(row: number): boolean {
  return row >= CARRIER;
}

/** A row id as people read it: `124`, or `c12` for a carrier. */
export function rowLabel(row: number): string {
  return isCarrier(row) ? `c${row - CARRIER}` : String(row);
}

/** What `rowLabel` wrote, back to an id; null where it is none. */
export function rowOf(label: string): number | null {
  const found = /^(c?)(\d{1,10})$/.exec(label.trim());
  if (!found) return null;
  const n = Number(found[2]);
  if (n >= CARRIER) return null;
  return found[1] ? n + CARRIER : n;
}

/** Outer spaces made visible: token boundaries are whitespace bugs. */
export function dotted(text: string): { lead: string; body: string; trail: string } {
  const body = text.trim();
  if (!body) return { lead: marks(text), body: '', trail: '' };
  const at = text.indexOf(body);
  return {
    lead: marks(text.slice(0, at)),
    body: body.replace(/\r\n|\r|\n/g, '⏎').replace(/\t/g, '⇥'),
    trail: marks(text.slice(at + body.length)),
  };
}

function marks(space: string): string {
  return space
    .replace(/\r\n|\r|\n/g, '⏎')
    .replace(/\t/g, '⇥')
    .replace(/[^⏎⇥]/g, '·');
}
