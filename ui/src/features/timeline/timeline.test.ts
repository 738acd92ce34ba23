import { describe, expect, it } from 'vitest';
import type { Ribbon } from '../../gen/Ribbon';
import { digitsFor, dragged, edged, gripAt, moved } from './brush';
import { newest } from './draw';
import { stalls } from './stalls';
import { domainEnd, msAt, niceStep, pan, ticks, xOf, zoom } from './view';

const VIEW = { from: 0, to: 5000 };
const WIDTH = 1000;
const rounded = (range: { fromMs: number; toMs: number }) => ({
  fromMs: Math.round(range.fromMs),
  toMs: Math.round(range.toMs),
});
const BRUSH = { fromMs: 1700, toMs: 2900 };

describe('axis', () => {
  it('steps while it runs and ends at a whole tick', () => {
    expect(domainEnd(0, true)).toBe(1000);
    expect(domainEnd(3420, true)).toBe(5000);
    expect(domainEnd(5001, true)).toBe(10_000);
    expect(domainEnd(4860, false)).toBe(5000);
    expect(domainEnd(70, false)).toBeCloseTo(80);
    for (const ms of [1, 312, 4860, 59_999, 3_600_000]) expect(domainEnd(ms, false)).toBeGreaterThan(ms);
  });

  it('labels whole values', () => {
    expect(niceStep(0.3)).toBeCloseTo(0.5);
    expect(niceStep(5)).toBe(5);
    const labels = ticks(VIEW, 880).map(({ label }) => label);
    expect(labels.filter(Boolean)).toEqual(['0 s', '1 s', '2 s', '3 s', '4 s', '5 s']);
    const zoomed = ticks({ from: 1300, to: 3600 }, 910).filter(({ label }) => label);
    expect(zoomed.length).toBeGreaterThan(5);
    expect(zoomed[0]!.label).toBe('1.4 s');
    expect(ticks({ from: 0, to: 0 }, 900)).toEqual([]);
  });

  it('maps there and back', () => {
    expect(xOf(2500, VIEW, WIDTH)).toBe(500);
    expect(msAt(xOf(1234, VIEW, WIDTH), VIEW, WIDTH)).toBeCloseTo(1234);
  });
});

describe('zoom', () => {
  it('keeps the moment under the pointer, and stays inside', () => {
    const near = zoom(VIEW, 0.5, 1000, 5000);
    expect(near.to - near.from).toBe(2500);
    expect(xOf(1000, near, WIDTH)).toBeCloseTo(xOf(1000, VIEW, WIDTH));
    expect(zoom(near, 100, 1000, 5000)).toEqual(VIEW);
    expect(zoom(VIEW, 1e-9, 1000, 5000).to - zoom(VIEW, 1e-9, 1000, 5000).from).toBeCloseTo(1);
    expect(pan(near, 1e9, 5000)).toEqual({ from: 2500, to: 5000 });
    expect(pan(near, -1e9, 5000)).toEqual({ from: 0, to: 2500 });
  });
});

describe('brush', () => {
  it('is taken at its edges, inside, or made anew', () => {
    expect(gripAt(340, BRUSH, VIEW, WIDTH)).toBe('from');
    expect(gripAt(335, BRUSH, VIEW, WIDTH)).toBe('from');
    expect(gripAt(583, BRUSH, VIEW, WIDTH)).toBe('to');
    expect(gripAt(460, BRUSH, VIEW, WIDTH)).toBe('body');
    expect(gripAt(700, BRUSH, VIEW, WIDTH)).toBe('new');
    expect(gripAt(460, null, VIEW, WIDTH)).toBe('new');
  });

  it('follows the pointer, in either direction, and never leaves the session', () => {
    const drag = (grip: Parameters<typeof dragged>[0], from: number, to: number) =>
      rounded(dragged(grip, BRUSH, from, to, VIEW, WIDTH, 5000));
    expect(drag('new', 100, 300)).toEqual({ fromMs: 500, toMs: 1500 });
    expect(drag('new', 300, -50)).toEqual({ fromMs: 0, toMs: 1500 });
    expect(drag('from', 340, 700)).toEqual({ fromMs: 2900, toMs: 3500 });
    expect(drag('to', 580, 2000)).toEqual({ fromMs: 1700, toMs: 5000 });
    expect(drag('body', 460, 560)).toEqual({ fromMs: 2200, toMs: 3400 });
    expect(drag('body', 460, 2000)).toEqual({ fromMs: 3800, toMs: 5000 });
  });

  it('moves by keys', () => {
    expect(moved(BRUSH, -5000, 5000)).toEqual({ fromMs: 0, toMs: 1200 });
    expect(edged(BRUSH, 'from', 5000, 5000)).toEqual({ fromMs: 2900, toMs: 2900 });
    expect(edged(BRUSH, 'to', 5000, 5000)).toEqual({ fromMs: 1700, toMs: 5000 });
  });

  it('writes as many digits as pixels can tell apart', () => {
    expect(digitsFor(VIEW, WIDTH)).toBe(2);
    expect(digitsFor({ from: 0, to: 100 }, WIDTH)).toBe(4);
    expect(digitsFor({ from: 0, to: 600_000 }, WIDTH)).toBe(2);
  });
});

it('finds stalls between rows, not before the first byte nor behind the last row', () => {
  const bins = (text: string) => [...text].map((c) => (c === '#' ? 1 : 0));
  const ribbon: Ribbon = {
    fromMs: 0,
    toMs: 200,
    lanes: [
      { name: 'http', bins: bins('#.........#.........') },
      { name: 'text', bins: bins('...........#......#..') },
    ],
    phases: [{ name: 'wait', startMs: 10, endMs: 100 }],
  };
  expect(stalls(ribbon, 50, 3)).toEqual([{ fromMs: 120, toMs: 180 }]);
  expect(stalls(ribbon, 70, 3)).toEqual([]);
});

describe('the newest row', () => {
  const lane = (name: string, bins: number[]) => ({ name, bins });
  const ribbon = (...lanes: ReturnType<typeof lane>[]) =>
    ({ fromMs: 0, toMs: 1000, phases: [], lanes, stalls: [] }) as unknown as Ribbon;
  it('is that of any lane, so that the present stands behind all that has come', () => {
    expect(newest(ribbon(lane('http', [1, 0, 0, 0, 0]), lane('text', [0, 0, 1, 2, 0])))).toBe(800);
    expect(newest(ribbon(lane('text', [0, 0, 0, 0, 0])))).toBe(0);
    expect(newest(ribbon())).toBe(0);
  });
});
