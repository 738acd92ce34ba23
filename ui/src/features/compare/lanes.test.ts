import { describe, expect, it } from 'vitest';
import type { Draft } from '../../gen/Draft';
import {
  asking,
  copyName,
  differences,
  faultOf,
  laneOf,
  promptOf,
  withFault,
  withPrompt,
  withSystem,
} from './lanes';

const draft = (prompt: string, more: Partial<Draft> = {}): Draft => ({
  provider: 'lab',
  dialect: 'openai-chat',
  transport: 'sse',
  http: '1.1',
  ask: { model: 'm', system: '', messages: [{ role: 'user', text: prompt }], params: {}, tools: [] },
  headers: [],
  insecure: false,
  keepOpen: false,
  ...more,
});

it('names copies apart', () => {
  const lanes = [laneOf(draft('a'), 'HTTP'), laneOf(draft('a'), 'HTTP 3')];
  expect(copyName('HTTP', lanes)).toBe('HTTP 2');
  expect(copyName('HTTP 3', [...lanes, laneOf(draft('a'), 'HTTP 2')])).toBe('HTTP 4');
});

describe('the prompt of lanes', () => {
  const lanes = [laneOf(draft('a')), laneOf(draft('a')), asking(laneOf(draft('a')), 'own')];
  it('changes in all lanes that share it', () => {
    expect(withPrompt(lanes, 'b').map((lane) => promptOf([lane]))).toEqual(['b', 'b', 'own']);
  });
  it('marks lanes that ask something else', () => {
    expect(differences(lanes, 0)).toEqual([]);
    expect(differences(lanes, 1)).toEqual([]);
    expect(differences(lanes, 2)).toEqual(['prompt']);
    expect(differences(withSystem(lanes, 'short').slice(0, 2), 1)).toEqual([]);
  });
  it('does not take an absent parameter for another one', () => {
    const same = laneOf(draft('a'));
    same.draft.ask.params = { maxTokens: undefined };
    expect(differences([lanes[0]!, same], 1)).toEqual([]);
  });
});

describe('faults', () => {
  it('go to lanes of the Lab alone, and leave again', () => {
    const lanes = [laneOf(draft('a')), laneOf(draft('a', { provider: 'openai' }))];
    const faulty = withFault(withFault(lanes, 'stall'), 'drop-after');
    expect(faulty.map(({ draft: { headers } }) => headers)).toEqual([
      [{ name: 'x-lab-fault', value: 'drop-after' }],
      [],
    ]);
    expect(faultOf(faulty)).toBe('drop-after');
    expect(faultOf(withFault(faulty, ''))).toBe('');
  });
});
