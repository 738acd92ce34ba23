import type { DrillFormat } from '../../gen/DrillFormat';
import type { MemoryDrill } from '../../gen/MemoryDrill';
import type { MemoryKindInfo } from '../../gen/MemoryKindInfo';
import type { MemoryView } from '../../gen/MemoryView';
import type { Problem } from '../../gen/Problem';
import { announce } from '../../lib/announce';
import { call, IpcError, watchMemoryDrill } from '../../lib/ipc';
import { toast } from '../../ui/toast.svelte';

/** What is to be measured, and what was. */
class Measuring {
  kinds = $state.raw<readonly MemoryKindInfo[]>([]);
  setup = $state.raw<MemoryDrill | null>(null);
  view = $state.raw<MemoryView | null>(null);
  /** What stands in the way of starting. */
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  #loaded = false;
  #unwatch: (() => void) | null = null;

  get running(): boolean {
    return this.view?.state === 'running';
  }

  async load(): Promise<void> {
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

  async report(format: DrillFormat): Promise<void> {
    try {
      toast(`Saved ${await call('memory_report', { format })}`);
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
  }

  #follow(view: MemoryView | null): void {
    this.#unwatch?.();
    this.view = view;
    if (view?.state !== 'running') return;
    this.#unwatch = watchMemoryDrill((next) => {
      if (this.view?.state === 'running' && next.state !== 'running') announce(`Memory drill ${next.state}`);
      this.view = next;
    });
  }
}

/** The memory drill of this window. */
export const measuring = new Measuring();
