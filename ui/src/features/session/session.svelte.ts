import type { Ask } from '../../gen/Ask';
import type { ConsolePhase } from '../../gen/ConsolePhase';
import type { ConsoleStanding } from '../../gen/ConsoleStanding';
import type { FilterError } from '../../gen/FilterError';
import type { KindCount } from '../../gen/KindCount';
import type { Metrics } from '../../gen/Metrics';
import type { Outcome } from '../../gen/Outcome';
import type { RateLimit } from '../../gen/RateLimit';
import type { SessionInfo } from '../../gen/SessionInfo';
import type { State } from '../../gen/State';
import type { Update } from '../../gen/Update';
import type { Usage } from '../../gen/Usage';
import { announce } from '../../lib/announce';
import { call, watch, IpcError, type Result } from '../../lib/ipc';
import { ReplyBlock } from './block.svelte';

/** Who chose a row: a part does not move itself for what it chose. */
export type SelectionOrigin = 'table' | 'reply' | 'ribbon' | 'tree' | 'keys' | 'follow';

/**
 * One session as the window shows it, live or opened again: reply, inspector, ribbon and figures all read this object.
 * Collections are replaced or grown in place and have a version counter; none of them is a deep proxy.
 */
export class Session {
  readonly id: string;
  info = $state.raw<SessionInfo>()!;

  state = $state<State>('connecting');
  /** Milliseconds since the dial began; the end of the session once done. */
  elapsedMs = $state(0);
  /** Rows so far, unfiltered. */
  rows = $state(0);
  metrics = $state.raw<Metrics | null>(null);
  kinds = $state.raw<readonly KindCount[]>([]);
  usage = $state.raw<Usage | null>(null);
  /** Why the model stopped, in the provider's word. */
  finish = $state<string | null>(null);
  /** HTTP status. */
  status = $state<number | null>(null);
  /** `1.1` or `2`. */
  http = $state<string | null>(null);
  /** TLS version and peer address. */
  connection = $state.raw<readonly [string, string] | null>(null);
  outcome = $state.raw<Outcome | null>(null);
  /** How a console stands, where this is one's session. */
  console = $state.raw<ConsoleStanding | null>(null);
  /** The provider's seal on the newest turn's reasoning or text. */
  signature = $state<string | null>(null);
  /** What the provider calls the request. */
  requestId = $state<string | null>(null);
  /** Rate limits as the response's fields tell them. */
  limits = $state.raw<readonly RateLimit[]>([]);
  /** Blocks of the reply in order; a new array when one is added. Each follows by its own `version`. */
  blocks = $state.raw<readonly ReplyBlock[]>([]);
  /** Grows by one with every update. */
  version = $state(0);

  /** The filter in force; the last one that was valid. */
  filter = $state('');
  /** The newest row is kept in view. */
  follow = $state(true);
  /** Where the selected row's text stands in the reply; null where it carried none. */
  place = $state.raw<Result<'place'>>(null);
  #selectedRow = $state<number | null>(null);
  #origin = $state<SelectionOrigin>('keys');
  #stopWatching: (() => void) | null = null;

  constructor(info: SessionInfo) {
    this.id = info.id;
    this.info = info;
    this.follow = info.live;
    this.#stopWatching = watch(info.id, (update) => this.apply(update));
  }

  /** The row whose frame is open, or null. */
  get selectedRow(): number | null {
    return this.#selectedRow;
  }

  /** Who chose it. */
  get selectionOrigin(): SelectionOrigin {
    return this.#origin;
  }

  /** The connection stands or is being made: more may come. */
  get running(): boolean {
    return this.state !== 'done';
  }

  /** A turn is under way. */
  get answering(): boolean {
    return this.running && !this.open;
  }

  /** The turn is over, and the socket waits for another. */
  get open(): boolean {
    return this.state === 'open';
  }

  /** Opens a row's frame everywhere at once. Choosing one ends following. */
  select(row: number | null, origin: SelectionOrigin): void {
    this.#selectedRow = row;
    this.#origin = origin;
    if (row !== null && origin !== 'follow') this.follow = false;
    if (row === null || origin === 'follow') this.place = null;
    else void this.#findPlace(row);
  }

