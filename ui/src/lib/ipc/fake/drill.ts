import type { DrillOptions } from '../../../gen/DrillOptions';
import { IpcError } from '../backend';

/** What the drills' screens offer; they cannot be run here. */
export const drillOptions = (): DrillOptions => ({
  lanes: [
    { id: 'events', name: 'Event stream', dialect: 'raw', transport: 'sse', comes_back: true, resumes: '' },
    {
      id: 'reply',
      name: 'Chat Completions · SSE',
      dialect: 'openai-chat',
      transport: 'sse',
      comes_back: false,
      resumes: '',
    },
  ],
  drill: {
    id: '',
    fault: 'drop-after=20',
    lanes: ['events', 'reply'],
    patienceMs: 2000,
    tokens: 60,
    rate: 30,
    http: '1.1',
    repeat: 'once',
  },
  kinds: [{ id: 'sse', name: 'SSE · HTTP/1.1', what: 'a socket and a response for each stream' }],
  memory: {
    id: '',
    kinds: ['sse'],
    ways: ['idle', 'streaming'],
    series: [1, 10, 100],
    rounds: 2,
    windowMs: 1000,
  },
});

export const noDrill = (): never => {
  throw new IpcError('unsupported', 'A drill needs Weir’s window.');
};
