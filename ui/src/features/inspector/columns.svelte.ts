import { call } from '../../lib/ipc';

/** Sizes of the inspector's panes, kept from run to run. */
const NAME = 'inspector-columns';
const SAVE_AFTER_MS = 400;

/** As designed; the dock's height is the style sheet's while it is null. */
const DESIGNED = { tree: 234, hex: 496, dock: null } as const;
type Pane = keyof typeof DESIGNED;

class Columns {
  tree = $state<number>(DESIGNED.tree);
  hex = $state<number>(DESIGNED.hex);
  dock = $state<number | null>(DESIGNED.dock);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = false;

  /** Takes up what was kept; once. */
  async load(): Promise<void> {
    if (this.#asked) return;
    this.#asked = true;
    try {
      const kept = JSON.parse((await call('remembered', { name: NAME })) ?? '{}') as Partial<
        Record<Pane, unknown>
      >;
      if (typeof kept.tree === 'number') this.tree = kept.tree;
      if (typeof kept.hex === 'number') this.hex = kept.hex;
      if (typeof kept.dock === 'number') this.dock = kept.dock;
    } catch (error) {
      console.error(NAME, error);
    }
  }

  set(pane: Pane, px: number): void {
    this[pane] = px;
    this.#save();
  }

  reset(pane: Pane): void {
    if (pane === 'dock') this.dock = DESIGNED.dock;
    else this[pane] = DESIGNED[pane];
    this.#save();
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const value = JSON.stringify({ tree: this.tree, hex: this.hex, dock: this.dock });
      call('remember', { name: NAME, value }).catch((error: unknown) => console.error(NAME, error));
    }, SAVE_AFTER_MS);
  }
}

export const columns = new Columns();
