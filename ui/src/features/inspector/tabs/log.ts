import type { FrameRow } from '../../../gen/FrameRow';
import type { KindCount } from '../../../gen/KindCount';
import type { Metrics } from '../../../gen/Metrics';
import type { Outcome } from '../../../gen/Outcome';
import type { RibbonPhase } from '../../../gen/RibbonPhase';

export interface LogLine {
  /** When, ms since the dial began; null for what has no moment. */
  tMs: number | null;
  text: string;
  tone: 'plain' | 'warn' | 'err';
  /** Frame it is about. */
  row?: number;
  /** What was seen, verbatim. */
  evidence?: string;
}

export interface LogFacts {
  url: string;
  phases: readonly RibbonPhase[];
  metrics: Metrics | null;
  connection: readonly [string, string] | null;
  http: string | null;
  status: number | null;
  finish: string | null;
  outcome: Outcome | null;
  /** Rows of kind warning, error and incomplete. */
  troubles: readonly FrameRow[];
}

const PHASES: Readonly<Record<string, string>> = {
  dns: 'name resolved',
  tcp: 'TCP connected',
  tls: 'TLS established',
  wait: 'first byte',
};

/** Kinds of rows that the log repeats. */
export const TROUBLES = ['warning', 'error', 'incomplete'] as const;

/** How many rows the log repeats. */
export function troubleCount(kinds: readonly KindCount[]): number {
  const all: readonly string[] = TROUBLES;
  return kinds.reduce((sum, { kind, count }) => sum + (all.includes(kind) ? count : 0), 0);
}

/** What happened, a line each, in the order of time. */
export function logLines(facts: LogFacts): LogLine[] {
  const lines: LogLine[] = [{ tMs: 0, text: `dial ${facts.url}`, tone: 'plain' }];
  for (const { name, startMs, endMs } of facts.phases) {
    const took = `${(endMs - startMs).toFixed(1)} ms`;
    const about = name === 'tcp' ? facts.connection?.[1] : name === 'tls' ? facts.connection?.[0] : undefined;
    lines.push({
      tMs: endMs,
      text: `${PHASES[name] ?? name} after ${took}${about ? `: ${about}` : ''}`,
      tone: 'plain',
    });
  }
  const { metrics } = facts;
  if (facts.status !== null) {
    lines.push({
      tMs: metrics?.ttfbMs ?? null,
      text: `HTTP/${facts.http ?? '?'} status ${facts.status}`,
      tone: facts.status >= 400 ? 'err' : 'plain',
    });
  }
  // A delta may hold no token, or several: it is never called one.
  if (metrics?.ttftMs != null && metrics.ttftMs !== metrics.firstTextMs) {
    lines.push({ tMs: metrics.ttftMs, text: 'first delta', tone: 'plain' });
  }
  if (metrics?.firstTextMs != null)
    lines.push({ tMs: metrics.firstTextMs, text: 'first text', tone: 'plain' });
  for (const row of facts.troubles) {
    lines.push({
      tMs: row.tMs,
      text: `${row.kind}: ${row.summary}`,
      tone: row.kind === 'warning' ? 'warn' : 'err',
      row: row.id,
    });
  }
  const last = metrics?.totalMs ?? null;
  if (facts.outcome) {
    if (facts.finish !== null) lines.push({ tMs: last, text: `finish ${facts.finish}`, tone: 'plain' });
    const { kind, problem } = facts.outcome;
    lines.push({
      tMs: last,
      text: problem ? `${kind} (${problem.blame}, ${problem.code}): ${problem.message}` : kind,
      tone: kind === 'complete' ? 'plain' : 'err',
      evidence: problem?.evidence || undefined,
    });
  }
  // What has no moment stays where it stands: sorting is by the last moment before it.
  let at = 0;
  return lines
    .map((line, order) => ({ line, order, at: (at = line.tMs ?? at) }))
    .sort((a, b) => a.at - b.at || a.order - b.order)
    .map(({ line }) => line);
}
