import type { CompareProgress } from '../../gen/CompareProgress';
import type { ComparisonCost } from '../../gen/ComparisonCost';

/** A stretch of time in words: "40 s", "3 min". */
export function stretch(ms: number): string {
  if (ms < 1000) return 'under 1 s';
  if (ms < 99_500) return `${Math.round(ms / 1000)} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export function progressLine({ state, done, of, failed, leftMs }: CompareProgress): string {
  const fault = failed ? `, ${failed} failed` : '';
  if (state === 'running')
    return `${done} of ${of} runs${fault}${leftMs === null ? '' : `, ${stretch(leftMs)} left`}`;
  return `${state === 'stopped' ? 'stopped after ' : ''}${done} of ${of} runs${fault}`;
}

/** What a comparison will cost: requests, and tokens of the lanes that are not free, where they are known. */
export function costLine(cost: ComparisonCost, count: (n: number) => string): string {
  const requests = `${count(cost.requests)} requests${cost.dropped ? ` (${count(cost.dropped)} dropped)` : ''}`;
  const paid = cost.lanes.filter(({ free }) => !free);
  if (!paid.length) return `${requests}, free`;
  const sum = (of: (lane: (typeof paid)[number]) => number | null) =>
    paid.reduce<number | null>((all, lane) => {
      const own = of(lane);
      return all === null || own === null ? null : all + own;
    }, 0);
  const [input, output] = [sum((l) => l.inputTokens), sum((l) => l.outputTokens)];
  const most = sum((l) => l.mostOutputTokens);
  const tokens =
    input !== null && output !== null
      ? `about ${count(input)} tokens in, ${count(output)} out`
      : most !== null
        ? `at most ${count(most)} tokens out`
        : 'tokens not known before the first run';
  return `${requests}, ${tokens}`;
}
