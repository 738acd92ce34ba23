import { Channel, invoke } from '@tauri-apps/api/core';
import type { SessionSummary } from '../../gen/SessionSummary';
import type { Update } from '../../gen/Update';
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

  importSession: (file) => ask<SessionSummary>('import_session', file),

  watch(session, onUpdate) {
    let live = true;
    const updates = new Channel<Update>((update) => {
      if (live) onUpdate(update);
    });
    const started = ask('watch', { session, updates });
    started.catch((error: unknown) => console.error('watch', error));
    return () => {
      live = false;
      // Wait for the watch to stand, so that the two cannot overtake each other.
      void started.then(
        () => ask('unwatch', { session, channel: updates.id }).catch(() => {}),
        () => {},
      );
    };
  },
};
