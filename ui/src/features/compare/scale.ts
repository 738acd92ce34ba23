/** An axis: where a value lies on it, and where its labels stand. Pure. */
export interface Scale {
  log: boolean;
  at: (value: number) => number;
  ticks: { value: number; label: string }[];
}

/** A linear axis over the values, or a logarithmic one where they span more than a factor of three. */
export function scaleOf(all: readonly number[], from: number, to: number, unit: string, apart = 56): Scale {
  let low = Math.min(...all);
  let high = Math.max(...all);
  if (!all.length) [low, high] = [0, 1];
  const log = low > 0 && high / low > 3;
  if (!log) {
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    low -= low > 0 ? Math.min(low, room) : low === 0 ? 0 : room;
    high += room;
  } else {
    low /= 1.06;
    high *= 1.06;
  }
  const share = (value: number) =>
    log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  const at = (value: number) => from + share(value) * (to - from);
  const wanted = Math.max(2, Math.floor(Math.abs(to - from) / apart));
  const values = log ? logTicks(low, high) : linearTicks(low, high, wanted);
  const ticks: Scale['ticks'] = [];
  for (const value of values) {
    const last = ticks.at(-1);
    if (last && Math.abs(at(value) - at(last.value)) < apart * 0.6) continue;
    ticks.push({ value, label: label(value, unit) });
  }
  return { log, at, ticks };
}

function linearTicks(low: number, high: number, wanted: number): number[] {
  const rough = (high - low) / wanted;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = scale * ([1, 2, 5, 10].find((one) => one * scale >= rough * 0.999) ?? 10);
  const found: number[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high * (1 + 1e-9); n++)
    found.push(Number((n * step).toPrecision(12)));
  return found;
}

function logTicks(low: number, high: number): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const one of [1, 1.5, 2, 3, 5, 7]) {
      const value = one * 10 ** power;
      if (value >= low && value <= high) found.push(value);
    }
  return found;
}

/** A value with its unit, short enough for an axis. */
export function label(value: number, unit: string): string {
  const plain = (n: number) => String(Number(n.toPrecision(4)));
  if (unit === 'ms' && Math.abs(value) >= 1000) return `${plain(value / 1000)} s`;
  if (unit === 'B' && Math.abs(value) >= 1000) return `${plain(value / 1000)} kB`;
  return plain(value);
}
