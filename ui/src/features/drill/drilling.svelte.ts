import type { Drill } from '../../gen/Drill';
import type { DrillFormat } from '../../gen/DrillFormat';
import type { DrillLane } from '../../gen/DrillLane';
import type { DrillMoment } from '../../gen/DrillMoment';
import type { DrillOptions } from '../../gen/DrillOptions';
import type { DrillState } from '../../gen/DrillState';
import type { DrillTick } from '../../gen/DrillTick';
import type { DrillUpdate } from '../../gen/DrillUpdate';
import type { LabRecipe } from '../../gen/LabRecipe';
import { announce } from '../../lib/announce';
import { call, IpcError, watchDrill } from '../../lib/ipc';
import { toast } from '../../ui/toast.svelte';
import { PastDrills } from './past.svelte';
import { faultOf, recipeOf, valueOf } from './show';

/** A lane on screen. Words grow in place; `version` of the drill says so. */
export interface LaneScreen {
  state: DrillState;
  report: DrillLane;
  moments: readonly DrillMoment[];
  readonly ticks: DrillTick[];
}

/** What is to be drilled, and what is on screen of the last drill. */
class Drilling {
  options = $state.raw<DrillOptions | null>(null);
  setup = $state.raw<Drill | null>(null);
  recipe = $state('drop-after');
  value = $state(20);
  lanes = $state.raw<readonly LaneScreen[]>([]);
  /** The drill that the lanes are of. */
  shown = $state.raw<Drill | null>(null);
  state = $state<DrillState | null>(null);
  elapsedMs = $state(0);
  version = $state(0);
  readonly past = new PastDrills('fault');
  busy = $state(false);
  #loaded = false;
  #unwatch: (() => void) | null = null;

  get running(): boolean {
    return this.state === 'running';
  }

  /** Asks what can be drilled, and brings the last drill of this program back. */
  async load(): Promise<void> {
    void this.past.load();
    if (this.#loaded) return;
    try {
      this.options = await call('drill_options', {});
      this.setup = this.options.drill;
      this.#loaded = true;
      if (await call('last_drill', {})) this.#follow();
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
  }

  change(patch: Partial<Drill>): void {
    if (this.setup) this.setup = { ...this.setup, ...patch };
  }

  choose(recipe: LabRecipe | undefined): void {
    this.recipe = recipe?.id ?? '';
    this.value = valueOf(recipe, this.setup?.tokens ?? 60);
  }

  async start(recipes: readonly LabRecipe[]): Promise<void> {
    if (!this.setup || this.running || this.busy) return;
    this.busy = true;
    try {
      const recipe = recipes.find(({ id }) => id === this.recipe);
      const drill = { ...this.setup, id: '', fault: faultOf(recipe, this.value) };
      await call('start_drill', { drill });
      this.#follow();
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    } finally {
      this.busy = false;
    }
  }

  async stop(): Promise<void> {
    await call('stop_drill', {}).catch((e: unknown) => toast(IpcError.from(e).message, { tone: 'err' }));
  }

  /** Shows a kept drill, and sets up the same one again as far as `recipes` can say its fault. */
  async open(id: string, recipes: readonly LabRecipe[]): Promise<void> {
    try {
      const view = await call('drill', { id });
      this.#unwatch?.();
      this.#unwatch = null;
      this.shown = view.drill;
      this.setup = { ...view.drill, id: '' };
      const fault = recipeOf(view.drill.fault, recipes);
      if (fault) [this.recipe, this.value] = fault;
      if (view.state === 'running') return this.#follow();
      this.lanes = view.lanes;
      this.elapsedMs = view.elapsedMs;
      this.state = view.state;
      this.version++;
      if (view.problem) toast(view.problem.message, { tone: 'err' });
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
  }

  /** A drill is to be forgotten: it leaves the screen. */
  leave(id: string): void {
    if (this.shown?.id !== id) return;
    this.lanes = [];
    this.shown = null;
    this.state = null;
  }

  async report(format: DrillFormat): Promise<void> {
    const id = this.shown?.id;
    if (!id) return;
    try {
      toast(`Saved ${await call('drill_report', { id, format })}`);
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
  }

  #follow(): void {
    this.#unwatch?.();
    this.lanes = [];
    this.state = 'running';
    this.elapsedMs = 0;
    void call('last_drill', {}).then((view) => (this.shown = view?.drill ?? null));
    this.#unwatch = watchDrill((update) => this.#take(update));
  }

  #take(update: DrillUpdate): void {
    const known = this.lanes;
    this.lanes = update.lanes.map(({ state, report, moments, ticks }, i) => {
      const before = known[i]?.ticks ?? [];
      before.push(...ticks);
      return { state, report, moments, ticks: before };
    });
    this.elapsedMs = update.elapsedMs;
    this.version++;
    if (this.state === 'running' && update.state !== 'running') {
      const whole = this.lanes.filter(({ report }) => report.whole).length;
      announce(`Drill ${update.state}: ${whole} of ${this.lanes.length} lanes got every word`);
      if (update.problem) toast(update.problem.message, { tone: 'err' });
      void this.past.load();
    }
    this.state = update.state;
  }
}

/** The drill of this window. */
export const drilling = new Drilling();
