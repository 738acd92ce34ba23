import type { ConsoleDraft } from '../../gen/ConsoleDraft';
import type { ConsoleMode } from '../../gen/ConsoleMode';
import type { MessageForm } from '../../gen/MessageForm';
import { call, IpcError } from '../../lib/ipc';
import { Session } from '../session/session.svelte';
import { newConsole, readConsole, type SavedMessage } from './draft';

const NAME = 'console';
const SAVE_AFTER_MS = 400;
/** Messages that are kept to be sent again. */
const SAVED_MOST = 100;

/** One console: what it would ask, the session it shows, and what is about to be said on its socket. */
export class Console {
  readonly mode: ConsoleMode;
  /** Replaced as a whole at each change. */
  draft = $state.raw<ConsoleDraft>()!;
  session = $state.raw<Session | null>(null);
  /** Why the last attempt did not begin, or what the last message was refused for. */
  refused = $state.raw<IpcError | null>(null);
  busy = $state(false);
  /** The message being written. */
  message = $state('');
  form = $state<MessageForm>('text');
  saved = $state.raw<readonly SavedMessage[]>([]);

  constructor(mode: ConsoleMode) {
    this.mode = mode;
    this.draft = newConsole(mode);
  }

  /** A connection stands, is made, or is waited for. */
  get running(): boolean {
    return this.session?.running ?? false;
  }

  /** The socket is open: something can be said on it. */
  get open(): boolean {
    return this.running && this.session?.console?.phase === 'open';
  }

  /** Shows a session that was begun or opened here. */
  show(session: Session): void {
    this.session?.close();
    this.session = session;
  }
}

class Consoles {
  readonly sse = new Console('sse');
  readonly websocket = new Console('websocket');
  #mode = $state<ConsoleMode>('sse');
  #restored = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get mode(): ConsoleMode {
    return this.#mode;
  }

  /** The console on screen. */
  get active(): Console {
    return this[this.#mode];
  }

  choose(mode: ConsoleMode): void {
    this.#mode = mode;
    this.#save();
  }

  /** Replaces a console's draft. Echo and rules hold at once, on an open socket too. */
  edit(console: Console, draft: ConsoleDraft): void {
    const answers = draft.echo !== console.draft.echo || draft.rules !== console.draft.rules;
    console.draft = draft;
    console.refused = null;
    if (answers) void this.answer(console);
    this.#save();
  }

  /** Puts echo and rules in force on the open socket. */
  async answer(console: Console): Promise<void> {
    if (!console.running || !console.session) return;
    const { echo, rules } = console.draft;
    try {
      await call('console_answers', { session: console.session.id, echo, rules });
    } catch (thrown) {
      console.refused = IpcError.from(thrown);
    }
  }

  /** Connects. */
  async begin(console: Console): Promise<void> {
    if (console.busy || console.running) return;
    console.busy = true;
    console.refused = null;
    try {
      console.show(new Session(await call('console', { draft: console.draft })));
    } catch (thrown) {
      console.refused = IpcError.from(thrown);
    } finally {
      console.busy = false;
      this.#save();
    }
  }

  /** Sends what is written, or a message that was kept. Whether it went. */
  async send(
    console: Console,
    message: SavedMessage = { form: console.form, text: console.message },
  ): Promise<boolean> {
    if (!console.session) return false;
    try {
      await call('console_send', { session: console.session.id, ...message });
      console.refused = null;
      return true;
    } catch (thrown) {
      console.refused = IpcError.from(thrown);
      return false;
    }
  }

  /** Begins the closing handshake. */
  async close(console: Console, code: number, reason: string): Promise<void> {
    if (!console.session) return;
    try {
      await call('console_close', { session: console.session.id, code, reason });
      console.refused = null;
    } catch (thrown) {
      console.refused = IpcError.from(thrown);
    }
  }

  /** Keeps a message to be sent again, the newest first. */
  keep(console: Console, message: SavedMessage): void {
    const others = console.saved.filter(({ form, text }) => form !== message.form || text !== message.text);
    console.saved = [message, ...others].slice(0, SAVED_MOST);
    this.#save();
  }

  forget(console: Console, message: SavedMessage): void {
    console.saved = console.saved.filter((other) => other !== message);
    this.#save();
  }

  /** Opens a kept session in its console. Where one runs there, it goes on and is kept. */
  async open(id: string): Promise<void> {
    const info = await call('open', { session: id });
    if (!info.console) throw new Error('This session is no console’s.');
    const console = this[info.console.mode];
    this.choose(info.console.mode);
    if (console.session?.id === id) return;
    console.draft = info.console;
    console.refused = null;
    console.show(new Session(info));
    this.#save();
  }

  /** What a session asked, to be changed and asked again. */
  again(draft: ConsoleDraft): void {
    this.choose(draft.mode);
    this.edit(this[draft.mode], draft);
  }

  /** Brings back what was there last time; once. */
  async restore(): Promise<void> {
    if (this.#restored) return;
    this.#restored = true;
    const kept = await call('remembered', { name: NAME }).catch(() => null);
    if (!kept) return;
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(kept) as Record<string, unknown>;
    } catch {
      return;
    }
    for (const console of [this.sse, this.websocket]) {
      const own = value[console.mode] as { draft?: unknown; saved?: unknown; session?: unknown } | undefined;
      if (!own || console.session) continue;
      console.draft = readConsole(own.draft, console.mode) ?? console.draft;
      console.saved = Array.isArray(own.saved) ? own.saved.filter(isSaved) : [];
      if (typeof own.session !== 'string') continue;
      const info = await call('open', { session: own.session }).catch(() => null);
      if (info?.console && !console.session) console.show(new Session(info));
    }
    if (value.mode === 'websocket') this.#mode = 'websocket';
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // Credentials that were typed into it are kept as stars.
      const own = ({ draft, saved, session }: Console) => ({ draft, saved, session: session?.id ?? null });
      const value = JSON.stringify({ mode: this.#mode, sse: own(this.sse), websocket: own(this.websocket) });
      call('remember', { name: NAME, value }).catch(() => {});
    }, SAVE_AFTER_MS);
  }
}

function isSaved(value: unknown): value is SavedMessage {
  const { form, text } = (value ?? {}) as Partial<SavedMessage>;
  return typeof text === 'string' && ['text', 'hex', 'base64', 'ping'].includes(form ?? '');
}

/** The two consoles. */
export const consoles = new Consoles();
