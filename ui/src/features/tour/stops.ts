import type { Draft } from '../../gen/Draft';
import * as marks from './marks';
import type { Stage } from './stage.svelte';
import type { TourText } from './text';

type Says = TourText['says'];
export type StopId = keyof Says;
export type ActId = keyof TourText['acts'];
export type SceneId = 'main' | Exclude<keyof TourText['scenes'], 'label'>;

/** One sentence of a stop. */
export interface Sentence {
  /** Its key in the texts. */
  say: string;
  /** The frame it explains: of which act, and how to find it. */
  frame?: readonly [ActId, marks.Mark];
  /** The part of that frame it speaks of, as the layer tree labels it. */
  part?: string;
  /** Where the rule stands. */
  cite?: string;
}

/** Some requests to the Lab that show one thing, and the sentences that explain their frames. */
export interface Scene {
  id: SceneId;
  acts: readonly ActId[];
  sentences: readonly Sentence[];
  /** Sends the requests; ends when all has come. */
  play: (stage: Stage, prompts: TourText['prompts']) => Promise<void>;
}

export interface Stop {
  id: StopId;
  scenes: readonly Scene[];
}

type Lab = Readonly<Record<string, string | number>>;

/** A request to the Lab, at a pace of the tour's own and with no fault but those it names. */
function draft(over: Partial<Draft>, prompt: string, lab: Lab = {}): Draft {
  const asked = { fault: 'none', ...lab };
  return {
    provider: 'lab',
    dialect: 'openai-chat',
    transport: 'sse',
    http: '1.1',
    ask: {
      model: 'lab/steady',
      system: '',
      messages: [{ role: 'user', text: prompt }],
      params: {},
      tools: [],
    },
    headers: Object.entries(asked).map(([name, value]) => ({ name: `x-lab-${name}`, value: String(value) })),
    insecure: false,
    keepOpen: false,
    ...over,
  };
}

/** The same question over the three: what one fault does to each. */
const three = (prompt: string, http: Lab, sse: Lab, websocket: Lab): [ActId, Draft][] => [
  ['http', draft({ transport: 'http' }, prompt, http)],
  ['sse', draft({}, prompt, sse)],
  ['websocket', draft({ dialect: 'openai-responses', transport: 'websocket' }, prompt, websocket)],
];

async function together(stage: Stage, drafts: [ActId, Draft][]): Promise<void> {
  await Promise.all(drafts.map(([act, asked]) => stage.send(act, asked).then(() => stage.over(act))));
}

const PACE = { 'ttft-ms': 300, rate: 12, tokens: 12 };
/** A long reply takes many writes of one byte: two seconds of them are enough to see. */
const DRIP = { 'ttft-ms': 100, rate: 0, tokens: 3, fault: 'slow-drip=1' };
const EVENTS_BEFORE_THE_CUT = 4;
const BEARER = 'Authorization';

const http: Stop = {
  id: 'http',
  scenes: [
    {
      id: 'main',
      acts: ['exchange'],
      sentences: [
        { say: 'head', frame: ['exchange', marks.requestHead], cite: 'RFC 9112 §2.1' },
        { say: 'body', frame: ['exchange', marks.requestBody] },
        {
          say: 'length',
          frame: ['exchange', marks.responseHead],
          part: 'content-length',
          cite: 'RFC 9110 §8.6',
        },
        { say: 'whole', frame: ['exchange', marks.responseBody], cite: 'RFC 8259 §4' },
        { say: 'so', cite: 'RFC 9112 §7.1' },
      ],
      play: async (stage, prompts) => {
        await stage.send(
          'exchange',
          draft({ transport: 'http' }, prompts.http, { 'ttft-ms': 300, rate: 30, tokens: 24 }),
        );
        await stage.over('exchange');
      },
    },
  ],
};

