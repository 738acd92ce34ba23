import type { CompareRun } from '../../gen/CompareRun';
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

/** Why there is no table: a title and a sentence. Runs that were made are told of, whatever came of them. */
export function emptyWords(
  runs: readonly CompareRun[],
  progress: CompareProgress | null,
): { title: string; text: string } {
  const warmups = runs.filter(({ warmup }) => warmup).length;
  const measured = runs.length - warmups;
  const failed = runs.filter(({ failure }) => failure).length;
  const made = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
  if (progress?.state === 'running') {
    if (failed && failed === runs.length)
      return {
        title: failed === 1 ? 'The first run failed' : `The first ${failed} runs failed`,
        text: 'The notes tell why. Stop to change the lanes; what was sent is kept.',
      };
    return warmups
      ? {
          title: 'Warming up',
          text: `${made(warmups, 'warm-up run')} made. Figures begin with the runs behind them.`,
        }
      : { title: 'The first runs are on their way', text: 'Figures stand here once a run is over.' };
  }
  if (progress && measured)
    return {
      title: 'No run counts',
      text:
        failed >= measured
          ? `${measured === 1 ? 'The run' : `All ${measured} runs`} failed, so there are no figures. The notes tell why; the bytes of each are in its session.`
          : `Of ${made(measured, 'run')} none completed undisturbed, so there are no figures. The notes tell why.`,
    };
  if (progress && warmups)
    return {
      title: 'Stopped within the warm-ups',
      text: `${made(warmups, 'warm-up run')} made, none that counts: figures of warm-ups are dropped. Their replies stand above, and their bytes in Sessions. Run all to begin anew, or take fewer warm-ups.`,
    };
  if (progress)
    return {
      title: 'Stopped before the first run was over',
      text: 'Nothing was measured. Run all to begin anew.',
    };
  return {
    title: 'Nothing was measured yet',
    text: 'Every lane answers the same prompt, each run on the same clock. Warm-ups are dropped, the order is drawn anew each round, and every figure comes with its 95 % interval.',
  };
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
