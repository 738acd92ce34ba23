import { expect, test } from 'vitest';
import { finishWord } from './finish';

test.each(['stop', 'end_turn', 'STOP', 'COMPLETE', 'tool_calls', 'tool_use', 'stop_sequence'])(
  '%s is how replies end',
  (word) => expect(finishWord(word)?.usual).toBe(true),
);

test.each(['length', 'max_tokens', 'MAX_TOKENS', 'max_output_tokens'])('%s is the limit of tokens', (word) =>
  expect(finishWord(word)).toEqual(finishWord('length')),
);

test.each(['content_filter', 'SAFETY', 'refusal', 'insufficient_system_resource', 'pause_turn', 'ERROR'])(
  '%s is to be looked into',
  (word) => expect(finishWord(word)?.usual).toBe(false),
);

test('a word nobody knows stays a word', () => expect(finishWord('galaxy_brain')).toBeNull());
