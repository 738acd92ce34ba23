import type { Draft } from '../../gen/Draft';
import type { Message } from '../../gen/Message';
import { call, IpcError } from '../../lib/ipc';
import { Session } from '../session/session.svelte';
import { FIRST_PROMPT, newDraft, readDraft, titleOf } from './draft';
import { withMessages } from './turns';

/** A request tab: what would be sent, and the session last sent from it or opened in it. */
export class RequestTab {
  readonly id: number;
  /** Replaced as a whole at each change. */
  draft = $state.raw<Draft>()!;
  session = $state.raw<Session | null>(null);
  /** Why the last send did not begin. */
  refused = $state.raw<IpcError | null>(null);
  sending = $state(false);
  /** How many messages of the conversation the session's newest reply answers. */
  asked = $state(0);
  /** The conversation as it was before it was sent from a turn in its middle, and how many turns stood below. */
  aside = $state.raw<{ messages: readonly Message[]; below: number } | null>(null);
  readonly title = $derived(this.session?.info.title || titleOf(this.draft));

  constructor(id: number, draft: Draft) {
    this.id = id;
    this.draft = draft;
  }

  /** Shows a session that was sent from here, or opened here. */
  show(session: Session): void {
    this.session?.close();
    this.session = session;
    this.asked = session.info.draft.ask.messages.length;
  }
}

const NAME = 'tabs';
const SAVE_AFTER_MS = 400;

class RequestTabs {
  list = $state.raw<readonly RequestTab[]>([new RequestTab(0, newDraft())]);
  /** The requests of the last run are here, if there are any: what is typed before would be replaced by them. */
  ready = $state(false);
  #activeId = $state(0);
  #nextId = 1;
  /** The Lab's model that new requests begin with where the request before them was not to the Lab. */
  #defaultModel = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  get active(): RequestTab {
    return this.list.find(({ id }) => id === this.#activeId) ?? this.list[0]!;
  }

  activate(tab: RequestTab): void {
    this.#activeId = tab.id;
    this.#save();
  }

  add(draft: Draft = this.#fresh(this.active.draft)): RequestTab {
    const tab = new RequestTab(this.#nextId++, draft);
    this.list = [...this.list, tab];
    this.activate(tab);
    return tab;
  }

  /** A request to the Lab with the model of the one before it, if that was the Lab's: another server's name means nothing here. */
  #fresh({ provider, baseUrl, url, ask }: Draft): Draft {
    const onLab = provider === 'lab' && baseUrl === undefined && url === undefined;
    return newDraft((onLab && ask.model) || this.#defaultModel);
  }

  /** Closes a tab; a stream that runs in it is stopped. The last tab gives way to an empty one. */
  close(tab: RequestTab): void {
    const at = this.list.indexOf(tab);
    if (at < 0) return;
    if (tab.session?.running) void tab.session.stop().catch(() => {});
    tab.session?.close();
    this.list = this.list.filter((other) => other !== tab);
    if (this.list.length === 0) this.add(this.#fresh(tab.draft));
    else if (this.#activeId === tab.id) this.activate(this.list[Math.min(at, this.list.length - 1)]!);
    this.#save();
  }

  /** Replaces the draft of a tab. */
  edit(tab: RequestTab, draft: Draft): void {
    tab.draft = draft;
    tab.refused = null;
    this.#save();
  }

  /** Sends what a tab holds: on the connection that its session has open, else as a new request. */
  async send(tab: RequestTab): Promise<void> {
    if (tab.sending || tab.session?.answering) return;
    tab.sending = true;
    tab.refused = null;
    try {
      const { draft, session } = tab;
      if (session?.open) {
        await session.say(draft.ask);
        tab.asked = draft.ask.messages.length;
      } else {
        const info = await call('send', { draft });
        tab.show(new Session(info));
      }
    } catch (thrown) {
      tab.refused = IpcError.from(thrown);
    } finally {
      tab.sending = false;
      this.#save();
    }
  }

  /** Sends the conversation up to and with a message; what stands below it is kept aside. */
  async sendFrom(tab: RequestTab, index: number): Promise<void> {
    if (tab.sending || tab.session?.answering) return;
    const { messages } = tab.draft.ask;
    this.edit(tab, withMessages(tab.draft, messages.slice(0, index + 1)));
    tab.aside = { messages, below: messages.length - index - 1 };
    await this.send(tab);
  }

  /** Brings back the conversation that was kept aside. */
  putBack(tab: RequestTab): void {
    if (!tab.aside) return;
    this.edit(tab, withMessages(tab.draft, [...tab.aside.messages]));
    tab.aside = null;
  }

  /** Opens a kept session in a tab of its own, or goes to the tab that shows it. */
  async open(session: string): Promise<RequestTab> {
    const shown = this.list.find((tab) => tab.session?.id === session);
    if (shown) {
      this.activate(shown);
      return shown;
    }
    const info = await call('open', { session });
    const blank = this.active;
    const reuse = !blank.session && !blank.draft.ask.messages.some(({ text }) => text.trim());
    const tab = reuse ? blank : this.add(info.draft);
    tab.draft = info.draft;
    tab.aside = null;
    tab.show(new Session(info));
    this.#save();
    return tab;
  }

  /** Brings back the tabs of last time. */
  async restore(defaultModel: string): Promise<void> {
    this.#defaultModel = defaultModel;
    const kept = await call('remembered', { name: NAME }).catch(() => null);
    const saved = kept ? parse(kept) : null;
    if (!saved) {
      this.edit(this.active, newDraft(defaultModel, FIRST_PROMPT));
      this.ready = true;
      return;
    }
    this.list = saved.drafts.map((draft) => new RequestTab(this.#nextId++, draft));
    this.#activeId = (this.list[saved.active] ?? this.list[0]!).id;
    this.ready = true;
    await Promise.all(
      this.list.map(async (tab, i) => {
        const id = saved.sessions[i];
        if (!id) return;
        const info = await call('open', { session: id }).catch(() => null);
        if (!info || tab.session) return;
        tab.show(new Session(info));
        tab.asked = saved.asked[i] ?? tab.asked;
      }),
    );
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const value = JSON.stringify({
        active: this.list.indexOf(this.active),
        drafts: this.list.map(({ draft }) => draft),
        sessions: this.list.map(({ session }) => session?.id ?? null),
        asked: this.list.map(({ asked }) => asked),
      });
      call('remember', { name: NAME, value }).catch(() => {});
    }, SAVE_AFTER_MS);
  }
}

interface Saved {
  active: number;
  drafts: Draft[];
  sessions: (string | null)[];
  asked: (number | undefined)[];
}

function parse(text: string): Saved | null {
  try {
    const value = JSON.parse(text) as { [K in keyof Saved]?: unknown };
    const listOf = (part: unknown): unknown[] => (Array.isArray(part) ? part : []);
    const [sessions, asked] = [listOf(value.sessions), listOf(value.asked)];
    // A draft that cannot be read takes its session with it.
    const kept = listOf(value.drafts).flatMap((draft, i) => {
      const read = readDraft(draft);
      return read ? [{ draft: read, session: sessions[i], asked: asked[i] }] : [];
    });
    if (kept.length === 0) return null;
    return {
      active: Number(value.active) || 0,
      drafts: kept.map(({ draft }) => draft),
      sessions: kept.map(({ session }) => (typeof session === 'string' ? session : null)),
      asked: kept.map((tab) => (typeof tab.asked === 'number' ? tab.asked : undefined)),
    };
  } catch {
    return null;
  }
}

/** The request tabs of the Playground. */
export const requestTabs = new RequestTabs();
