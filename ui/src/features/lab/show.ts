import type { LabConnectionState } from '../../gen/LabConnectionState';
import type { LabEndpoint } from '../../gen/LabEndpoint';
import type { LabRecipe } from '../../gen/LabRecipe';
import type { LabTransport } from '../../gen/LabTransport';

export const SIGNS: Record<LabTransport, { text: string; ly: string }> = {
  http: { text: 'HTTP', ly: 'http-head' },
  sse: { text: 'SSE', ly: 'sse' },
  ndjson: { text: 'NDJSON', ly: 'json' },
  eventstream: { text: 'EVENTS', ly: 'chunk' },
  array: { text: 'ARRAY', ly: 'json' },
  ws: { text: 'WS', ly: 'ws' },
};

/** Whole address of an endpoint. */
export function urlOf(address: string, endpoint: Pick<LabEndpoint, 'transport' | 'path'>): string {
  const base = endpoint.transport === 'ws' ? address.replace(/^http/, 'ws') : address;
  return base + endpoint.path;
}

/** Variables an SDK reads its base URL and key from, where they are not `NAME_BASE_URL` and `NAME_API_KEY`; none of some. */
const VARIABLES: Record<string, [url: string, key: string | null] | null> = {
  gemini: ['GOOGLE_GEMINI_BASE_URL', 'GEMINI_API_KEY'],
  ollama: ['OLLAMA_HOST', null],
  cohere: ['CO_API_URL', 'CO_API_KEY'],
  bedrock: ['AWS_ENDPOINT_URL_BEDROCK_RUNTIME', 'AWS_BEARER_TOKEN_BEDROCK'],
  vertex: ['GOOGLE_VERTEX_BASE_URL', null],
  'ai-sdk-ui': null,
  mcp: null,
  dashscope: ['DASHSCOPE_HTTP_BASE_URL', 'DASHSCOPE_API_KEY'],
};

/** Lines for a `.env` file that point SDKs at the Lab, by the names their documentation gives. */
export function dotEnv(address: string, endpoints: readonly LabEndpoint[]): string {
  const bases = [...new Set(endpoints.map(({ base }) => base).filter((base) => base !== null))];
  return bases
    .map((base) => {
      const api = base.split('/')[1] ?? 'lab';
      const name = api.toUpperCase().replaceAll(/\W/g, '_');
      const variables = api in VARIABLES ? VARIABLES[api] : [`${name}_BASE_URL`, `${name}_API_KEY`];
      if (!variables) return '';
      const [url, key] = variables;
      return `${url}=${address}${base}\n${!key ? '' : `${key}=lab\n`}`;
    })
    .join('');
}

export type StateSign = {
  text: string;
  tone: 'ok' | 'err' | 'plain';
  sign: 'live' | 'clock' | 'check' | 'cut';
  note?: string;
};

/** Where an exchange stands. */
export function stateSign(state: LabConnectionState): StateSign {
  switch (state.kind) {
    case 'streaming':
      return { text: 'streaming', tone: 'ok', sign: 'live' };
    case 'idle':
      return { text: 'open, idle', tone: 'plain', sign: 'clock' };
    case 'complete':
      return { text: 'complete', tone: 'ok', sign: 'check' };
    case 'dropped':
      return state.by === 'lab'
        ? { text: 'dropped', tone: 'err', sign: 'cut', note: 'The Lab ended it early.' }
        : {
            text: 'client left',
            tone: 'plain',
            sign: 'cut',
            note: 'The client went away before all was sent.',
          };
    case 'closed':
      return {
        text: `closed ${state.code}`,
        ...(state.code === 1000 || state.code === 1001 || state.code === 1005
          ? { tone: 'ok' as const, sign: 'check' as const }
          : { tone: 'err' as const, sign: 'cut' as const }),
      };
  }
}

/** The faults of a connection by the names the list of recipes gives them. */
export function faultNames(fault: string, recipes: readonly LabRecipe[]): string {
  return fault
    .split(',')
    .map((one) => {
      const id = one.trim();
      const name = recipes.find((recipe) => recipe.id === id)?.name;
      if (!name) return id;
      // A name in a sentence begins small, unless it begins with a proper one.
      return /^[A-Z][a-z]/.test(name) ? name[0]!.toLowerCase() + name.slice(1) : name;
    })
    .join(', ');
}
