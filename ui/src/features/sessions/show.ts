import type { SessionSummary } from '../../gen/SessionSummary';
import { count, duration, joined, percent, size } from '../../lib/format';

/** How a transport is written in a row, and the layer whose hue it has. */
export function transportSign(transport: string): { text: string; ly: string } {
  switch (transport) {
    case 'sse':
      return { text: 'SSE', ly: 'sse' };
    case 'websocket':
      return { text: 'WS', ly: 'ws' };
    case 'ndjson':
      return { text: 'NDJSON', ly: 'json' };
    case 'eventstream':
      return { text: 'EVENTS', ly: 'chunk' };
    default:
      return { text: transport.toUpperCase(), ly: 'http-head' };
  }
}

export type Tone = 'ok' | 'warn' | 'err' | 'plain';
export type Sign = 'check' | 'again' | 'cross' | 'cut' | 'stop' | 'live';

/** How a session ended, in a word or two. */
export function outcomeSign(session: Pick<SessionSummary, 'outcome' | 'problem' | 'status'>): {
  text: string;
  tone: Tone;
  sign: Sign;
} {
  switch (session.outcome) {
    case 'complete':
      return { text: 'complete', tone: 'ok', sign: 'check' };
    case 'recording':
      return { text: 'recording', tone: 'ok', sign: 'live' };
    case 'cancelled':
      return { text: 'stopped', tone: 'plain', sign: 'stop' };
    case 'cut':
      return { text: 'cut', tone: 'err', sign: 'cut' };
    default: {
      if (session.status === 429) return { text: '429', tone: 'warn', sign: 'again' };
      if (session.status !== null && session.status >= 300)
        return { text: `HTTP ${session.status}`, tone: 'err', sign: 'cross' };
      return { text: session.problem.replaceAll(/[-_]/g, ' ') || 'failed', tone: 'err', sign: 'cross' };
    }
  }
}

const DAY = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** "Today 23:49", "Fri 17:12", "20 Nov 11:48", "20 Nov 2024". Both Unix ms; the machine's own time zone. */
export function startedAt(at: number, now: number): string {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const today = new Date(now).setHours(0, 0, 0, 0);
  const day = new Date(at).setHours(0, 0, 0, 0);
  const past = Math.round((today - day) / DAY);
  if (past === 0) return `Today ${time}`;
  if (past > 0 && past < 7) return `${DAYS[date.getDay()]} ${time}`;
  const written = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return date.getFullYear() === new Date(now).getFullYear()
    ? `${written} ${time}`
    : `${written} ${date.getFullYear()}`;
}

/** A session's duration, always in seconds so that the column compares by eye. */
export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 99_995 ? 2 : 1)} s`;
}

/** The lines of the preview's figures: label and value. */
export function figures(session: SessionSummary): [string, string][] {
  const m = session.metrics;
  const lines: [string, string][] = [];
  const ms = (n: number | null | undefined) => (n === null || n === undefined ? 'none' : joined(duration(n)));
  lines.push(['TTFB, TTFT', `${ms(m?.ttfbMs)}, ${ms(m?.ttftMs ?? session.ttftMs)}`]);
  if (m?.rate) {
    const rate = `${m.rate.estimate ? '~' : ''}${m.rate.value.toFixed(1)} ${m.rate.estimate ? 'deltas/s' : 'tok/s'}`;
    lines.push(['Rate', m.gapP99Ms === null ? rate : `${rate}, gap p99 ${joined(duration(m.gapP99Ms))}`]);
  }
  const share = m && m.bytesDown > 0 ? `, ${joined(percent(m.bytesText / m.bytesDown))} text` : '';
  lines.push(['Bytes', `${count(session.bytesDown)} B down${share}`]);
  lines.push(['Frames', count(session.frames)]);
  return lines;
}

/** "1 session", "25 sessions, 1.5 MB". */
export function tally(total: number, bytes: number | null): string {
  const sessions = `${count(total)} ${total === 1 ? 'session' : 'sessions'}`;
  return bytes === null ? sessions : `${sessions}, ${joined(size(bytes))}`;
}

function two(n: number): string {
  return n.toString().padStart(2, '0');
}
