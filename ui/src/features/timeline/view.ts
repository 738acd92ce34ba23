import { niceStep } from '../../lib/timescale';

export { msAt, niceStep, pan, ticks, timeLabel, xOf, zoom, type Tick, type View } from '../../lib/timescale';

/**
 * Where the axis ends. It does not slide while a stream runs but steps: 1, 2, 5, 10 s …, so that what stands keeps its
 * place; at the end it is cut to the next whole tick.
 */
export function domainEnd(elapsedMs: number, running: boolean): number {
  if (running) return niceStep(Math.max(1000, elapsedMs));
  const step = niceStep(Math.max(elapsedMs, 1) / 8);
  return Math.max(step, Math.ceil((elapsedMs * 1.005) / step) * step);
}
