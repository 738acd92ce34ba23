import type { Lenses } from '../../../gen/Lenses';
import { call, IpcError } from '../../../lib/ipc';
import type { Session } from '../../session/session.svelte';

/** Pause before a live body that was read to its end so far is asked for again, ms. */
const PAUSE_MS = 400;

/** What the lenses made of a session's event stream so far; asks on until nothing more can change, or `stop` is called. */
export class LensReading {
  /** Null before the first answer, and where the session has no event stream. */
  lenses = $state.raw<Lenses | null>(null);
  /** The engine answered, if only to say that there is no event stream. */
  answered = $state(false);
  failed = $state('');
  /** It was stopped before its end. */
  stopped = $state(false);
  readonly #session: Session;
  #turn = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Reads on, on the body of the frame that is chosen. */
  async run(): Promise<void> {
    const turn = ++this.#turn;
    this.stopped = false;
    const { id, selectedRow: row } = this.#session;
    try {
      for (;;) {
        const lenses = await call('lenses', { session: id, row });
        if (turn !== this.#turn) return;
        this.lenses = lenses;
        this.answered = true;
        this.failed = '';
        if (lenses?.done || (!lenses && !this.#session.running)) return;
        const waits = !lenses || lenses.read === lenses.total;
        if (waits) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        if (turn !== this.#turn) return;
      }
    } catch (thrown) {
      if (turn === this.#turn) this.failed = IpcError.from(thrown).message;
    }
  }

  /** Asks no more; what is known stays. */
  stop(): void {
    this.#turn++;
    this.stopped = true;
  }
}
