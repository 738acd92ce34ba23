import type { DrillKind } from '../../gen/DrillKind';
import type { DrillSummary } from '../../gen/DrillSummary';
import { call, IpcError } from '../../lib/ipc';
import { toast } from '../../ui/toast.svelte';

/** How long a deletion can be undone, ms. */
const UNDO_MS = 8000;

/** The drills of one kind that are kept, newest first. */
export class PastDrills {
  list = $state.raw<readonly DrillSummary[]>([]);
  readonly #kind: DrillKind;
  readonly #hidden = new Set<string>();

  constructor(kind: DrillKind) {
    this.#kind = kind;
  }

  async load(): Promise<void> {
    const all = await call('drills', { kind: this.#kind }).catch(() => this.list);
    this.list = all.filter(({ id }) => !this.#hidden.has(id));
  }

  /** Takes a drill out of the list; it is gone for good when the offer to undo is. The sessions of its lanes stay. */
  remove(id: string): void {
    this.#hidden.add(id);
    this.list = this.list.filter((one) => one.id !== id);
    const timer = setTimeout(() => {
      call('delete_drill', { id }).catch((e: unknown) => toast(IpcError.from(e).message, { tone: 'err' }));
    }, UNDO_MS);
    const undo = () => {
      clearTimeout(timer);
      this.#hidden.delete(id);
      void this.load();
    };
    const kept = this.#kind === 'fault' ? ' The sessions of its lanes are kept.' : '';
    toast(`Drill deleted.${kept}`, { action: { label: 'Undo', run: undo } });
  }
}

/** What a past drill came to, in a few words. */
export const stands = ({ state, found }: DrillSummary): string =>
  state === 'running' ? 'running' : state === 'stopped' ? `stopped, ${found}` : found;
