import { describe, expect, it } from 'vitest';
import type { ConsoleStanding } from '../../gen/ConsoleStanding';
import { stateOf } from './standing';

const standing: ConsoleStanding = {
  phase: 'open',
  connections: 1,
  nextAtMs: null,
  lastEventId: '',
  problem: null,
  subprotocol: null,
  extensions: null,
  close: null,
  received: 0,
  sent: 0,
  resting: false,
};

describe('stateOf', () => {
  it('counts a wait down', () => {
    const waiting = { ...standing, phase: 'waiting' as const, nextAtMs: 5000, lastEventId: '41' };
    expect(stateOf('sse', waiting, null, 3250, 200)).toEqual({
      tone: 'wait',
      label: 'Reconnecting in 1.8 s',
      detail: 'The stream ended. Asks again with Last-Event-ID 41.',
    });
    expect(stateOf('sse', waiting, null, 9000, 200).label).toBe('Reconnecting in 0.0 s');
  });

  it('says how a socket was closed, by whom and what the code means', () => {
    const close = { code: 4001, reason: 'bye', meaning: 'a code of the application’s own', ours: true };
    const over = { ...standing, phase: 'over' as const, close };
    const said = stateOf('websocket', over, { kind: 'complete', problem: null }, 0, 101);
    expect(said).toEqual({
      tone: 'ok',
      label: 'Closed',
      detail: '4001, a code of the application’s own; “bye”, by you.',
    });
  });

  it('is idle before anything was asked', () => {
    expect(stateOf('sse', null, null, 0, null).tone).toBe('idle');
  });
});
