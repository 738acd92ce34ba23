import type { LabPace } from '../../gen/LabPace';

/**
 * When each event of a reply leaves, in ms since the request ended: the Lab's own schedule, computed from the pace alone,
 * so that a picture of a reply needs no reply. Follows the engine's `pace.rs` draw for draw.
 */
export function eventTimes(pace: LabPace, most: number): number[] {
  const rate = pace.tokens_per_second;
  const gap = Number.isFinite(rate) && rate > 0 ? 1000 / rate : 0;
  const jitter = Math.min(100, pace.jitter_percent) / 100;
  const step = Math.max(1, pace.tokens_per_event);
  const tokens = Math.min(pace.reply_tokens, most * step);
  const random = stream(BigInt(Math.max(0, Math.trunc(pace.seed))), 'pace');
  const times: number[] = [];
  let at = 0;
  let left = 0;
  for (let i = 0; i < tokens; i++) {
    if (left === 0) {
      const stray = i === 0 ? 0 : (unit(random) - 0.5) * jitter * gap;
      at = pace.ttft_ms + i * gap + stray;
      left = pace.shape === 'bursty' ? 3 + Number(random() % 10n) : 1;
    }
    left--;
    if (i % step === 0) times.push(Math.round(at * 1000) / 1000);
  }
  return times;
}

/** How long a reply takes without jitter, ms. */
export function replyMs(pace: LabPace): number {
  const gap = pace.tokens_per_second > 0 ? 1000 / pace.tokens_per_second : 0;
  return pace.ttft_ms + Math.max(0, pace.reply_tokens - 1) * gap;
}

const MASK = (1n << 64n) - 1n;

/** SplitMix64 for one purpose of a run, as the Lab draws. */
function stream(seed: bigint, purpose: string): () => bigint {
  let name = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(purpose)) {
    name = ((name ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  }
  let state = (seed ^ name) & MASK;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & MASK;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return z ^ (z >> 31n);
  };
}

function unit(random: () => bigint): number {
  return Number(random() >> 11n) / 2 ** 53;
}
