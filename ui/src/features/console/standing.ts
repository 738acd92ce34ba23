import type { ConsoleStanding } from '../../gen/ConsoleStanding';
import type { Outcome } from '../../gen/Outcome';

export interface ConsoleState {
  tone: 'idle' | 'run' | 'wait' | 'ok' | 'stopped' | 'cut' | 'bad';
  /** One or two words. */
  label: string;
  /** What it means, and what comes next. */
  detail: string;
}

/**
 * Where a console stands, in words. `elapsedMs` is the session's clock, which counts a wait down; `status` that of
 * the last answer.
 */
export function stateOf(
  mode: 'sse' | 'websocket',
  standing: ConsoleStanding | null,
  outcome: Outcome | null,
  elapsedMs: number,
  status: number | null,
): ConsoleState {
  if (!standing) return { tone: 'idle', label: 'Not connected', detail: 'Nothing was sent yet.' };
  if (standing.phase === 'connecting') return { tone: 'run', label: 'Connecting', detail: '' };
  if (standing.phase === 'open') {
    const closing = standing.close ? `Closing: ${closeWords(standing)}` : '';
    const rest = standing.resting
      ? 'Echo and rules rest: they sent 10,000 messages with none of yours between them.'
      : '';
    return { tone: 'run', label: closing ? 'Closing' : 'Open', detail: closing || rest };
  }
  if (standing.phase === 'waiting') {
    const left = Math.max(0, (standing.nextAtMs ?? elapsedMs) - elapsedMs) / 1000;
    const why = standing.problem ? `${standing.problem.message} ` : 'The stream ended. ';
    const from = standing.lastEventId ? ` with Last-Event-ID ${standing.lastEventId}` : '';
    return {
      tone: 'wait',
      label: `Reconnecting in ${left.toFixed(1)} s`,
      detail: `${why}Asks again${from}.`,
    };
  }
  const detail = outcome?.problem?.message ?? '';
  if (outcome?.kind === 'complete') {
    const words =
      mode === 'sse'
        ? status === 204
          ? '204: the server says there is no more.'
          : 'The stream ended, and was not to be asked for again.'
        : closeWords(standing);
    return { tone: 'ok', label: 'Closed', detail: words };
  }
  if (outcome?.kind === 'cancelled') return { tone: 'stopped', label: 'Stopped', detail };
  if (outcome?.kind === 'cut') return { tone: 'cut', label: 'Cut off', detail };
  return { tone: 'bad', label: 'Failed', detail };
}

/** A close frame in words: `1000, normal closure; “bye”, by you`. */
function closeWords({ close }: ConsoleStanding): string {
  if (!close) return '';
  const code = close.code === null ? 'no code' : `${close.code}, ${close.meaning}`;
  const reason = close.reason ? `; “${close.reason}”` : '';
  return `${code}${reason}, ${close.ours ? 'by you' : 'by the server'}.`;
}
