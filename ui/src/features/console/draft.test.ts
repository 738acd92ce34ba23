import { describe, expect, it } from 'vitest';
import { beyond, newConsole, readConsole } from './draft';

describe('readConsole', () => {
  it('keeps what fits and takes the rest from a new one', () => {
    const read = readConsole(
      { url: 'http://x', delayMs: 'soon', headers: {}, maxReconnects: 3, mode: 'sse' },
      'websocket',
    );
    expect(read).toEqual({ ...newConsole('websocket'), url: 'http://x', maxReconnects: 3 });
    expect(readConsole(null, 'sse')).toBeNull();
    expect(readConsole('x', 'sse')).toBeNull();
  });
});

describe('beyond', () => {
  it('names what the standard does not have', () => {
    expect(beyond(newConsole('sse'))).toEqual([]);
    expect(beyond({ ...newConsole('sse'), retryOn: '5xx', backoffSeconds: 60 })).toHaveLength(2);
  });
});