const sse: Stop = {
  id: 'sse',
  scenes: [
    {
      id: 'main',
      acts: ['exchange'],
      sentences: [
        { say: 'accept', frame: ['exchange', marks.requestHead], part: 'accept', cite: 'HTML §9.2.2' },
        { say: 'stream', frame: ['exchange', marks.requestBody], part: 'stream', cite: 'HTML §9.2.2' },
        {
          say: 'type',
          frame: ['exchange', marks.responseHead],
          part: 'content-type',
          cite: 'HTML §9.2.3, RFC 9112 §7.1',
        },
        { say: 'event', frame: ['exchange', marks.firstEvent], cite: 'HTML §9.2.6' },
        { say: 'text', frame: ['exchange', marks.firstText] },
        { say: 'done', frame: ['exchange', marks.endMarker] },
      ],
      play: async (stage, prompts) => {
        await stage.send('exchange', draft({}, prompts.sse, PACE));
        await stage.over('exchange');
      },
    },
  ],
};

const back: Stop = {
  id: 'back',
  scenes: [
    {
      id: 'main',
      acts: ['first', 'second'],
      sentences: [
        { say: 'retry', frame: ['first', marks.retryField], part: 'field retry', cite: 'HTML §9.2.6' },
        { say: 'id', frame: ['first', marks.lastEvent], part: 'field id', cite: 'HTML §9.2.6' },
        { say: 'cut', cite: 'HTML §9.2.3' },
        { say: 'ask', frame: ['second', marks.requestHead], part: 'last-event-id', cite: 'HTML §9.2.4' },
        { say: 'on', frame: ['second', marks.firstEvent] },
        { say: 'post' },
      ],
      play: async (stage) => {
        const asked = draft({ dialect: 'raw', url: '{lab}/sse?count=8&interval_ms=250' }, '');
        await stage.send('first', asked);
        await stage.until('first', (rows) => marks.events(rows) >= EVENTS_BEFORE_THE_CUT);
        await stage.stop('first');
        // What an EventSource keeps of a connection: the last event's id and the reconnection time. Both are read from the frames.
        const id = await stage.field('first', marks.lastEvent, 'id');
        const retry = await stage.field('first', marks.retryField, 'retry');
        await stage.pause(Number(retry));
        await stage.send('second', {
          ...asked,
          headers: [...asked.headers, { name: 'Last-Event-ID', value: id }],
        });
        await stage.over('second');
      },
    },
  ],
};

const ws: Stop = {
  id: 'ws',
  scenes: [
    {
      id: 'main',
      acts: ['exchange'],
      sentences: [
        {
          say: 'ask',
          frame: ['exchange', marks.requestHead],
          part: 'sec-websocket-key',
          cite: 'RFC 6455 §4.1',
        },
        {
          say: 'accept',
          frame: ['exchange', marks.responseHead],
          part: 'sec-websocket-accept',
          cite: 'RFC 6455 §4.2.2',
        },
        {
          say: 'masked',
          frame: ['exchange', marks.messageOut],
          part: 'masking key',
          cite: 'RFC 6455 §5.2, §5.3',
        },
        { say: 'plain', frame: ['exchange', marks.messageIn], part: 'frame header', cite: 'RFC 6455 §5.1' },
        { say: 'ping', frame: ['exchange', marks.pingOut], part: 'payload', cite: 'RFC 6455 §5.5.2' },
        { say: 'pong', frame: ['exchange', marks.pongIn], part: 'payload', cite: 'RFC 6455 §5.5.3' },
        { say: 'close', frame: ['exchange', marks.closeOut], cite: 'RFC 6455 §7.4.1' },
        { say: 'closed', frame: ['exchange', marks.closeIn], cite: 'RFC 6455 §5.5.1' },
      ],
      play: async (stage) => {
        const asked = draft({ dialect: 'raw', transport: 'websocket', url: '{lab}/echo/ws' }, 'hello');
        await stage.send('exchange', asked);
        await stage.until('exchange', (rows) => marks.messageIn(rows) !== undefined);
        await stage.ping('exchange', 'tour');
        await stage.until('exchange', (rows) => marks.pongIn(rows) !== undefined);
        await stage.hangUp('exchange');
        await stage.over('exchange');
      },
    },
  ],
};

