import type { Commands } from '../../gen/commands';
import type { ComparisonUpdate } from '../../gen/ComparisonUpdate';
import type { DrillUpdate } from '../../gen/DrillUpdate';
import type { FilterError } from '../../gen/FilterError';
import type { MemoryView } from '../../gen/MemoryView';
import type { Problem } from '../../gen/Problem';
import type { SessionSummary } from '../../gen/SessionSummary';
import type { Update } from '../../gen/Update';

export type CommandName = keyof Commands;
export type Args<K extends CommandName> = Commands[K]['args'];
export type Result<K extends CommandName> = Commands[K]['result'];

/** What the page can ask of the engine, whichever engine stands behind it. */
export interface Backend {
  call<K extends CommandName>(name: K, args: Args<K>): Promise<Result<K>>;
  /** `len` bytes of one direction of a connection, from `start`. */
  bytes(session: string, conn: number, out: boolean, start: number, len: number): Promise<Uint8Array>;
  /** The sound of an audio block so far: a WAV file where it is PCM, else as the provider sent it. */
  audio(session: string, block: number): Promise<Uint8Array>;
  /** Keeps a file to go along with a request; gives the reference that stands for it in a draft. */
  attach(file: Uint8Array): Promise<string>;
  /** The content of an attached file. */
  attached(reference: string): Promise<Uint8Array>;
  /** Takes the bytes of a `.weir` file into the library. */
  importSession(file: Uint8Array): Promise<SessionSummary>;
  /** Calls `onUpdate` until the returned function is called. The first update holds everything but the rest of a long reply. */
  watch(session: string, onUpdate: (update: Update) => void): () => void;
  /** The same for a comparison. */
  watchComparison(id: string, onUpdate: (update: ComparisonUpdate) => void): () => void;
  /** The same for the last drill. */
  watchDrill(onUpdate: (update: DrillUpdate) => void): () => void;
  /** The last memory drill, whole each time something is new. */
  watchMemoryDrill(onUpdate: (view: MemoryView) => void): () => void;
}

/** A refusal by the engine. `code` exists where the page branches on it. */
export class IpcError extends Error {
  override name = 'IpcError';
  constructor(
    readonly code: string,
    message: string,
    readonly detail: Problem | FilterError | null = null,
  ) {
    super(message);
  }

  /** The four parts of an error, where the engine gave them. */
  get problem(): Problem | null {
    return this.detail && 'consequence' in this.detail ? this.detail : null;
  }

  /** Turns whatever a call threw into an `IpcError`. */
  static from(thrown: unknown): IpcError {
    if (thrown instanceof IpcError) return thrown;
    if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown) {
      const detail = 'detail' in thrown ? (thrown.detail as Problem | FilterError | null) : null;
      return new IpcError(String(thrown.code), String(thrown.message), detail);
    }
    return new IpcError('unknown', thrown instanceof Error ? thrown.message : String(thrown));
  }
}
