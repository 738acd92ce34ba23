import type { Args, Backend, CommandName, Result } from './backend';

export { IpcError } from './backend';
export type { Args, CommandName, Result } from './backend';

let backend: Backend | null = null;

/** Picks the engine: the window's own, or in development the one that runs in the browser. */
export async function connectBackend(): Promise<void> {
  if ('__TAURI_INTERNALS__' in window) backend = (await import('./tauri')).tauriBackend;
  else if (import.meta.env.DEV) backend = (await import('./fake')).fakeBackend;
  else throw new Error('Weir’s page needs Weir’s window: no engine is attached.');
}

/** Puts an engine in place; for tests. */
export function useBackend(other: Backend): void {
  backend = other;
}

function engine(): Backend {
  if (!backend) throw new Error('connectBackend() has not run.');
  return backend;
}

/** Runs a command of the engine; throws `IpcError`. */
export function call<K extends CommandName>(name: K, args: Args<K>): Promise<Result<K>> {
  return engine().call(name, args);
}

export const bytes: Backend['bytes'] = (...args) => engine().bytes(...args);
export const audio: Backend['audio'] = (...args) => engine().audio(...args);
export const attach: Backend['attach'] = (file) => engine().attach(file);
export const attached: Backend['attached'] = (reference) => engine().attached(reference);
export const importSession: Backend['importSession'] = (file) => engine().importSession(file);
export const watch: Backend['watch'] = (session, onUpdate) => engine().watch(session, onUpdate);
export const watchComparison: Backend['watchComparison'] = (id, onUpdate) =>
  engine().watchComparison(id, onUpdate);
export const watchDrill: Backend['watchDrill'] = (onUpdate) => engine().watchDrill(onUpdate);
export const watchMemoryDrill: Backend['watchMemoryDrill'] = (onUpdate) =>
  engine().watchMemoryDrill(onUpdate);
