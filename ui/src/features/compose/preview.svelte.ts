import type { Draft } from '../../gen/Draft';
import type { Preview } from '../../gen/Preview';
import { call, IpcError } from '../../lib/ipc';

const WAIT_MS = 120;

/** What a draft would send, asked anew a moment after each edit. */
export class DraftPreview {
  current = $state.raw<Preview | null>(null);
  /** The draft that `current` is of: an edit may have followed. */
  of = $state.raw<Draft | null>(null);
  /** Why there is none. */
  error = $state.raw<IpcError | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  #shown = false;

  /** Shows this draft soon; the first one at once. */
  show(draft: Draft): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(draft), this.#shown ? WAIT_MS : 0);
  }

  async #ask(draft: Draft): Promise<void> {
    const mine = ++this.#asked;
    this.#shown = true;
    try {
      const preview = await call('preview', { draft });
      if (mine !== this.#asked) return;
      this.current = preview;
      this.of = draft;
      this.error = null;
    } catch (thrown) {
      if (mine === this.#asked) this.error = IpcError.from(thrown);
    }
  }
}
