import type { ByteShares } from '../../../gen/ByteShares';
import type { Block } from '../../../gen/Block';
import type { BlockKind } from '../../../gen/BlockKind';
import type { Draft } from '../../../gen/Draft';
import type { FrameDetail } from '../../../gen/FrameDetail';
import type { FrameRow } from '../../../gen/FrameRow';
import type { Metrics } from '../../../gen/Metrics';
import type { Node } from '../../../gen/Node';
import type { Owner } from '../../../gen/Owner';
import type { Problem } from '../../../gen/Problem';
import type { Ribbon } from '../../../gen/Ribbon';
import type { SessionInfo } from '../../../gen/SessionInfo';
import type { SessionSummary } from '../../../gen/SessionSummary';
import type { Update } from '../../../gen/Update';
import { IpcError } from '../backend';
import { REASONING, REPLY, TOOL, tokens } from './reply';

const encoder = new TextEncoder();
const LAYERS: Record<string, string> = {
  text: 'text-delta',
  reasoning: 'reasoning',
  tool_call: 'tool-call',
  usage: 'usage',
  finish: 'control',
  control: 'control',
  error: 'error',
};

interface Piece {
  row: FrameRow;
  text: string;
  /** Range in the bytes received. */
  start: number;
  end: number;
  block: number;
  at: number;
}