  /** Puts a filter in force if it is one; otherwise says what is wrong, and the last valid one stays. */
  async setFilter(filter: string): Promise<FilterError | null> {
    const error = await call('check_filter', { filter });
    if (!error) this.filter = filter;
    return error;
  }

  /** Selects the row that carried a character of a block. */
  async selectText(block: number, offset: number): Promise<void> {
    const place = await call('locate', { session: this.id, block, offset });
    if (!place) return;
    this.select(place.row, 'reply');
    this.place = place;
  }

  /** Sends the newest turn of a conversation on the open socket. */
  async say(ask: Ask): Promise<void> {
    await call('say', { session: this.id, ask });
  }

  /** Sends one message on the open socket, as it is. */
  async tell(message: string): Promise<void> {
    await call('tell', { session: this.id, message, binary: false });
  }

  /** Closes the open socket. */
  async hangUp(): Promise<void> {
    await call('hang_up', { session: this.id });
  }

  async stop(): Promise<void> {
    await call('stop', { session: this.id });
  }

  async rename(title: string): Promise<void> {
    await call('rename_session', { session: this.id, title });
    this.info = { ...this.info, title };
  }

  /** The tab that showed it is gone. */
  close(): void {
    this.#stopWatching?.();
    this.#stopWatching = null;
    call('close', { session: this.id }).catch((error: unknown) => {
      console.error('close', IpcError.from(error).message);
    });
  }

  apply(update: Update): void {
    const before = { state: this.state, blocks: this.blocks.length, phase: this.console?.phase };
    this.state = update.state;
    this.elapsedMs = update.elapsedMs;
    this.rows = update.rows;
    if (update.metrics) this.metrics = update.metrics;
    if (update.kinds) this.kinds = update.kinds;
    if (update.usage) this.usage = update.usage;
    this.finish = update.finish ?? this.finish;
    this.status = update.status ?? this.status;
    this.http = update.http ?? this.http;
    if (update.connection) this.connection = update.connection;
    if (update.outcome) this.outcome = update.outcome;
    if (update.console) this.console = update.console;
    this.signature = update.signature;
    this.requestId = update.requestId ?? this.requestId;
    if (update.limits) this.limits = update.limits;
    let added: ReplyBlock[] | null = null;
    for (const block of update.blocks) {
      const known = (added ?? this.blocks)[block.index];
      if (known) known.apply(block);
      else (added ??= [...this.blocks])[block.index] = new ReplyBlock(block);
    }
    if (added) this.blocks = added;
    this.version++;
    if (this.info.live) this.#announce(before);
  }

  async #findPlace(row: number): Promise<void> {
    const place = await call('place', { session: this.id, row }).catch(() => null);
    // A newer choice may have been made meanwhile.
    if (this.#selectedRow === row) this.place = place;
  }

  #announce(before: { state: State; blocks: number; phase: ConsolePhase | undefined }): void {
    if (this.console) return this.#announceConsole(before.phase);
    if (before.blocks === 0 && this.blocks.length > 0) announce('The reply begins.');
    if (before.state !== 'open' && this.open) announce('The turn is over; the connection stays open.');
    if (before.state !== 'done' && this.state === 'done' && this.outcome) {
      announce(
        this.outcome.problem?.message ??
          (this.outcome.kind === 'complete'
            ? 'The reply is complete.'
            : `The reply was ${this.outcome.kind === 'cancelled' ? 'stopped' : this.outcome.kind}.`),
      );
    }
  }

  /** Opened, cut off, over: never single events. */
  #announceConsole(before: ConsolePhase | undefined): void {
    const { phase } = this.console!;
    if (phase === before) return;
    if (phase === 'open') announce('The connection is open.');
    if (phase === 'waiting') announce('The connection ended; it is made again in a while.');
    if (phase === 'over') announce(this.outcome?.problem?.message ?? 'The connection is closed.');
  }
}
