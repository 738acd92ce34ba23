import { expect, test } from 'vitest';
import { clockTime, soundName, soundType } from './sound';

test.each([
  ['audio/pcm;rate=24000', 'PCM 24 kHz'],
  ['audio/L16; rate=22050', 'PCM 22.05 kHz'],
  ['audio/mpeg', 'MP3'],
  ['audio/x-strange', 'audio/x-strange'],
])('%s reads %s', (type, name) => expect(soundName(type)).toBe(name));

test.each([
  ['RIFF1234WAVE', 'audio/pcm;rate=24000', 'audio/wav'],
  ['ID3', '', 'audio/mpeg'],
  ['\u00ff\u00fb', '', 'audio/mpeg'],
  ['OggS', '', 'audio/ogg'],
  ['zzzz', 'audio/aac;x=1', 'audio/aac'],
  ['', '', ''],
])('%j announced as %j is played as %s', (text, announced, type) =>
  expect(
    soundType(
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
      announced,
    ),
  ).toBe(type),
);

test.each([
  [0, '0:00'],
  [7.9, '0:07'],
  [62, '1:02'],
  [3723, '1:02:03'],
  [Infinity, '0:00'],
])('%d s is %s', (seconds, text) => expect(clockTime(seconds)).toBe(text));
