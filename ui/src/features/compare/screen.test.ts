import { describe, expect, it } from 'vitest';
import type { Block } from '../../gen/Block';
import type { CompareRun } from '../../gen/CompareRun';
import type { LaneUpdate } from '../../gen/LaneUpdate';
import type { Update } from '../../gen/Update';
import { costLine, progressLine } from './lines';
import { LaneScreen } from './screen.svelte';
import { axis, countAt } from './timeline';

const block = (text: string, offset: number): Block =>
  ({ index: 0, kind: 'text', offset, text }) as unknown as Block;
const news = (session: string, blocks: Block[], ticks: number[], more: Partial<Update> = {}): LaneUpdate => ({
  lane: 0,
  n: 1,
  warmup: false,
  zeroMs: 100,
  ticks,
  update: {
    session,
    state: 'streaming',
    elapsedMs: 400,
    blocks,
    metrics: null,
    outcome: null,
    ...more,
  } as Update,
});

describe('LaneScreen', () => {
  it('shows at each moment what a user had seen, while it runs and when it is over', () => {
    const screen = new LaneScreen(0);
    screen.take(news('a', [block('one', 0)], [150]));
    screen.take(news('a', [block(' two', 3)], [250]));
    expect(screen.text).toBe('one two');
    expect([49, 50, 149, 150, null].map((ms) => screen.textAt(ms))).toEqual([
      '',
      'one',
      'one',
      'one two',
      'one two',
    ]);
    const run = {
      lane: 0,
      n: 1,
      session: 'a',
      warmup: false,
      failure: null,
      figures: { total: 300 },
    } as CompareRun;
    const ticks: [number, number][] = [
      [150, 3],
      [250, 7],
    ];
    screen.show(run, { session: 'a', zeroMs: 100, endMs: 400, phases: [], text: 'one two', ticks });
    expect(screen.textAt(149)).toBe('one');
    expect(screen.endMs).toBe(300);
    expect(screen.failed).toBe(false);
  });
  it('begins anew with another run', () => {
    const screen = new LaneScreen(0);
    screen.take(news('a', [block('one', 0)], [150]));
    screen.take(news('b', [], []));
    expect(screen.text).toBe('');
    expect(screen.ticks).toEqual([]);
  });
  it('takes text that replaces what stood', () => {
    const screen = new LaneScreen(0);
    screen.take(news('a', [block('wrong', 0)], [150]));
    screen.take(news('a', [block('right', 0)], []));
    expect(screen.text).toBe('right');
  });
  it('leaves out phases before the measured request, and clips the one it began in', () => {
    const screen = new LaneScreen(0);
    const run = { lane: 0, n: 1, session: 'a', warmup: false, failure: null, figures: {} } as CompareRun;
    const phases = [
      { name: 'tcp', startMs: 0, endMs: 40 },
      { name: 'wait', startMs: 90, endMs: 300 },
    ];
    screen.show(run, { session: 'a', zeroMs: 100, endMs: 400, phases, text: '', ticks: [] });
    expect(screen.phases).toEqual([{ name: 'wait', startMs: 0, endMs: 200 }]);
  });
});

describe('the shared axis', () => {
  it('holds the longest lane, in even steps', () => {
    for (const ms of [3, 90, 1810, 2000, 61_000]) {
      const { end, step } = axis(ms, 1000);
      expect(end).toBeGreaterThanOrEqual(ms);
      expect(Math.abs(end / step - Math.round(end / step))).toBeLessThan(1e-9);
    }
  });
  it('counts what had come', () => {
    expect([0, 1, 2.5, 9].map((ms) => countAt([1, 2, 3], ms))).toEqual([0, 1, 2, 3]);
  });
});

describe('lines', () => {
  const lane = { requests: 32, free: false, inputTokens: 100, outputTokens: 2000, mostOutputTokens: null };
  const count = String;
  it('tells the cost of lanes that cost something', () => {
    const cost = { requests: 64, dropped: 4, problem: null };
    expect(costLine({ ...cost, lanes: [{ ...lane, free: true }] }, count)).toBe(
      '64 requests (4 dropped), free',
    );
    expect(costLine({ ...cost, lanes: [lane, lane] }, count)).toContain('about 200 tokens in, 4000 out');
    expect(costLine({ ...cost, lanes: [{ ...lane, inputTokens: null }] }, count)).toContain('not known');
  });
  it('tells how far it has got', () => {
    const progress = { state: 'running' as const, done: 3, of: 66, failed: 1, elapsedMs: 1, leftMs: 80_000 };
    expect(progressLine(progress)).toBe('3 of 66 runs, 1 failed, 80 s left');
    expect(progressLine({ ...progress, state: 'stopped', failed: 0 })).toBe('stopped after 3 of 66 runs');
  });
});
