import type { LabSettings } from '../../../gen/LabSettings';
import type { LabState } from '../../../gen/LabState';

/** The pretended Lab: settings are kept, connections are made up. */
const ADDRESS = 'http://127.0.0.1:4780';

let running = true;
let settings: LabSettings = {
  pace: {
    ttft_ms: 300,
    tokens_per_second: 60,
    jitter_percent: 20,
    reply_tokens: 400,
    tokens_per_event: 1,
    seed: 7,
    shape: 'steady',
  },
  reply: 'lesson',
  faults: [],
  http2: true,
};

export function labState(): LabState {
  return {
    running,
    address: running ? ADDRESS : '',
    port: 4780,
    http2: settings.http2,
    settings,
    endpoints: [
      {
        name: 'OpenAI Chat Completions',
        transport: 'sse',
        path: '/openai/v1/chat/completions',
        base: `${ADDRESS}/openai/v1`,
      },
      {
        name: 'OpenAI Responses',
        transport: 'sse',
        path: '/openai/v1/responses',
        base: `${ADDRESS}/openai/v1`,
      },
      {
        name: 'OpenAI Responses',
        transport: 'ws',
        path: '/openai/v1/responses',
        base: `${ADDRESS}/openai/v1`,
      },
    ],
    connections: {
      open: running ? 1 : 0,
      since_start: 3,
      rows: running
        ? [
            {
              id: 3,
              client: '127.0.0.1:51424',
              transport: 'sse',
              path: '/openai/v1/chat/completions',
              state: { kind: 'streaming' },
              age_ms: 1840,
              tokens: 96,
              of: 400,
              bytes: 20_480,
              fault: '',
            },
            {
              id: 2,
              client: '127.0.0.1:51402',
              transport: 'http',
              path: '/openai/v1/chat/completions',
              state: { kind: 'complete' },
              age_ms: 61_000,
              tokens: 400,
              of: 400,
              bytes: 2048,
              fault: '',
            },
            {
              id: 1,
              client: '127.0.0.1:51390',
              transport: 'sse',
              path: '/openai/v1/responses',
              state: { kind: 'dropped', by: 'client' },
              age_ms: 92_000,
              tokens: 41,
              of: 400,
              bytes: 9216,
              fault: '',
            },
          ]
        : [],
    },
    recipes: [],
    problem: null,
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
