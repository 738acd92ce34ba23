import { call } from '../../lib/ipc';
import { Stage, type Act } from './stage.svelte';
import { STOPS, type Scene, type Stop } from './stops';
import { languageOf, LANGUAGES, type Language, type TourText } from './text';

const NAME = 'tour-language';

/** The tour: where the reader stands, in which language, and what was sent for each stop. */
class Tour {
  shown = $state(false);
  language = $state<Language>(languageOf(navigator.languages));
  at = $state(0);
  /** The scene chosen at each stop that has several. */
  #scenes = $state.raw<readonly number[]>(STOPS.map(() => 0));
  #stages = $state.raw<ReadonlyMap<Scene, Stage>>(new Map());
  #recalled = false;

  get text(): TourText {
    return LANGUAGES[this.language];
  }
  get stop(): Stop {
    return STOPS[this.at]!;
  }
  get scene(): Scene {
    return this.stop.scenes[this.#scenes[this.at]!]!;
  }
  get stage(): Stage | undefined {
    return this.#stages.get(this.scene);
  }

  /** Shows the tour where it was left. */
  async open(): Promise<void> {
    if (this.shown) return;
    if (!this.#recalled) {
      this.#recalled = true;
      const kept = await call('remembered', { name: NAME }).catch(() => null);
      if (kept && kept in LANGUAGES) this.language = kept as Language;
    }
    this.shown = true;
    this.#begin();
  }

  /** Hides it. What was sent stays in the library; the next visit sends anew. */
  close(but?: Act): void {
    this.shown = false;
    for (const stage of this.#stages.values()) stage.leave(but);
    this.#stages = new Map();
  }

  /** The last stop is over: the next visit begins at the first. */
  finish(): void {
    this.close();
    this.at = 0;
  }

  /** Goes to a stop and sends what it shows, unless that was done. */
  go(to: number): void {
    this.at = Math.max(0, Math.min(STOPS.length - 1, to));
    this.#begin();
  }

  /** Chooses a scene of the present stop. */
  choose(scene: string): void {
    const at = this.stop.scenes.findIndex(({ id }) => id === scene);
    if (at < 0) return;
    this.#scenes = this.#scenes.map((old, i) => (i === this.at ? at : old));
    this.#begin();
  }

  speak(language: Language): void {
    this.language = language;
    call('remember', { name: NAME, value: language }).catch(() => {});
  }

  /** Sends the present scene once more. */
  again(): void {
    this.stage?.leave();
    this.#stages = new Map([...this.#stages].filter(([scene]) => scene !== this.scene));
    this.#begin();
  }

  #begin(): void {
    const { scene, text } = this;
    if (this.#stages.has(scene)) return;
    const title = `${text.title} ${this.at + 1}: ${text.says[this.stop.id].title}`;
    this.#stages = new Map(this.#stages).set(scene, new Stage(scene, title, text.prompts));
  }
}

export const tour = new Tour();
