import type { Metrics } from '../../gen/Metrics';
import type { OutcomeKind } from '../../gen/OutcomeKind';
import type { Problem } from '../../gen/Problem';
import type { RibbonPhase } from '../../gen/RibbonPhase';
import type { State } from '../../gen/State';
import type { CompareRun } from '../../gen/CompareRun';
import type { LaneReplay } from '../../gen/LaneReplay';
import type { LaneUpdate } from '../../gen/LaneUpdate';
import { countAt, type LaneTimes } from './timeline';

/** What a lane shows: one run, while it goes on or when it is over. Reading `version` is how a component follows it. */
export class LaneScreen implements LaneTimes {
  readonly lane: number;
  version = $state(0);
  n = 0;
  warmup = false;
  session = '';
  live = false;
  state: State | 'none' = 'none';
  outcome: OutcomeKind | null = null;
  problem: Pick<Problem, 'code' | 'message'> | null = null;
  text = '';
  /** Moments count from when the measured request began. */
  ticks: number[] = [];
  phases: RibbonPhase[] = [];
  endMs = 0;
  bytesDown = 0;
  /** How much of `text` was there with each tick, UTF-16 code units. */
  #lengths: number[] = [];
  #blocks: string[] = [];
  #zero = 0;

  constructor(lane: number) {
    this.lane = lane;
  }

  get single(): boolean {
    return this.ticks.length === 1;
  }

  get failed(): boolean {
    return this.outcome !== null && this.outcome !== 'complete';
  }

  /** Takes the news of the run that goes on. */
  take({ n, warmup, zeroMs, update, ticks }: LaneUpdate): void {
    if (this.session !== update.session) this.#begin(update.session, n, warmup);
    this.live = true;
    this.#zero = zeroMs;
    this.state = update.state;
    for (const block of update.blocks) {
      if (block.kind !== 'text' && block.kind !== 'reasoning') continue;
      const known = this.#blocks[block.index] ?? '';
      this.#blocks[block.index] = known.slice(0, block.offset) + block.text;
    }
    if (update.blocks.length) this.text = this.#blocks.join('');
    const before = this.#lengths.at(-1) ?? 0;
    ticks.forEach((ms, i) => {
      this.ticks.push(ms - zeroMs);
      this.#lengths.push(i === ticks.length - 1 ? this.text.length : before);
    });
    this.endMs = Math.max(0, update.elapsedMs - zeroMs);
    if (update.metrics) {
      this.bytesDown = update.metrics.bytesDown;
      this.phases = this.#after(phasesOf(update.metrics, update.elapsedMs));
    }
    if (update.outcome) {
      this.outcome = update.outcome.kind;
      this.problem = update.outcome.problem;
      this.live = false;
    }
    this.version++;
  }

  /** Shows a run that is over. */
  show(run: CompareRun, replay: LaneReplay | null): void {
    this.#begin(run.session, run.n, run.warmup);
    this.state = 'done';
    this.outcome = run.failure ? 'failed' : 'complete';
    this.problem = run.failure;
    this.bytesDown = run.figures.bytesDown;
    this.endMs = run.figures.total ?? 0;
    if (replay) {
      this.#zero = replay.zeroMs;
      this.text = replay.text;
      this.ticks = replay.ticks.map(([ms]) => ms - replay.zeroMs);
      this.#lengths = replay.ticks.map(([, length]) => length);
      this.phases = this.#after(replay.phases);
      this.endMs = replay.endMs - replay.zeroMs;
    }
    this.version++;
  }

  clear(): void {
    this.#begin('', 0, false);
    this.version++;
  }

  /** What a user had seen at a moment; all of it for null. */
  textAt(ms: number | null): string {
    if (ms === null) return this.text;
    const seen = countAt(this.ticks, ms);
    return seen ? this.text.slice(0, this.#lengths[seen - 1]) : '';
  }

  #begin(session: string, n: number, warmup: boolean): void {
    Object.assign(this, { session, n, warmup, live: false, state: 'none', outcome: null, problem: null });
    Object.assign(this, { text: '', ticks: [], phases: [], endMs: 0, bytesDown: 0 });
    this.#lengths = [];
    this.#blocks = [];
    this.#zero = 0;
  }

  /** Phases of the measured request: what lay before its beginning belongs to the one before it. */
  #after(phases: readonly RibbonPhase[]): RibbonPhase[] {
    return phases
      .filter(({ endMs }) => endMs > this.#zero)
      .map(({ name, startMs, endMs }) => ({
        name,
        startMs: Math.max(0, startMs - this.#zero),
        endMs: endMs - this.#zero,
      }));
  }
}

/** Phases as far as the figures tell them, while a run goes on. */
function phasesOf(metrics: Metrics, now: number): RibbonPhase[] {
  const found: RibbonPhase[] = [];
  let at = 0;
  for (const [name, took] of [
    ['dns', metrics.dnsMs],
    ['tcp', metrics.tcpMs],
    ['tls', metrics.tlsMs],
  ] as const) {
    if (took === null) continue;
    found.push({ name, startMs: at, endMs: at + took });
    at += took;
  }
  if (found.length) found.push({ name: 'wait', startMs: at, endMs: Math.max(at, metrics.ttfbMs ?? now) });
  return found;
}
