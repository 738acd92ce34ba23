import { call, type Result } from './ipc';

let state = $state.raw<Result<'lab'> | null>(null);
let timer: ReturnType<typeof setInterval> | undefined;

/** The built-in server as it stands; null until asked. */
export const lab = {
  get state(): Result<'lab'> | null {
    return state;
  },
  /** Takes the state a command gave back, or asks for it. */
  set(next: Result<'lab'>): void {
    state = next;
  },
  async refresh(): Promise<void> {
    state = await call('lab', {}).catch(() => null);
  },
  /** Keeps asking every `ms`; returns the way to stop. */
  poll(ms: number): () => void {
    void lab.refresh();
    clearInterval(timer);
    timer = setInterval(() => void lab.refresh(), ms);
    return () => clearInterval(timer);
  },
};
