import type { FilterError } from '../../../gen/FilterError';
import { IpcError } from '../../../lib/ipc';
import type { Session } from '../../session/session.svelte';

/** The filter while it is typed: what is not one yet is kept here, the session keeps the last that was. */
export class FilterDraft {
  readonly #session: Session;
  /** Text that is not in force, with the filter it was typed over: another filter from elsewhere ends it. */
  #draft = $state.raw<{ over: string; text: string; error: FilterError | null } | null>(null);
  #newest = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** What the bar shows. */
  get text(): string {
    return this.#live?.text ?? this.#session.filter;
  }

  /** Why what it shows is not in force. */
  get error(): FilterError | null {
    return this.#live?.error ?? null;
  }

  get #live() {
    return this.#draft && this.#draft.over === this.#session.filter ? this.#draft : null;
  }

  /**
   * The user wrote this; it is put in force after `waitMs` unless more is written until then. The newest text wins,
   * whichever answer comes first.
   */
  async write(text: string, waitMs = 0): Promise<void> {
    const turn = ++this.#newest;
    const before = this.#live?.error ?? null;
    this.#draft = { over: this.#session.filter, text, error: before && within(before, text) };
    if (waitMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (turn !== this.#newest) return;
    }
    try {
      const error = await this.#session.setFilter(text);
      if (turn !== this.#newest) return;
      this.#draft = error ? { over: this.#session.filter, text, error } : null;
    } catch (thrown) {
      if (turn !== this.#newest) return;
      const message = IpcError.from(thrown).message;
      this.#draft = { over: this.#session.filter, text, error: { start: 0, end: text.length, message } };
    }
  }
}

/** An error stays while the text is checked anew, so that the underline does not flicker. */
function within(error: FilterError, text: string): FilterError | null {
  return error.start < text.length ? { ...error, end: Math.min(error.end, text.length) } : null;
}
