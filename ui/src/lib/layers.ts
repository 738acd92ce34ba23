/** The layers that own bytes: their order on the wire, hues and names. */

/** Layers from the outside in: name in the figures, hue, name for people. */
export const LAYERS: readonly (readonly [string, string, string])[] = [
  ['http-head', 'http-head', 'HTTP head'],
  ['chunk', 'chunk', 'chunk framing'],
  ['h2', 'h2', 'HTTP/2 framing'],
  ['body', 'json', 'body'],
  ['content-coding', 'control', 'compressed'],
  ['sse', 'sse', 'SSE syntax'],
  ['ndjson', 'json', 'line ends'],
  ['eventstream', 'eventstream', 'event stream framing'],
  ['ws', 'ws', 'WS headers'],
  ['json', 'json', 'JSON envelope'],
  ['control', 'control', 'control'],
  ['usage', 'usage', 'usage'],
  ['tool-call', 'tool-call', 'tool calls'],
  ['reasoning', 'reasoning', 'reasoning'],
  ['text', 'text-delta', 'text'],
];

export function layerName(layer: string): { hue: string; name: string } {
  const known = LAYERS.find(([id]) => id === layer);
  return known ? { hue: known[1], name: known[2] } : { hue: 'control', name: layer };
}

/** Layers in the order they lie on the wire, without those that hold nothing. */
export function ordered(layers: readonly [string, number][]): [string, number][] {
  const place = (layer: string) => {
    const at = LAYERS.findIndex(([id]) => id === layer);
    return at < 0 ? LAYERS.length : at;
  };
  return layers.filter(([, bytes]) => bytes > 0).sort(([a], [b]) => place(a) - place(b));
}