const faults: Stop = {
  id: 'faults',
  scenes: [
    {
      id: 'deploy',
      acts: ['http', 'sse', 'websocket'],
      sentences: [
        {
          say: 'deployHttp',
          frame: ['http', marks.responseHead],
          part: 'retry-after',
          cite: 'RFC 9110 §15.6.4',
        },
        { say: 'deploySse', frame: ['sse', marks.lastIn], cite: 'RFC 9112 §8' },
        { say: 'deployWs', frame: ['websocket', marks.closeIn], cite: 'RFC 6455 §7.4, IANA' },
      ],
      play: (stage, prompts) =>
        together(
          stage,
          three(
            prompts.fault,
            { fault: 'status=503;retry-after=2' },
            { ...PACE, fault: 'cut-after=6' },
            { ...PACE, fault: 'close=1012;after=6' },
          ),
        ),
    },
    {
      id: 'slow',
      acts: ['http', 'sse', 'websocket'],
      sentences: [
        { say: 'slowHttp', frame: ['http', marks.responseBody], cite: 'RFC 9293 §3.8.6' },
        { say: 'slowSse', frame: ['sse', marks.firstText], cite: 'HTML §9.2.6' },
        { say: 'slowWs', frame: ['websocket', marks.firstText], cite: 'RFC 6455 §6.2' },
      ],
      play: (stage, prompts) => together(stage, three(prompts.fault, DRIP, DRIP, DRIP)),
    },
    {
      id: 'buffer',
      acts: ['http', 'sse', 'websocket'],
      sentences: [
        { say: 'bufferHttp', frame: ['http', marks.responseBody] },
        { say: 'bufferSse', frame: ['sse', marks.lastText] },
        { say: 'bufferWs', frame: ['websocket', marks.firstText], cite: 'RFC 6455 §5.5.2' },
      ],
      play: (stage, prompts) => {
        // More than the whole reply: what is held goes out when it ends.
        const held = { ...PACE, fault: 'buffering=65536' };
        return together(stage, three(prompts.fault, held, held, held));
      },
    },
  ],
};

const door: Stop = {
  id: 'door',
  scenes: [
    {
      id: 'main',
      acts: ['wrong', 'right'],
      sentences: [
        {
          say: 'bearer',
          frame: ['wrong', marks.requestHead],
          part: 'authorization',
          cite: 'RFC 6750 §1.2, §2.1',
        },
        { say: 'refused', frame: ['wrong', marks.responseHead], part: 'status line', cite: 'RFC 6750 §3' },
        { say: 'let', frame: ['right', marks.responseHead], part: 'status line' },
        { say: 'oauth', cite: 'RFC 6749 §4.4, §5.1' },
        { say: 'jwt', cite: 'RFC 7519 §3, §4.1.4' },
      ],
      play: async (stage, prompts) => {
        const asked = draft({ transport: 'http' }, prompts.door, { 'ttft-ms': 50, rate: 0, tokens: 8 });
        const keyed = (key: string): Draft => ({
          ...asked,
          headers: [...asked.headers, { name: BEARER, value: `Bearer ${key}` }],
        });
        await stage.send('wrong', keyed('lab-wrong-key'));
        await stage.over('wrong');
        await stage.send('right', keyed('lab-any-other-key'));
        await stage.over('right');
      },
    },
  ],
};

/** The stops in their order. */
export const STOPS: readonly Stop[] = [http, sse, back, ws, faults, door];

/** The numbers that sentences and their frames share; a sentence without a frame has none. */
export function numbersOf(scene: Scene): (number | null)[] {
  let n = 0;
  return scene.sentences.map(({ frame }) => (frame ? ++n : null));
}

/** A sentence of a stop in words. */
export function said(text: TourText, stop: StopId, say: string): string {
  return (text.says[stop] as Readonly<Record<string, string>>)[say] ?? '';
}
