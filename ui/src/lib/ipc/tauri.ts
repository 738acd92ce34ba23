import { Channel, invoke } from '@tauri-apps/api/core';
import type { SessionSummary } from '../../gen/SessionSummary';
import type { Update } from '../../gen/Update';
import type { ComparisonUpdate } from '../../gen/ComparisonUpdate';
import type { DrillUpdate } from '../../gen/DrillUpdate';
import type { MemoryView } from '../../gen/MemoryView';
import { IpcError, type Backend } from './backend';

async function ask<T>(name: string, args?: Record<string, unknown> | Uint8Array): Promise<T> {
  try {
    return await invoke<T>(name, args);
  } catch (thrown) {
    throw IpcError.from(thrown);
  }
}

export const tauriBackend: Backend = {
  call: (name, args) => ask(name, args),

  async bytes(session, conn, out, start, len) {
    return new Uint8Array(await ask<ArrayBuffer>('bytes', { session, conn, out, start, len }));
  },

  async audio(session, block) {
    return new Uint8Array(await ask<ArrayBuffer>('audio', { session, block }));
  },

  attach: (file) => ask<string>('attach', file),

  async attached(reference) {
    return new Uint8Array(await ask<ArrayBuffer>('attached', { reference }));
  },

  importSession: (file) => ask<SessionSummary>('import_session', file),

  watch: (session, onUpdate) => follow<Update>('watch', { session }, onUpdate),
  watchComparison: (id, onUpdate) => follow<ComparisonUpdate>('watch_comparison', { id }, onUpdate),
  watchDrill: (onUpdate) => follow<DrillUpdate>('watch_drill', {}, onUpdate),
  watchMemoryDrill: (onUpdate) => follow<MemoryView>('watch_memory_drill', {}, onUpdate),
};

/** Follows something through a channel; returns the way to stop. */
function follow<T>(begin: string, what: Record<string, unknown>, onUpdate: (update: T) => void): () => void {
  let live = true;
  const updates = new Channel<T>((update) => {
    if (!live) return;
    onUpdate(update);
    // The engine sends no more before this one was shown, so a page that is slow does not fall behind.
    displayed(() => void ask('shown', { channel: updates.id }).catch(() => {}));
  });
  const started = ask(begin, { ...what, updates });
  started.catch((error: unknown) => console.error(begin, error));
  return () => {
    live = false;
    // Wait for the watch to stand, so that the two cannot overtake each other.
    void started.then(
      () => ask('unwatch', { channel: updates.id }).catch(() => {}),
      () => {},
    );
  };
}

/** Runs `then` in the next display frame; of a window that is hidden and has none, after a second. */
function displayed(then: () => void): void {
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, 1000);
  function run() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    then();
  }
}
