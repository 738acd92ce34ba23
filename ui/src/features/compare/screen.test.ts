import { describe, expect, it } from 'vitest';
import type { Block } from '../../gen/Block';
import type { CompareRun } from '../../gen/CompareRun';
import type { LaneUpdate } from '../../gen/LaneUpdate';
import type { Update } from '../../gen/Update';
import { costLine, emptyWords, progressLine } from './lines';
import { LaneScreen } from './screen.svelte';
import { axisEnd, countAt, marks, phaseLine, tokenWait, type LaneTimes } from './timeline';

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
  const lane = (more: Partial<LaneTimes> = {}): LaneTimes => ({
    phases: [
      { name: 'tcp', startMs: 0, endMs: 2 },
      { name: 'wait', startMs: 2, endMs: 5 },
    ],
    ticks: [60, 70, 71, 90],
    single: false,
    failed: false,
    live: false,
    endMs: 95,
    ...more,
  });
  it('holds the longest lane', () => {
    for (const ms of [3, 90, 1810, 2000, 61_000]) {
      const end = axisEnd(ms);
      expect(end).toBeGreaterThanOrEqual(ms);
      expect(end).toBeLessThan(ms * 1.3 + 1);
    }
  });
  it('tells the wait up to the first token, also while there is none', () => {
    expect(tokenWait(lane())).toEqual({ from: 5, to: 60 });
    expect(tokenWait(lane({ ticks: [], live: true, endMs: 40 }))).toEqual({ from: 5, to: 40 });
    expect(tokenWait(lane({ phases: [], ticks: [30] }))).toEqual({ from: 0, to: 30 });
    expect(tokenWait(lane({ ticks: [] }))).toBeNull();
    expect(tokenWait(lane({ ticks: [5] }))).toBeNull();
    expect(phaseLine(lane())).toBe('TCP 2.0, wait 3.0, token +55');
  });
  it('draws what lies between two moments, and that alone', () => {
    const deltas = (from: number, to: number) =>
      marks([lane()], { from, to }, 1000, 100).filter(
        (mark) => mark.is === 'rect' && mark.ink === 'text-delta',
      );
    expect(deltas(0, 100)).toHaveLength(4);
    expect(deltas(69, 72).map((mark) => mark.is === 'rect' && Math.round(mark.x))).toEqual([334, 667]);
    expect(deltas(72, 89)).toHaveLength(0);
    const dashed = (from: number, to: number) =>
      marks([lane()], { from, to }, 1000, 100).filter((mark) => mark.is === 'line' && mark.dash?.length);
    expect([dashed(0, 100).length, dashed(30, 40).length, dashed(61, 90).length]).toEqual([1, 1, 0]);
    expect(
      marks([lane()], { from: 30, to: 40 }, 1000, 100).some(
        (mark) => mark.is === 'text' && / ms$/.test(mark.text),
      ),
    ).toBe(true);
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
  it('says why there is no table', () => {
    const of = (state: 'running' | 'done' | 'stopped') => ({
      state,
      done: 0,
      of: 9,
      failed: 0,
      elapsedMs: 1,
      leftMs: 0,
    });
    const run = (warmup: boolean, failed: boolean) =>
      ({ warmup, disturbed: false, failure: failed ? { code: 'cut' } : null }) as CompareRun;
    expect(emptyWords([], null).title).toBe('Nothing was measured yet');
    expect(emptyWords([], of('running')).title).toBe('The first runs are on their way');
    expect(emptyWords([run(true, false)], of('running')).text).toContain('1 warm-up run made');
    expect(emptyWords([run(true, true), run(true, true)], of('running')).title).toBe(
      'The first 2 runs failed',
    );
    expect(emptyWords([], of('stopped')).title).toBe('Stopped before the first run was over');
    const stopped = emptyWords([run(true, false), run(true, false)], of('stopped'));
    expect(stopped.title).toBe('Stopped within the warm-ups');
    expect(stopped.text).toContain('2 warm-up runs made, none that counts');
    expect(emptyWords([run(true, false), run(false, true), run(false, true)], of('done')).text).toContain(
      'All 2 runs failed',
    );
    expect(emptyWords([run(false, true), run(false, false)], of('done')).text).toContain(
      'none completed undisturbed',
    );
  });
});
