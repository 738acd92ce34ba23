import type { DrillFormat } from '../../gen/DrillFormat';
import type { MemoryDrill } from '../../gen/MemoryDrill';
import type { MemoryKindInfo } from '../../gen/MemoryKindInfo';
import type { MemoryView } from '../../gen/MemoryView';
import type { Problem } from '../../gen/Problem';
import { announce } from '../../lib/announce';
import { call, IpcError, watchMemoryDrill } from '../../lib/ipc';
import { toast } from '../../ui/toast.svelte';
import { PastDrills } from './past.svelte';

/** What is to be measured, and what was. */
class Measuring {
  kinds = $state.raw<readonly MemoryKindInfo[]>([]);
  setup = $state.raw<MemoryDrill | null>(null);
  view = $state.raw<MemoryView | null>(null);
  /** What stands in the way of starting. */
  problem = $state.raw<Problem | null>(null);
  readonly past = new PastDrills('memory');
  busy = $state(false);
  #loaded = false;
  #unwatch: (() => void) | null = null;

  get running(): boolean {
    return this.view?.state === 'running';
  }

  async load(): Promise<void> {
    void this.past.load();
    if (this.#loaded) return;
    try {
      const { kinds, memory } = await call('drill_options', {});
      this.kinds = kinds;
      this.setup = memory;
      this.#loaded = true;
      const last = await call('last_memory_drill', {});
      if (last) this.#follow(last);
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
  }

  change(patch: Partial<MemoryDrill>): void {
    this.problem = null;
    if (this.setup) this.setup = { ...this.setup, ...patch };
  }

  async start(): Promise<void> {
    if (!this.setup || this.running || this.busy) return;
    this.busy = true;
    this.problem = null;
    try {
      await call('start_memory_drill', { drill: { ...this.setup, id: '' } });
      this.#follow(await call('last_memory_drill', {}));
    } catch (thrown) {
      const error = IpcError.from(thrown);
      this.problem = error.problem;
      if (!error.problem) toast(error.message, { tone: 'err' });
    } finally {
      this.busy = false;
    }
  }

  async stop(): Promise<void> {
    await call('stop_memory_drill', {}).catch((e: unknown) =>
      toast(IpcError.from(e).message, { tone: 'err' }),
    );
  }

  /** Shows a kept drill, and sets up the same one again. */
  async open(id: string): Promise<void> {
    try {
      const view = await call('memory_drill', { id });
      this.setup = { ...view.drill, id: '' };
      this.problem = null;
      this.#follow(view);
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
  }

  /** A drill is to be forgotten: it leaves the screen. */
  leave(id: string): void {
    if (this.view?.drill.id === id) this.#follow(null);
  }

  async report(format: DrillFormat): Promise<void> {
    const id = this.view?.drill.id;
    if (!id) return;
    try {
      toast(`Saved ${await call('memory_report', { id, format })}`);
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
  }

  #follow(view: MemoryView | null): void {
    this.#unwatch?.();
    this.view = view;
    if (view?.state !== 'running') return;
    this.#unwatch = watchMemoryDrill((next) => {
      if (this.view?.state === 'running' && next.state !== 'running') {
        announce(`Memory drill ${next.state}`);
        void this.past.load();
      }
      this.view = next;
    });
  }
}

/** The memory drill of this window. */
export const measuring = new Measuring();
