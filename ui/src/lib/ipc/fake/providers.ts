import type { DialectInfo } from '../../../gen/DialectInfo';
import type { Provider } from '../../../gen/Provider';

/** The pretended table of providers and dialects: a few of each, with everything such a table can hold. */
const bearer = 'Authorization: Bearer {key}';

export const DIALECTS: readonly DialectInfo[] = [
  {
    id: 'openai-chat',
    name: 'OpenAI Chat Completions',
    transports: ['sse', 'http'],
    open: [],
    extras: [
      { path: 'presence_penalty', kind: 'number', about: 'Makes new topics likelier, from -2 to 2.' },
      { path: 'frequency_penalty', kind: 'number', about: 'Makes repetition less likely, from -2 to 2.' },
      { path: 'logprobs', kind: 'boolean', about: 'Tells how likely each token was.' },
      { path: 'n', kind: 'integer', about: 'How many replies to write, from 1.' },
      {
        path: 'stream_options.include_obfuscation',
        kind: 'boolean',
        about: 'Pads events to hide their length.',
      },
      { path: 'service_tier', kind: 'string', about: 'auto, default, flex or priority.' },
      { path: 'metadata', kind: 'object', about: 'Up to 16 pairs kept with the request.' },
    ],
  },
  {
    id: 'openai-responses',
    name: 'OpenAI Responses',
    transports: ['sse', 'http', 'websocket'],
    open: [
      {
        transport: 'websocket',
        events: [
          {
            name: 'response.create',
            about: 'Begins another response.',
            template: '{"type":"response.create","model":"","input":[]}',
          },
          {
            name: 'response.steer',
            about: 'Adds an instruction to the response that runs.',
            template: '{"type":"response.steer","previous_response_id":"","input":[]}',
          },
        ],
      },
    ],
    extras: [{ path: 'previous_response_id', kind: 'string', about: 'The response to go on from.' }],
  },
  {
    id: 'openai-realtime',
    name: 'OpenAI Realtime',
    transports: ['websocket'],
    open: [
      {
        transport: 'websocket',
        events: [
          {
            name: 'response.cancel',
            about: 'Stops the response that runs.',
            template: '{"type":"response.cancel"}',
          },
          {
            name: 'session.update',
            about: 'Changes voice, tools and instructions for what follows.',
            template: '{"type":"session.update","session":{"type":"realtime","instructions":""}}',
          },
        ],
      },
    ],
    extras: [],
  },
  {
    id: 'anthropic-messages',
    name: 'Anthropic Messages',
    transports: ['sse', 'http'],
    open: [],
    extras: [{ path: 'top_k', kind: 'integer', about: 'Samples from the k likeliest tokens only.' }],
  },
  { id: 'mcp', name: 'MCP Streamable HTTP', transports: [], open: [], extras: [] },
];

const PROVIDERS: Provider[] = [
  {
    ...provider('lab', 'Weir Lab', 'http://127.0.0.1:4780/openai/v1', [
      'lab/steady',
      'lab/fast',
      'lab/reasoner',
    ]),
    dialects: DIALECTS.filter(({ transports }) => transports.length).map(({ id }): [string, string] => [
      id,
      'http://127.0.0.1:4780/openai/v1',
    ]),
    key: 'none',
    auth: '',
  },
  provider('openai', 'OpenAI', 'https://api.openai.com/v1', ['gpt-5', 'gpt-5-mini']),
  {
    ...provider('deepseek', 'DeepSeek', 'https://api.deepseek.com/v1', [
      'deepseek-chat',
      'deepseek-reasoner',
    ]),
    docs: 'https://api-docs.deepseek.com',
    notes: [
      'Reasoning comes as reasoning_content; with tools it is to be sent back.',
      'While a request is queued, keep-alive comments come.',
    ],
  },
  provider('openrouter', 'OpenRouter', 'https://openrouter.ai/api/v1', ['deepseek/deepseek-r1']),
  { ...provider('llamacpp', 'llama.cpp', 'http://127.0.0.1:8080/v1', []), key: 'optional' },
];

function provider(id: string, name: string, base: string, models: string[]): Provider {
  return {
    id,
    name,
    dialects: [
      ['openai-chat', base],
      ['openai-responses', base],
    ],
    auth: bearer,
    key: 'required',
    models,
    modelsPath: '/models',
    docs: '',
    notes: [],
    own: false,
  };
}

let own: Provider[] = [];

export function providers(): Provider[] {
  return [...PROVIDERS.filter(({ id }) => !own.some((one) => one.id === id)), ...own];
}

export function saveProvider(one: Provider): Provider[] {
  own = [...own.filter(({ id }) => id !== one.id), { ...one, own: true }];
  return providers();
}

export function deleteProvider(id: string): Provider[] {
  own = own.filter((one) => one.id !== id);
  return providers();
}