/** A pretended session: made whole from a seed, then shown as far as the clock has come. */
export class FakeSession {
  readonly info: SessionInfo;
  readonly pieces: Piece[] = [];
  readonly blocks: Block[] = [];
  readonly fail: Problem | null;
  totalMs = 0;
  stoppedAt: number | null = null;
  /** The socket stays open after a turn, until it is closed. */
  readonly #stays: boolean;
  readonly #parts: string[] = [];
  #offset = 0;
  #sent: string;
  #bytes: Uint8Array | null = null;
  readonly #watchers = new Map<(update: Update) => void, { sent: number; metricsAt: number }>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(id: string, draft: Draft, title: string, live: boolean) {
    const url = draft.url ?? `${draft.baseUrl ?? 'http://127.0.0.1:4780/openai/v1'}/chat/completions`;
    this.#stays = live && draft.keepOpen && draft.transport === 'websocket';
    this.info = { id, title, draft, url, startedAtMs: Date.now() - (live ? 0 : 60_000), live };
    const prompt = draft.ask.messages.at(-1)?.text ?? '';
    this.fail = failure(prompt);
    const body = JSON.stringify({ model: draft.ask.model, messages: draft.ask.messages, stream: true });
    this.#sent = `POST /openai/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:4780\r\ncontent-type: application/json\r\naccept: text/event-stream\r\ncontent-length: ${encoder.encode(body).length}\r\n\r\n${body}`;
    this.#make(prompt);
    if (live) this.#timer = setInterval(() => this.#tick(), 16);
  }

  get elapsed(): number {
    if (this.#stays && this.stoppedAt === null) return Date.now() - this.info.startedAtMs;
    return this.info.live
      ? Math.min(Date.now() - this.info.startedAtMs, this.stoppedAt ?? this.totalMs)
      : this.totalMs;
  }
  get done(): boolean {
    if (this.#stays && this.stoppedAt === null) return false;
    return !this.info.live || this.elapsed >= (this.stoppedAt ?? this.totalMs);
  }
  /** Rows that have come. */
  get rows(): number {
    const t = this.elapsed;
    let low = 0;
    let high = this.pieces.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.pieces[mid]!.row.tMs <= t) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  stop(): void {
    if (!this.done) this.stoppedAt = Date.now() - this.info.startedAtMs;
  }

  /** Another turn on the open socket. */
  say(text: string): void {
    if (this.done || !this.#stays) throw new IpcError('closed', 'The connection is closed.');
    let t = this.elapsed;
    this.#delta('said', { item: text }, text, t);
    t += 180;
    for (const token of tokens(`You said “${text}”. This turn came on the connection that was open.`)) {
      this.#delta('text', { content: token }, token, t);
      t += 20;
    }
    this.#delta('control', 'response.done', '', t);
    this.totalMs = t + 10;
  }

  tell(message: string): void {
    if (this.done || !this.#stays) throw new IpcError('closed', 'The connection is closed.');
    this.#delta('control', { sent: message }, '', this.elapsed);
    this.totalMs = this.elapsed + 1;
  }

  hangUp(): void {
    this.stop();
  }

  /** A second of a falling tone, as a WAV file. */
  sound(): Uint8Array {
    const rate = 24_000;
    const file = new DataView(new ArrayBuffer(44 + rate * 2));
    [...'RIFF'].forEach((c, i) => file.setUint8(i, c.charCodeAt(0)));
    [...'WAVEfmt '].forEach((c, i) => file.setUint8(8 + i, c.charCodeAt(0)));
    [...'data'].forEach((c, i) => file.setUint8(36 + i, c.charCodeAt(0)));
    file.setUint32(4, 36 + rate * 2, true);
    file.setUint32(16, 16, true);
    file.setUint16(20, 1, true);
    file.setUint16(22, 1, true);
    file.setUint32(24, rate, true);
    file.setUint32(28, rate * 2, true);
    file.setUint16(32, 2, true);
    file.setUint16(34, 16, true);
    file.setUint32(40, rate * 2, true);
    for (let i = 0; i < rate; i++)
      file.setInt16(44 + i * 2, 8000 * Math.sin((i / rate) * (660 - 220 * (i / rate)) * 6.28), true);
    return new Uint8Array(file.buffer);
  }

  watch(onUpdate: (update: Update) => void): () => void {
    this.#watchers.set(onUpdate, { sent: 0, metricsAt: -1000 });
    queueMicrotask(() => this.#send(onUpdate));
    return () => this.#watchers.delete(onUpdate);
  }

  bytes(out: boolean, start: number, len: number): Uint8Array {
    if (out) return encoder.encode(this.#sent).slice(start, start + len);
    this.#bytes ??= encoder.encode(this.#parts.join(''));
    return this.#bytes.slice(start, start + len);
  }

  detail(id: number): FrameDetail {
    const piece = this.pieces[id]!;
    const { row } = piece;
    const length = piece.end - piece.start;
    const base = { id, tMs: row.tMs, conn: 0, out: row.out, start: piece.start, end: piece.end };
    if (row.layer === 'http') {
      return {
        ...base,
        nodes: [
          node(
            0,
            row.out ? 'HTTP/1.1 request' : 'HTTP/1.1 response head',
            row.summary,
            'http-head',
            0,
            length,
          ),
        ],
        focus: 0,
        owners: [{ start: 0, end: length, layer: 'http-head' }],
        explain: 'The head ends at the first empty line (RFC 9112, section 2.1).',
        splits: [],
      };
    }
    const window = new TextDecoder().decode(this.bytes(false, piece.start, length));
    const sizeLine = window.indexOf('\r\n') + 2;
    const json = window.indexOf('data: ') + 6;
    const jsonEnd = length - 4;
    const layer = LAYERS[row.kind] ?? 'json';
    const quoted = encoder.encode(JSON.stringify(piece.text).slice(1, -1)).length;
    const inner = window.lastIndexOf(JSON.stringify(piece.text).slice(1, -1));
    const from = piece.text && inner > 0 ? encoder.encode(window.slice(0, inner)).length : json;
    const to = piece.text && inner > 0 ? from + quoted : jsonEnd;
    const nodes: Node[] = [
      node(0, `HTTP/1.1 chunk #${id}`, '', 'chunk', 0, length),
      node(1, 'chunk-size', window.slice(0, sizeLine - 2), 'chunk', 0, sizeLine),
      node(1, 'SSE event', 'message', 'sse', sizeLine, length - 2),
      node(2, 'field data', '', 'sse', sizeLine, jsonEnd + 1),
      node(3, 'JSON', '', 'json', json, jsonEnd),
      node(4, 'choices[0]', '', 'json', Math.max(json, from - 40), jsonEnd - 2),
      node(5, 'delta', '', 'json', Math.max(json, from - 12), to + 1),
      node(6, 'content', piece.text, layer, from, to),
    ];
    const owners: Owner[] = [
      { start: 0, end: sizeLine, layer: 'chunk' },
      { start: sizeLine, end: json, layer: 'sse' },
      { start: json, end: from, layer: 'json' },
      { start: from, end: to, layer },
      { start: to, end: jsonEnd, layer: 'json' },
      { start: jsonEnd, end: length - 2, layer: 'sse' },
      { start: length - 2, end: length, layer: 'chunk' },
    ].filter(({ start, end }) => end > start);
    return {
      ...base,
      nodes,
      focus: nodes.length - 1,
      owners,
      explain: 'An event is dispatched at the empty line that ends it (WHATWG HTML, 9.2.6).',
      splits: [],
    };
  }

  place(row: number) {
    const piece = this.pieces[row];
    if (!piece || piece.block < 0) return null;
    return { row, block: piece.block, start: piece.at, end: piece.at + piece.text.length };
  }

  locate(block: number, offset: number) {
    const piece = this.pieces.find(
      (p) => p.block === block && p.at <= offset && offset < p.at + p.text.length,
    );
    return piece ? this.place(piece.row.id) : null;
  }

  ribbon(fromMs: number, toMs: number | null, bins: number): Ribbon {
    const end = toMs ?? Math.max(1000, this.elapsed);
    const names = ['http', 'control', 'reasoning', 'text', 'tool'];
    const lanes = names.map((name) => ({ name, bins: new Array<number>(bins).fill(0) }));
    for (const { row } of this.pieces.slice(0, this.rows)) {
      const bin = Math.floor(((row.tMs - fromMs) / (end - fromMs)) * bins);
      const lane =
        row.layer === 'http'
          ? 0
          : row.kind === 'reasoning'
            ? 2
            : row.kind === 'text'
              ? 3
              : /tool|usage/.test(row.kind)
                ? 4
                : 1;
      if (bin >= 0 && bin < bins) lanes[lane]!.bins[bin]!++;
    }
    return {
      fromMs,
      toMs: end,
      lanes,
      phases: [
        { name: 'dns', startMs: 0, endMs: 12 },
        { name: 'tcp', startMs: 12, endMs: 36 },
        { name: 'tls', startMs: 36, endMs: 76 },
        { name: 'wait', startMs: 76, endMs: Math.min(312, Math.max(76, this.elapsed)) },
      ],
    };
  }

  /** Every row owns as much as any other: enough to be drawn. */
  shares(rows: number): ByteShares {
    const { metrics, rows: all } = this.#update({ sent: 0, metricsAt: -1000 });
    const layers = (metrics?.layers ?? []).map(([layer, bytes]): [string, number] => [
      layer,
      Math.round((bytes * rows) / Math.max(1, all)),
    ]);
    return { bytes: layers.reduce((sum, [, bytes]) => sum + bytes, 0), layers, of: metrics?.bytesDown ?? 0 };
  }

  summary(): SessionSummary {
    const update = this.#update({ sent: 0, metricsAt: -1000 });
    return {
      id: this.info.id,
      title: this.info.title,
      provider: this.info.draft.provider,
      model: this.info.draft.ask.model,
      dialect: this.info.draft.dialect,
      transport: this.info.draft.transport,
      startedAtMs: this.info.startedAtMs,
      totalMs: this.elapsed,
      frames: this.rows,
      bytesDown: update.metrics?.bytesDown ?? 0,
      ttftMs: 672,
      outcome: update.outcome?.kind ?? 'recording',
      problem: this.fail?.code ?? '',
      status: update.status,
      tags: [],
      prompt: this.info.draft.ask.messages.at(-1)?.text ?? '',
      reply: REPLY.slice(0, 2000),
      metrics: update.metrics,
    };
  }

  #push(
    row: Pick<FrameRow, 'kind' | 'layer' | 'out' | 'summary' | 'tMs'>,
    raw: string,
    text = '',
    block = -1,
  ): void {
    const start = row.out ? 0 : this.#offset;
    const size = encoder.encode(raw).length;
    const last = this.pieces.at(-1)?.row.tMs ?? 0;
    const id = this.pieces.length;
    const at = block < 0 ? 0 : (this.blocks[block]?.text.length ?? 0);
    this.pieces.push({
      row: { ...row, id, gapMs: row.tMs - last, size },
      text,
      start,
      end: start + size,
      block,
      at,
    });
    if (row.out) return;
    this.#offset += size;
    this.#parts.push(raw);
    this.#bytes = null;
  }

  /** An event that carries a delta, and the delta's place in its block. */
  #delta(kind: string, delta: unknown, text: string, t: number): void {
    const json = JSON.stringify({
      id: 'gen-1763855342-Qm4tWvK2',
      object: 'chat.completion.chunk',
      created: 1763855342,
      model: this.info.draft.ask.model,
      choices: [{ index: 0, delta, finish_reason: null }],
    });
    const data = `data: ${json}\n\n`;
    const raw = `${encoder.encode(data).length.toString(16)}\r\n${data}\r\n`;
    let block = -1;
    if (/^(text|reasoning|tool_call|said|audio)$/.test(kind)) {
      const known = this.blocks.at(-1);
      if (known?.kind === kind) block = known.index;
      else {
        block = this.blocks.length;
        this.blocks.push({
          index: block,
          kind: kind as BlockKind,
          firstRow: this.pieces.length,
          lastRow: 0,
          startMs: t,
          endMs: t,
          deltas: 0,
          offset: 0,
          text: '',
        });
      }
    }
    const shown = kind === 'audio' ? '' : text;
    this.#push({ kind, layer: 'sse', out: false, summary: text || kind, tMs: t }, raw, shown, block);
    if (block < 0) return;
    const b = this.blocks[block]!;
    b.text += shown;
    b.deltas++;
    b.lastRow = this.pieces.length - 1;
    b.endMs = t;
    if (kind === 'tool_call') b.tool = { id: TOOL.id, name: TOOL.name, arguments: b.text };
    if (kind === 'audio')
      b.media = { mediaType: 'audio/pcm;rate=24000', bytes: b.deltas * 4800, ms: b.deltas * 100 };
  }

  #make(prompt: string): void {
    const wanted = Number(/\b(\d{3,6}) frames\b/.exec(prompt)?.[1] ?? 0);
    const random = seeded(7);
    let t = 312;
    const head = (out: boolean, summary: string, raw: string) =>
      this.#push({ kind: 'head', layer: 'http', out, summary, tMs: out ? 76 : t }, raw);
    head(true, 'POST /openai/v1/chat/completions', this.#sent);
    if (this.fail) {
      if (this.fail.code === 'http_status')
        head(false, '429 Too Many Requests', 'HTTP/1.1 429 Too Many Requests\r\nretry-after: 12\r\n\r\n');
      this.totalMs = t + 3;
      return;
    }
    head(
      false,
      '200 OK',
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const event = (kind: string, delta: unknown, text: string) => this.#delta(kind, delta, text, t);
    event('control', { role: 'assistant', content: '' }, '');
    const pace = wanted ? 4000 / wanted : 18;
    t = 672;
    for (const token of tokens(REASONING)) {
      event('reasoning', { reasoning_content: token }, token);
      t += pace * (0.4 + random() * 1.2);
    }
    t += wanted ? 0 : 190;
    if (/\baloud\b/.test(prompt)) {
      for (let i = 0; i < 10; i++, t += 40) event('audio', { audio: 'AAAA' }, 'sound');
    }
    const words = tokens(REPLY);
    const repeat = wanted ? Math.ceil(wanted / (words.length + 2)) : 1;
    for (let i = 0; i < repeat; i++) {
      for (const token of i ? ['\n\n', ...words] : words) {
        event('text', { content: token }, token);
        t += random() < 0.01 && !wanted ? 140 : pace * (0.4 + random() * 1.2);
      }
    }
    if (!wanted) {
      for (const token of TOOL.arguments.match(/.{1,7}/g) ?? []) {
        event('tool_call', { tool_calls: [{ index: 0, function: { arguments: token } }] }, token);
        t += 16;
      }
    }
    event('finish', { finish: 'tool_calls' }, '');
    event('usage', { usage: { prompt_tokens: 148 } }, '');
    event('control', '[DONE]', '');
    this.totalMs = t + 40;
  }

  #tick(): void {
    for (const watcher of this.#watchers.keys()) this.#send(watcher);
    if (this.done) clearInterval(this.#timer);
  }

  #send(watcher: (update: Update) => void): void {
    const state = this.#watchers.get(watcher);
    if (state) watcher(this.#update(state));
  }

  #update(state: { sent: number; metricsAt: number }): Update {
    const rows = this.rows;
    const elapsed = this.elapsed;
    const done = this.done;
    const blocks = new Map<number, Block>();
    for (const piece of this.pieces.slice(state.sent, rows)) {
      if (piece.block < 0) continue;
      const whole = this.blocks[piece.block]!;
      const known = blocks.get(piece.block) ?? { ...whole, offset: piece.at, text: '', deltas: 0 };
      known.text += piece.text;
      known.lastRow = piece.row.id;
      known.endMs = piece.row.tMs;
      known.deltas = piece.row.id - whole.firstRow + 1;
      blocks.set(piece.block, known);
    }
    state.sent = rows;
    const figures = done || elapsed - state.metricsAt >= 250;
    if (figures) state.metricsAt = elapsed;
    const counts = new Map<string, number>();
    if (figures)
      for (const { row } of this.pieces.slice(0, rows)) counts.set(row.kind, (counts.get(row.kind) ?? 0) + 1);
    const cancelled = this.stoppedAt !== null && !this.#stays;
    return {
      session: this.info.id,
      state: done
        ? 'done'
        : this.#stays && elapsed >= this.totalMs
          ? 'open'
          : elapsed < 76
            ? 'connecting'
            : elapsed < 312
              ? 'waiting'
              : 'streaming',
      elapsedMs: elapsed,
      rows,
      blocks: [...blocks.values()],
      metrics: figures ? this.#metrics(rows, elapsed, done) : null,
      kinds: figures ? [...counts].map(([kind, count]) => ({ kind, count })) : null,
      usage:
        done && !cancelled && !this.fail
          ? {
              input_tokens: 148,
              output_tokens: 230,
              total_tokens: 378,
              reasoning_tokens: 82,
              cached_tokens: null,
              output_includes_reasoning: true,
              input_includes_cached: null,
            }
          : null,
      finish: done && !cancelled && !this.fail ? 'tool_calls' : null,
      requestId: elapsed >= 312 ? 'req_011CSHoEeqs5C35K2UUqR7Fy' : null,
      limits:
        elapsed >= 312
          ? [
              { name: 'requests', limit: 5000, remaining: 4999, resetMs: 12 },
              { name: 'tokens', limit: 160_000, remaining: 159_976, resetMs: 360_000 },
              ...(this.fail ? [{ name: 'retry', limit: null, remaining: null, resetMs: 12_000 }] : []),
            ]
          : null,
      replyId: null,
      signature: elapsed >= this.totalMs ? 'EqoBCkYIARgCIkDx' : null,
      status: elapsed >= 312 ? (this.fail ? (this.fail.code === 'http_status' ? 429 : null) : 200) : null,
      http: '1.1',
      connection: elapsed > 76 ? ['TLSv1.3', '203.0.113.24:443'] : null,
      outcome: done
        ? this.fail
          ? { kind: 'failed', problem: this.fail }
          : { kind: cancelled ? 'cancelled' : 'complete', problem: null }
        : null,
    };
  }

  #metrics(rows: number, elapsed: number, done: boolean): Metrics {
    const shown = this.pieces.slice(0, rows);
    const down = shown.reduce((sum, piece) => sum + (piece.row.out ? 0 : piece.row.size), 0);
    const content = shown.filter(({ row }) => row.kind === 'text' || row.kind === 'reasoning');
    const first = content[0]?.row.tMs ?? null;
    const text = content.reduce((sum, piece) => sum + piece.text.length, 0);
    const gaps = content
      .slice(1)
      .map(({ row }) => row.gapMs)
      .sort((a, b) => a - b);
    return {
      dnsMs: 12,
      tcpMs: 24,
      tlsMs: 40,
      ttfbMs: elapsed > 312 ? 312 : null,
      ttftMs: first,
      firstTextMs: content.find(({ row }) => row.kind === 'text')?.row.tMs ?? null,
      totalMs: done ? elapsed : null,
      rate:
        first === null
          ? null
          : { value: content.length / Math.max(0.1, (elapsed - first) / 1000), estimate: !done },
      gapP50Ms: gaps[gaps.length >> 1] ?? null,
      gapP99Ms: gaps[Math.floor(gaps.length * 0.99)] ?? null,
      frames: rows,
      deltas: content.length,
      bytesDown: down,
      bytesUp: this.#sent.length,
      bytesText: text,
      bytesTls: 0,
      layers: [
        ['json', Math.max(0, down - text - rows * 14)],
        ['sse', rows * 8],
        ['chunk', rows * 6],
        ['text', text],
      ],
    };
  }
}

function node(depth: number, label: string, value: string, layer: string, start: number, end: number): Node {
  return { depth, label, value, layer, spans: [[start, end]] };
}

function seeded(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s * 1664525 + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

function failure(prompt: string): Problem | null {
  if (/\b429\b/.test(prompt)) {
    return {
      code: 'http_status',
      blame: 'peer',
      message: '429: rate limited, retry in 12 s',
      consequence: 'The provider refused the request, so nothing was generated.',
      evidence: 'HTTP/1.1 429 Too Many Requests\nretry-after: 12\nx-ratelimit-remaining-requests: 0',
      next: 'Send again in 12 s.',
    };
  }
  if (/\brefuse\b/.test(prompt)) {
    return {
      code: 'connect_refused',
      blame: 'network',
      message: 'Could not connect to 127.0.0.1:4780',
      consequence: 'Nothing was sent, so no tokens were used.',
      evidence: 'DNS   not needed\nTCP   refused  127.0.0.1:4780  0.2 ms\nTLS   not tried',
      next: 'Start the server, or check the address.',
    };
  }
  return null;
}
