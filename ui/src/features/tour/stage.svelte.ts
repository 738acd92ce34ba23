import type { Draft } from '../../gen/Draft';
import type { FrameRow } from '../../gen/FrameRow';
import { call, IpcError } from '../../lib/ipc';
import { Session } from '../session/session.svelte';
import type { Mark } from './marks';
import type { ActId, Scene } from './stops';
import type { TourText } from './text';

/** Longest wait for a frame, ms. */
export const PATIENCE_MS = 20_000;
const PULL_MS = 60;
/** Rows of one request that the tour shows at most; its replies have a dozen or two. */
const ROWS = 200;
const TICK_MS = 100;

/** One request of a scene: the session it became, and its frames so far. */
export class Act {
  readonly id: ActId;
  /** What was sent. */
  readonly draft: Draft;
  readonly session: Session;
  rows = $state.raw<readonly FrameRow[]>([]);
  /** What undecoded payloads say, by row: a frame without a dialect has no summary of its own. */
  payloads = $state.raw<ReadonlyMap<number, string>>(new Map());

  constructor(id: ActId, draft: Draft, session: Session) {
    this.id = id;
    this.draft = draft;
    this.session = session;
  }

  /** One line about a frame. */
  summary(row: FrameRow): string {
    return this.payloads.get(row.id) ?? row.summary;
  }
}

class Left extends Error {}
class Late extends Error {}

/** A scene under way: sends its requests one after the other and keeps what came. */
export class Stage {
  acts = $state.raw<readonly Act[]>([]);
  state = $state<'playing' | 'done' | 'failed'>('playing');
  /** Seconds until the next request, where the scene waits; else null. */
  waits = $state<number | null>(null);
  /** Why a request could not be sent, in the engine's words. */
  refused = $state.raw<IpcError | null>(null);
  /** A frame the scene waited for did not come. */
  late = $state(false);
  #left = false;
  readonly #title: string;

  constructor(scene: Scene, title: string, prompts: TourText['prompts']) {
    this.#title = title;
    void this.#play(scene, prompts);
  }

  act(id: ActId): Act | undefined {
    return this.acts.find((act) => act.id === id);
  }

  /** Sends a draft as an ordinary session. */
  async send(id: ActId, draft: Draft): Promise<void> {
    this.#stay();
    const info = await call('send', { draft: { ...draft, title: this.#title } });
    const act = new Act(id, draft, new Session(info));
    this.acts = [...this.acts, act];
    if (this.#left) act.session.close();
  }

  /** Waits until the frames of a request hold what is wanted. */
  async until(id: ActId, wanted: (rows: readonly FrameRow[]) => boolean): Promise<void> {
    await this.#pullUntil(id, (act) => wanted(act.rows));
  }

  /** Waits until a request is over. */
  async over(id: ActId): Promise<void> {
    await this.#pullUntil(id, (act) => !act.session.running);
    await this.#pull(this.#known(id));
  }

  async stop(id: ActId): Promise<void> {
    await this.#known(id).session.stop();
    await this.over(id);
  }

  async ping(id: ActId, payload: string): Promise<void> {
    await call('ping', { session: this.#known(id).session.id, payload });
  }

  async hangUp(id: ActId): Promise<void> {
    await this.#known(id).session.hangUp();
  }

  /** The value of an SSE field as it stands in a frame that came. */
  async field(id: ActId, mark: Mark, name: string): Promise<string> {
    const { session, rows } = this.#known(id);
    const row = mark(rows);
    if (!row) throw new Late();
    const { nodes } = await call('frame', { session: session.id, row: row.id });
    const node = nodes.find(({ label }) => label === `field ${name}`);
    if (!node) throw new Late();
    return node.value;
  }

  /** Waits as long as the server asked for, counting down. */
  async pause(ms: number): Promise<void> {
    const until = Date.now() + ms;
    for (let left = ms; left > 0; left = until - Date.now()) {
      this.waits = Math.ceil(left / 1000);
      await sleep(Math.min(TICK_MS, left));
      if (this.#left) break;
    }
    this.waits = null;
    this.#stay();
  }

  /** Nobody looks any more: what runs is stopped, what came is kept in the library. `but` goes on being shown elsewhere. */
  leave(but?: Act): void {
    if (this.#left) return;
    this.#left = true;
    for (const { session } of this.acts) {
      if (session.running && session !== but?.session) void session.stop().catch(() => {});
      session.close();
    }
  }

  async #play(scene: Scene, prompts: TourText['prompts']): Promise<void> {
    try {
      await scene.play(this, prompts);
      this.state = 'done';
    } catch (thrown) {
      if (thrown instanceof Left) return;
      this.state = 'failed';
      if (thrown instanceof Late) this.late = true;
      else this.refused = IpcError.from(thrown);
      // What has no end of its own is not left running behind a message that it failed.
      for (const { session } of this.acts) if (session.running) void session.stop().catch(() => {});
    }
  }

  async #pullUntil(id: ActId, done: (act: Act) => boolean): Promise<void> {
    const begun = Date.now();
    for (;;) {
      this.#stay();
      const act = this.#known(id);
      await this.#pull(act);
      if (done(act)) return;
      if (Date.now() - begun > PATIENCE_MS) throw new Late();
      await sleep(PULL_MS);
    }
  }

  async #pull(act: Act): Promise<void> {
    const session = act.session.id;
    const { rows } = await call('rows', { session, filter: '', start: 0, count: ROWS });
    const payloads = new Map(act.payloads);
    for (const row of rows) {
      if (row.summary !== UNDECODED || payloads.has(row.id)) continue;
      const { nodes } = await call('frame', { session, row: row.id });
      const node =
        nodes.find(({ label }) => label === 'text') ?? nodes.find(({ label }) => label === 'payload');
      payloads.set(row.id, node?.value ?? row.summary);
    }
    if (payloads.size > act.payloads.size) act.payloads = payloads;
    act.rows = rows;
  }

  #known(id: ActId): Act {
    const act = this.act(id);
    if (!act) throw new Error(`${id} was not sent`);
    return act;
  }

  #stay(): void {
    if (this.#left) throw new Left();
  }
}

/** The summary of a payload that no dialect decodes. */
const UNDECODED = 'raw';

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
