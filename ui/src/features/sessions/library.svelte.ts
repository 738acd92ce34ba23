import type { ExportFormat } from '../../gen/ExportFormat';
import type { SessionSummary } from '../../gen/SessionSummary';
import { call, importSession, IpcError } from '../../lib/ipc';
import { toast } from '../../ui/toast.svelte';
import { NO_FILTERS, queryOf, type Filters } from './query';
import { retagged, stretch, toggled, withAll, type Checked } from './selection';

/** Rows asked for at once where a whole stretch is wanted. */
const STRETCH = 500;

/** The library as the Sessions view shows it: filters, what is checked, which row is current. Rows are pulled by range. */
class Library {
  filters = $state.raw<Filters>(NO_FILTERS);
  /** Sessions that match. */
  total = $state(0);
  bytes = $state(0);
  /** Null until the first answer; then what stood in the way, if anything. */
  problem = $state.raw<IpcError | null>(null);
  ready = $state(false);
  checked = $state.raw<Checked>(new Map());
  /** Row of the list under the keyboard, or -1. */
  at = $state(-1);
  /** The session of that row, once it was pulled. */
  current = $state.raw<SessionSummary | null>(null);
  /** Every tag in use. */
  tags = $state.raw<readonly string[]>([]);
  providers = $state.raw<ReadonlyMap<string, string>>(new Map());
  dialects = $state.raw<ReadonlyMap<string, string>>(new Map());
  /** Grows when rows must be pulled anew; `keep`: from where the list stands. */
  version = $state.raw({ n: 0, keep: false });
  #now = Date.now();
  #anchor = 0;

  /** Asks for everything the view stands on. */
  async load(): Promise<void> {
    const [providers, dialects] = await Promise.all([
      call('providers', {}).catch(() => []),
      call('dialects', {}).catch(() => []),
      this.refresh(false),
      this.#readTags(),
    ]);
    this.providers = new Map(providers.map(({ id, name }) => [id, name]));
    this.dialects = new Map(dialects.map(({ id, name }) => [id, name]));
  }

  providerName = (id: string): string => this.providers.get(id) ?? (id || 'Own endpoint');
  dialectName = (id: string): string => this.dialects.get(id) ?? id;

  /** Narrows the list. Checked sessions might be out of sight then, so none stays checked. */
  async narrow(filters: Filters): Promise<void> {
    this.filters = filters;
    this.#now = Date.now();
    this.checked = new Map();
    this.#anchor = 0;
    await this.refresh(false);
  }

