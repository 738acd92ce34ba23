import type { CompareProgress } from '../../gen/CompareProgress';
import type { CompareRun } from '../../gen/CompareRun';
import type { CompareTable } from '../../gen/CompareTable';
import type { Comparison } from '../../gen/Comparison';
import type { ComparisonCost } from '../../gen/ComparisonCost';
import type { ComparisonSummary } from '../../gen/ComparisonSummary';
import type { ComparisonUpdate } from '../../gen/ComparisonUpdate';
import type { Lane } from '../../gen/Lane';
import type { LaneReplay } from '../../gen/LaneReplay';
import type { Preset } from '../../gen/Preset';
import type { ReportFormat } from '../../gen/ReportFormat';
import { announce } from '../../lib/announce';
import { call, IpcError, watchComparison } from '../../lib/ipc';
import { toast } from '../../ui/toast.svelte';
import { promptOf, withPrompt } from './lanes';
import { LaneScreen } from './screen.svelte';
import { Slices } from './slices.svelte';

const NAME = 'compare';
const SAVE_AFTER_MS = 400;
const COST_AFTER_MS = 150;
const REPLAYS_KEPT = 60;
/** How long a deletion can be undone. */
const UNDO_MS = 8000;

/** Which round the lanes show: the newest of each, or one by its number. */
export type Shown = 'newest' | { n: number; warmup: boolean };

/** A comparison that was started or reopened. Runs grow in place; `version` says so. */
class Result {
  version = $state(0);
  progress = $state.raw<CompareProgress>()!;
  table = $state.raw<CompareTable | null>(null);
  /** The table's rows as they are on screen: a few of them change in one display frame. */
  readonly slices = new Slices();
  readonly runs: CompareRun[] = [];
  readonly comparison: Comparison;
  constructor(comparison: Comparison, progress: CompareProgress) {
    this.comparison = comparison;
    this.progress = progress;
  }
  /** Takes the newest table. */
  tell(table: CompareTable | null): void {
    this.table = table;
    if (table) this.slices.take(table.rows, !this.running);
  }
  get running(): boolean {
    return this.progress.state === 'running';
  }
}

/** What is to be compared, what was, and what is on screen of it. */
class Comparing {
  setup = $state.raw<Comparison | null>(null);
  presets = $state.raw<readonly Preset[]>([]);
  cost = $state.raw<ComparisonCost | null>(null);
  result = $state.raw<Result | null>(null);
  past = $state.raw<readonly ComparisonSummary[]>([]);
  screens = $state.raw<readonly LaneScreen[]>([]);
  shown = $state.raw<Shown>('newest');
  /** The moment that the lanes show, ms on the shared axis; null for the end, or the present while it runs. */
  playhead = $state<number | null>(null);
  busy = $state(false);
  #loaded = false;
  #unwatch: (() => void) | null = null;
  #replays = new Map<string, Promise<LaneReplay | null>>();
  #hidden = new Set<string>();
  #saving: ReturnType<typeof setTimeout> | undefined;
  #costing: ReturnType<typeof setTimeout> | undefined;

  get running(): boolean {
    return this.result?.running ?? false;
  }

