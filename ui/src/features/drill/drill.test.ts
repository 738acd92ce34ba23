import { describe, expect, it } from 'vitest';
import type { LabRecipe } from '../../gen/LabRecipe';
import { figure, faultOf, ms, recipeOf, series, valueOf, whatOf } from './show';
import { axis, columns, outages, sentence } from './strip';

const moment = (kind: 'asked' | 'fault' | 'noticed' | 'recovered' | 'ended', t_ms: number) => ({
  kind,
  t_ms,
  words: kind,
});

describe('a strip', () => {
  it('knows an outage from the last byte to the first new word', () => {
    const moments = [
      moment('asked', 0),
      moment('fault', 700),
      moment('noticed', 900),
      moment('asked', 1400),
      moment('noticed', 1450),
      moment('asked', 2000),
      moment('recovered', 2100),
      moment('ended', 3000),
    ];
    expect(outages(moments, 3000)).toEqual([{ fromMs: 700, noticedMs: 900, toMs: 2100, recovered: true }]);
    expect(outages(moments.slice(0, 3), 5000)).toEqual([
      { fromMs: 700, noticedMs: 900, toMs: 5000, recovered: false },
    ]);
    expect(outages([moment('asked', 0), moment('ended', 9)], 10)).toEqual([]);
    expect(sentence(moments.slice(0, 2))).toBe('0.00 s asked: asked; 0.70 s fault: fault');
  });

  it('draws no more columns than there are pixels', () => {
    const ticks = Array.from({ length: 2000 }, (_, i) => ({ t_ms: i, again: i >= 1000 }));
    const found = columns(ticks, 2000, 100);
    expect(found.length).toBeLessThanOrEqual(201);
    expect(found[0]!.again).toBe(false);
    expect(found.at(-1)!.again).toBe(true);
    expect(axis(2000, 900).end).toBeGreaterThanOrEqual(2000);
  });
});

describe('words and numbers', () => {
  const recipe = (id: string, unit: string | null): LabRecipe => ({
    id,
    name: id,
    description: '',
    incident: '',
    parameter: unit === null ? null : { unit, default: 30, min: 1, max: 3600 },
  });

  it('spells faults as the Lab reads them', () => {
    expect(faultOf(undefined, 1)).toBe('none');
    expect(faultOf(recipe('cr-only', null), 1)).toBe('cr-only');
    expect(faultOf(recipe('close', 'tok'), 7)).toBe('close=1011;after=7');
    expect(faultOf(recipe('drop-after', 'tok'), 7)).toBe('drop-after=7');
    expect(valueOf(recipe('drop-after', 'tok'), 60)).toBe(20);
    expect(valueOf(recipe('stall', 's'), 60)).toBe(30);
  });

  it('reads back what it spelled, and leaves alone what it cannot spell', () => {
    const known = [recipe('cr-only', null), recipe('close', 'tok'), recipe('drop-after', 'tok')];
    for (const [id, value] of [
      ['cr-only', 0],
      ['close', 7],
      ['drop-after', 20],
    ] as const)
      expect(
        recipeOf(
          faultOf(
            known.find((one) => one.id === id)!,
            value,
          ),
          known,
        ),
      ).toEqual([id, value]);
    expect(recipeOf('none', known)).toEqual(['', 0]);
    for (const other of ['stall=3', 'drop-after=20,cr-only', 'close=1001', 'drop-after=20;rst', ''])
      expect(recipeOf(other, known)).toBeNull();
  });

  it('says what was drilled', () => {
    const drill = {
      id: 'd',
      fault: 'none',
      lanes: [],
      patienceMs: 1,
      tokens: 60,
      rate: 30,
      http: '2',
      repeat: 'always',
    } as const;
    expect(whatOf({ ...drill, lanes: [] })).toBe('no fault · 60 words at 30/s · HTTP/2');
    expect(whatOf({ ...drill, lanes: [], fault: 'stall=3' })).toBe(
      'stall=3, every connection · 60 words at 30/s · HTTP/2',
    );
  });

  it('takes a rising series and nothing else', () => {
    expect(series('1, 10 100;1000')).toEqual([1, 10, 100, 1000]);
    for (const bad of ['', '10,1', '0,5', '1,2000', '1.5', 'x']) expect(series(bad)).toBeNull();
  });

  it('shows times and figures with their limits', () => {
    expect([ms(null), ms(3.14159), ms(250.4), ms(2500)]).toEqual(['–', '3.1 ms', '250 ms', '2.50 s']);
    expect(figure(null, 1, 1).value).toBe('–');
    const estimate = { value: 2048, interval: { low: 1024, high: 4096, approximate: true } };
    expect(figure(estimate, 1024, 1)).toEqual({ value: '2.0', interval: '1.0 – 4.0' });
  });
});
