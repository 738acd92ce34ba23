import { call, IpcError } from '../../../lib/ipc';
import { toast } from '../../../ui/toast.svelte';

/** Filters the user gave a name, kept from run to run. */
const NAME = 'saved-filters';

export interface SavedFilter {
  name: string;
  filter: string;
}

/** What was kept, as far as it is a list of filters. */
export function readSaved(text: string | null): SavedFilter[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.flatMap((item: Partial<SavedFilter> | null) =>
      typeof item?.name === 'string' && typeof item.filter === 'string'
        ? [{ name: item.name, filter: item.filter }]
        : [],
    );
  } catch {
    return [];
  }
}

/** The list with one more; one of the same name gives way to it. */
export function withSaved(list: readonly SavedFilter[], made: SavedFilter): SavedFilter[] {
  return [...list.filter(({ name }) => name !== made.name), made].sort((a, b) =>
    a.name.localeCompare(b.name),
  );
}

class SavedFilters {
  list = $state.raw<readonly SavedFilter[]>([]);
  #asked = false;

  /** Takes up what was kept; once. */
  async load(): Promise<void> {
    if (this.#asked) return;
    this.#asked = true;
    try {
      this.list = readSaved(await call('remembered', { name: NAME }));
    } catch (error) {
      console.error(NAME, error);
    }
  }

  save(name: string, filter: string): void {
    this.#keep(withSaved(this.list, { name, filter }));
  }

  /** Deletes one; the toast takes it back. */
  remove(gone: SavedFilter): void {
    this.#keep(this.list.filter(({ name }) => name !== gone.name));
    toast(`Deleted the filter ${gone.name}.`, {
      action: { label: 'Undo', run: () => this.save(gone.name, gone.filter) },
    });
  }

  #keep(list: readonly SavedFilter[]): void {
    this.list = list;
    call('remember', { name: NAME, value: JSON.stringify(list) }).catch((thrown: unknown) =>
      toast(`The filters could not be kept: ${IpcError.from(thrown).message}`, { tone: 'err' }),
    );
  }
}

export const saved = new SavedFilters();