  /** Brings back what was set up and shown last; at first, the first preset. */
  async load(): Promise<void> {
    void this.loadPast();
    if (this.#loaded) return;
    this.#loaded = true;
    const keys = await call('keys', {}).catch(() => null);
    const other = keys?.keys.find(({ provider }) => provider !== 'lab')?.provider ?? '';
    this.presets = await call('comparison_presets', { provider: '', model: '', prompt: '', other }).catch(
      () => [],
    );
    const kept = await call('remembered', { name: NAME }).catch(() => null);
    const saved = kept ? read(kept) : null;
    if (saved?.shown && (await this.open(saved.shown, true))) return;
    this.#set(saved?.setup ?? this.presets.find(({ comparison }) => comparison)?.comparison ?? null);
  }

  async loadPast(): Promise<void> {
    const all = await call('comparisons', {}).catch(() => this.past);
    this.past = all.filter(({ id }) => !this.#hidden.has(id));
  }

  /** Changes how it is run; figures of the last run stay beside it. */
  change(patch: Partial<Omit<Comparison, 'lanes'>>): void {
    if (this.setup) this.#keep({ ...this.setup, ...patch });
  }

  /** Changes what is compared. Figures that were of other lanes leave the screen; they stay among the past ones. */
  lanes(lanes: Lane[]): void {
    if (!this.setup || this.running) return;
    this.#leave();
    this.#set({ ...this.setup, lanes });
  }

  choose(preset: Comparison): void {
    if (this.running) return;
    this.#leave();
    const { runs, warmups, order, pauseMs } = this.setup ?? preset;
    const prompt = this.setup ? promptOf(this.setup.lanes) : '';
    const lanes = prompt ? withPrompt(preset.lanes, prompt) : preset.lanes;
    this.#set({ ...preset, id: '', lanes, runs, warmups, order, pauseMs });
  }

  async start(): Promise<void> {
    if (!this.setup || this.running || this.busy) return;
    this.busy = true;
    try {
      const id = await call('start_comparison', { comparison: { ...this.setup, id: '' } });
      await this.open(id);
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    } finally {
      this.busy = false;
    }
  }

  async stop(): Promise<void> {
    const id = this.result?.comparison.id;
    if (id)
      await call('stop_comparison', { id }).catch((e: unknown) =>
        toast(IpcError.from(e).message, { tone: 'err' }),
      );
  }

  /** Shows a comparison that runs or ran. False where it is not there. */
  async open(id: string, quiet = false): Promise<boolean> {
    try {
      const view = await call('comparison', { id });
      this.#leave();
      const result = new Result(view.comparison, view.progress);
      result.tell(view.table);
      result.runs.push(...view.runs);
      this.#set(view.comparison);
      this.result = result;
      if (result.running) this.#unwatch = watchComparison(id, (update) => this.#take(result, update));
      else await this.#showRound(result);
      this.#save();
      return true;
    } catch (thrown) {
      if (!quiet) toast(IpcError.from(thrown).message, { tone: 'err' });
      return false;
    }
  }

  /** Lets the lanes show one round. */
  async show(shown: Shown): Promise<void> {
    this.shown = shown;
    this.playhead = null;
    if (this.result) await this.#showRound(this.result);
  }

  /** Takes a comparison out of the list; it is gone for good when the offer to undo is. Its sessions stay. */
  remove(id: string): void {
    this.#hidden.add(id);
    this.past = this.past.filter((one) => one.id !== id);
    if (this.result?.comparison.id === id) this.#leave();
    const timer = setTimeout(() => {
      call('delete_comparison', { id }).catch((e: unknown) =>
        toast(IpcError.from(e).message, { tone: 'err' }),
      );
    }, UNDO_MS);
    const undo = () => {
      clearTimeout(timer);
      this.#hidden.delete(id);
      void this.loadPast();
    };
    toast('Comparison deleted. Its sessions are kept.', { action: { label: 'Undo', run: undo } });
  }

  async report(format: ReportFormat): Promise<void> {
    const id = this.result?.comparison.id;
    if (!id) return;
    try {
      toast(`Report saved: ${await call('comparison_report', { id, format })}`);
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
  }

  #take(result: Result, update: ComparisonUpdate): void {
    if (this.result !== result) return;
    const was = result.running;
    result.progress = update.progress;
    for (const run of update.runs) {
      const known = result.runs.findIndex((one) => one.order === run.order && one.lane === run.lane);
      if (known >= 0) result.runs[known] = run;
      else result.runs.push(run);
    }
    if (update.table) result.tell(update.table);
    if (this.shown === 'newest') for (const lane of update.lanes) this.screens[lane.lane]?.take(lane);
    if (update.runs.length || update.table) result.version++;
    if (was && !result.running) {
      announce(update.progress.state === 'done' ? 'All runs are over.' : 'The comparison was stopped.');
      void this.#showRound(result);
      void this.loadPast();
    }
  }

  /** Fills the screens with the round that is chosen: of each lane its run of that number, or its newest. */
  async #showRound(result: Result): Promise<void> {
    const shown = this.shown;
    await Promise.all(
      this.screens.map(async (screen) => {
        const own = result.runs.filter(({ lane }) => lane === screen.lane);
        const run =
          shown === 'newest'
            ? (own.filter(({ warmup }) => !warmup).at(-1) ?? own.at(-1))
            : own.find(({ n, warmup }) => n === shown.n && warmup === shown.warmup);
        if (!run) return screen.clear();
        const replay = await this.#replay(run.session);
        if (this.result === result && this.shown === shown) screen.show(run, replay);
      }),
    );
  }

  #replay(session: string): Promise<LaneReplay | null> {
    if (!session) return Promise.resolve(null);
    const known = this.#replays.get(session);
    if (known) return known;
    const asked = call('lane_replay', { session }).catch(() => null);
    this.#replays.set(session, asked);
    if (this.#replays.size > REPLAYS_KEPT) this.#replays.delete(this.#replays.keys().next().value!);
    return asked;
  }

  /** Takes the present comparison off the screen; one that runs goes on. */
  #leave(): void {
    this.result?.slices.stop();
    this.#unwatch?.();
    this.#unwatch = null;
    this.result = null;
    this.shown = 'newest';
    this.playhead = null;
  }

  #set(setup: Comparison | null): void {
    this.screens = (setup?.lanes ?? []).map((_, lane) => new LaneScreen(lane));
    if (setup) this.#keep(setup);
  }

  #keep(setup: Comparison): void {
    this.setup = setup;
    this.#save();
    clearTimeout(this.#costing);
    this.#costing = setTimeout(() => {
      call('comparison_cost', { comparison: setup })
        .then((cost) => this.setup === setup && (this.cost = cost))
        .catch(() => (this.cost = null));
    }, COST_AFTER_MS);
  }

  #save(): void {
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => {
      const value = JSON.stringify({ setup: this.setup, shown: this.result?.comparison.id ?? null });
      call('remember', { name: NAME, value }).catch(() => {});
    }, SAVE_AFTER_MS);
  }
}

function read(text: string): { setup: Comparison | null; shown: string | null } | null {
  try {
    const { setup, shown } = JSON.parse(text) as { setup?: Comparison; shown?: unknown };
    const whole = Array.isArray(setup?.lanes) && setup.lanes.every((lane) => lane?.draft?.ask);
    return { setup: whole ? setup! : null, shown: typeof shown === 'string' ? shown : null };
  } catch {
    return null;
  }
}

export const comparing = new Comparing();
