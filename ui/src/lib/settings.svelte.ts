import { call, type Result } from './ipc';
import { setLetterKeys } from './keys';

export type Settings = Result<'settings'>;

let current = $state.raw<Settings | null>(null);
const prefersLight = matchMedia('(prefers-color-scheme: light)');

function paint(): void {
  const theme = current?.theme ?? 'dark';
  document.documentElement.dataset.theme =
    theme === 'system' ? (prefersLight.matches ? 'light' : 'dark') : theme;
}

/** The program's settings; null until they are read. */
export const settings = {
  get current(): Settings | null {
    return current;
  },
  async load(): Promise<void> {
    apply(await call('settings', {}));
    prefersLight.addEventListener('change', paint);
  },
  /** Changes some of them, at once on screen and then on disk. */
  async change(patch: Partial<Settings>): Promise<void> {
    if (!current) return;
    const next = { ...current, ...patch };
    apply(next);
    await call('set_settings', { settings: next });
  },
};

function apply(next: Settings): void {
  current = next;
  setLetterKeys(next.letterKeys);
  paint();
}
