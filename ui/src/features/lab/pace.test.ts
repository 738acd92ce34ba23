import { expect, test } from 'vitest';
import type { LabPace } from '../../gen/LabPace';
import { eventTimes, replyMs } from './pace';

const pace: LabPace = {
  ttft_ms: 350,
  tokens_per_second: 60,
  jitter_percent: 25,
  reply_tokens: 8,
  tokens_per_event: 1,
  seed: 7,
  shape: 'steady',
};

// What `Pace::preview` of the Lab gives for the same settings.
test('the preview is the Lab’s own schedule', () => {
  expect(eventTimes(pace, 100)).toEqual([350, 367.663, 383.073, 397.923, 417.362, 431.957, 448.501, 466.67]);
  const bursty: LabPace = {
    ...pace,
    reply_tokens: 24,
    tokens_per_event: 2,
    shape: 'bursty',
    seed: 12_345_678_901,
    jitter_percent: 80,
  };
  expect(eventTimes(bursty, 100)).toEqual([
    350, 350, 414.875, 414.875, 414.875, 514.442, 514.442, 514.442, 603.045, 603.045, 603.045, 603.045,
  ]);
});

test('no rate sends all at once, and a limit cuts the drawing, not the first events', () => {
  expect(eventTimes({ ...pace, tokens_per_second: 0 }, 100)).toEqual(Array(8).fill(350));
  expect(eventTimes({ ...pace, reply_tokens: 1000 }, 8)).toEqual(eventTimes(pace, 8));
});

test('a reply lasts from the request to its last token', () => {
  expect(replyMs({ ...pace, reply_tokens: 121 })).toBeCloseTo(2350);
  expect(replyMs({ ...pace, tokens_per_second: 0 })).toBe(350);
});
