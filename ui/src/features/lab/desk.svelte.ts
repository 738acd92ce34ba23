import type { LabPace } from '../../gen/LabPace';
import type { LabSettings } from '../../gen/LabSettings';
import { call, IpcError } from '../../lib/ipc';
import { lab } from '../../lib/lab.svelte';
import { toast } from '../../ui/toast.svelte';

const SETTLED_MS = 120;

/** What is being turned in the Lab view: on screen at once; a switch reaches the Lab at once, too, a slider when the hand rests. */
class LabDesk {
  #pending = $state.raw<LabSettings | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  busy = $state(false);

  /** The settings as the user sees them. */
  get settings(): LabSettings | null {
    return this.#pending ?? lab.state?.settings ?? null;
  }

  change(patch: Partial<LabSettings>): void {
    if (!this.settings) return;
    this.#pending = { ...this.settings, ...patch };
    clearTimeout(this.#timer);
    // The next request may follow a switch at once.
    if (patch.pace) this.#timer = setTimeout(() => void this.#set(), SETTLED_MS);
    else void this.#set();
  }

  pace(patch: Partial<LabPace>): void {
    if (this.settings) this.change({ pace: { ...this.settings.pace, ...patch } });
  }

  /** Turns a recipe on or off, or gives it another value. A recipe the settings do not list is off. */
  fault(id: string, on: boolean, value: number): void {
    const faults = this.settings?.faults ?? [];
    const next = { id, on, value };
    this.change({
      faults: faults.some((f) => f.id === id)
        ? faults.map((f) => (f.id === id ? next : f))
        : [...faults, next],
    });
  }

  allOff(): void {
    this.change({ faults: (this.settings?.faults ?? []).map((fault) => ({ ...fault, on: false })) });
  }

  async start(port: number | null = null): Promise<void> {
    await this.#run(async () => lab.set(await call('start_lab', { port })));
  }

  async stop(): Promise<void> {
    await this.#run(async () => lab.set(await call('stop_lab', {})));
  }

  async closeAll(): Promise<void> {
    await this.#run(async () => {
      await call('close_lab_connections', {});
      await lab.refresh();
    });
  }

  async #set(): Promise<void> {
    const settings = this.#pending;
    if (!settings) return;
    try {
      const state = await call('set_lab', { settings });
      // Turned further meanwhile: the newer settings are on their way.
      if (this.#pending !== settings) return;
      lab.set(state);
      this.#pending = null;
    } catch (thrown) {
      if (this.#pending === settings) this.#pending = null;
      toast(IpcError.from(thrown).message, { tone: 'err' });
    }
  }

  async #run(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    try {
      await act();
    } catch (thrown) {
      toast(IpcError.from(thrown).message, { tone: 'err' });
      await lab.refresh();
    } finally {
      this.busy = false;
    }
  }
}

export const desk = new LabDesk();