  /** Counts again and has the rows pulled anew. */
  async refresh(keep: boolean): Promise<void> {
    const filters = this.filters;
    try {
      const page = await call('sessions', { query: queryOf(filters, this.#now, 0, 1) });
      if (filters !== this.filters) return;
      this.total = page.total;
      this.bytes = page.bytes;
      this.problem = null;
      if (!keep || this.at >= page.total) this.at = Math.min(0, page.total - 1);
      if (page.total === 0) this.current = null;
      else if (this.at === 0) this.current = page.sessions[0] ?? null;
    } catch (thrown) {
      this.problem = IpcError.from(thrown);
      this.total = 0;
      this.current = null;
    }
    this.ready = true;
    this.version = { n: this.version.n + 1, keep };
  }

  /** Refreshes if the library changed behind the view: a session began, ended or grew. */
  async follow(): Promise<void> {
    const page = await call('sessions', { query: queryOf(this.filters, this.#now, 0, 1) }).catch(() => null);
    const newest = page?.sessions[0]?.id;
    if (page && (page.total !== this.total || page.bytes !== this.bytes)) {
      // New sessions come in at the top: the current row moves down with its session.
      const moved = page.total - this.total;
      if (moved > 0 && this.at >= 0 && this.current && newest !== this.current.id) this.at += moved;
      await this.refresh(true);
    }
  }

  /** Rows for the list. */
  pull = async (offset: number, limit: number): Promise<readonly SessionSummary[]> => {
    const page = await call('sessions', { query: queryOf(this.filters, this.#now, offset, limit) });
    const here = page.sessions[this.at - offset];
    if (here) this.current = here;
    if (this.checked.size) {
      const known = page.sessions.filter(({ id }) => this.checked.has(id));
      if (known.length) this.checked = withAll(this.checked, known);
    }
    return page.sessions;
  };

  /** Makes a row current. */
  go(at: number, session: SessionSummary | null): void {
    this.at = at;
    this.#anchor = at;
    if (session) this.current = session;
  }

  /** Moves by rows, as arrow keys do; null while the row is on its way. */
  async step(to: number, known: SessionSummary | null): Promise<void> {
    if (this.total === 0) return;
    const at = Math.max(0, Math.min(this.total - 1, to));
    this.go(at, known);
    if (known) return;
    const page = await call('sessions', { query: queryOf(this.filters, this.#now, at, 1) }).catch(() => null);
    if (this.at === at && page?.sessions[0]) this.current = page.sessions[0];
  }

  toggle(at: number, session: SessionSummary): void {
    this.checked = toggled(this.checked, session);
    this.at = at;
    this.current = session;
    this.#anchor = at;
  }

  /** Checks everything between the row last chosen and this one. */
  async extend(at: number, session: SessionSummary): Promise<void> {
    const { offset, limit } = stretch(this.#anchor, at);
    this.at = at;
    this.current = session;
    this.checked = withAll(this.checked, await this.#all(offset, limit));
  }

  async checkAll(): Promise<void> {
    this.checked = withAll(this.checked, await this.#all(0, this.total));
  }

  uncheck(): void {
    this.checked = new Map();
  }

  /** What an action is about: all that is checked, or else the current session. */
  get chosen(): string[] {
    if (this.checked.size) return [...this.checked.keys()];
    return this.current ? [this.current.id] : [];
  }

  async rename(session: SessionSummary, title: string): Promise<void> {
    await told(async () => {
      await call('rename_session', { session: session.id, title });
      if (this.current?.id === session.id) this.current = { ...session, title };
      this.version = { n: this.version.n + 1, keep: true };
    });
  }

  /** Adds a tag to sessions or takes it away. */
  async tag(sessions: Checked, tag: string, on: boolean): Promise<void> {
    await told(async () => {
      const changed = new Map<string, string[]>();
      for (const [id, tags] of sessions) {
        const next = retagged(tags, tag, on);
        await call('tag_session', { session: id, tags: next });
        changed.set(id, next);
      }
      this.checked = new Map([...this.checked].map(([id, tags]) => [id, changed.get(id) ?? tags]));
      const mine = this.current && changed.get(this.current.id);
      if (this.current && mine) this.current = { ...this.current, tags: mine };
      this.version = { n: this.version.n + 1, keep: true };
      await this.#readTags();
    });
  }

  /** Deletes sessions; the toast's button brings them back. */
  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const sessions = [...ids];
    await told(async () => {
      await call('delete_sessions', { sessions });
      this.checked = new Map();
      this.current = null;
      await this.refresh(true);
      toast(sessions.length === 1 ? 'Session deleted' : `${sessions.length} sessions deleted`, {
        action: { label: 'Undo', run: () => void this.#restore(sessions) },
      });
    });
  }

  async export(ids: readonly string[], format: ExportFormat): Promise<void> {
    await told(async () => {
      const name = await call('export_sessions', { sessions: [...ids], format });
      toast(`Saved in Downloads as ${name}`);
    });
  }

  /** Takes `.weir` files in, one after the other, and makes the last one current. */
  async import(files: Iterable<File>): Promise<void> {
    for (const file of files) {
      try {
        const session = await importSession(new Uint8Array(await file.arrayBuffer()));
        this.filters = NO_FILTERS;
        await this.refresh(false);
        this.at = -1;
        this.current = session;
        toast(`Imported “${session.title || file.name}”`);
      } catch (thrown) {
        const error = IpcError.from(thrown);
        toast(`${file.name} was not imported. ${error.message}`, { tone: 'err' });
      }
    }
  }

  async #restore(sessions: string[]): Promise<void> {
    await told(async () => {
      await call('restore_sessions', { sessions });
      await this.refresh(true);
    });
  }

  async #all(offset: number, limit: number): Promise<SessionSummary[]> {
    const found: SessionSummary[] = [];
    while (found.length < limit) {
      const page = await call('sessions', {
        query: queryOf(
          this.filters,
          this.#now,
          offset + found.length,
          Math.min(STRETCH, limit - found.length),
        ),
      });
      if (page.sessions.length === 0) break;
      found.push(...page.sessions);
    }
    return found;
  }

  async #readTags(): Promise<void> {
    this.tags = await call('tags', {}).catch(() => this.tags);
  }
}

/** Runs an action; a refusal is told. */
async function told(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (thrown) {
    toast(IpcError.from(thrown).message, { tone: 'err' });
  }
}

export const library = new Library();
