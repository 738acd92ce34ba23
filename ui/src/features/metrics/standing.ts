import type { OutcomeKind } from '../../gen/OutcomeKind';
import type { State } from '../../gen/State';

export interface Standing {
  text: string;
  tone: 'run' | 'ok' | 'stopped' | 'cut' | 'bad';
}

const PHRASES: Record<number, string> = {
  101: 'Switching',
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  301: 'Moved',
  302: 'Found',
  307: 'Redirect',
  308: 'Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Timeout',
  413: 'Too Large',
  422: 'Unprocessable',
  429: 'Rate Limited',
  500: 'Server Error',
  502: 'Bad Gateway',
  503: 'Unavailable',
  504: 'Gateway Timeout',
  529: 'Overloaded',
};

/** Where a session stands, in two words. */
export function standing(state: State, outcome: OutcomeKind | null, status: number | null): Standing {
  if (state === 'connecting') return { text: 'Connecting', tone: 'run' };
  if (state === 'open') return { text: 'Open', tone: 'run' };
  if (state === 'waiting') return { text: 'Waiting', tone: 'run' };
  if (state === 'streaming' || outcome === null) return { text: 'Streaming', tone: 'run' };
  if (outcome === 'cancelled') return { text: 'Stopped', tone: 'stopped' };
  if (outcome === 'cut') return { text: 'Cut', tone: 'cut' };
  const phrase = status === null ? '' : `${status} ${PHRASES[status] ?? ''}`.trim();
  if (outcome === 'failed')
    return { text: status !== null && status >= 300 ? phrase : 'Failed', tone: 'bad' };
  return { text: phrase || 'Complete', tone: 'ok' };
}
