import { expect, it } from 'vitest';
import type { Block } from '../../gen/Block';
import { ReplyBlock } from './block.svelte';

const delta = (offset: number, text: string): Block => ({
  index: 0,
  kind: 'text',
  firstRow: 3,
  lastRow: 4,
  startMs: 1,
  endMs: 2,
  deltas: 1,
  offset,
  text,
});

it('gives back any range of what was appended', () => {
  const block = new ReplyBlock(delta(0, ''));
  let whole = '';
  for (let i = 0; i < 5000; i++) {
    const text = `w${i} `;
    block.apply(delta(whole.length, text));
    whole += text;
  }
  expect(block.length).toBe(whole.length);
  expect(block.text()).toBe(whole);
  for (const [a, b] of [
    [0, 10],
    [8190, 8200],
    [16_380, 24_600],
    [whole.length - 5, whole.length],
    [7, 7],
  ] as const) {
    expect(block.text(a, b)).toBe(whole.slice(a, b));
  }
  expect(block.text(whole.length)).toBe('');
});

it('takes text that replaces what stood', () => {
  const block = new ReplyBlock(delta(0, 'one two'));
  block.apply(delta(4, 'three'));
  expect(block.text()).toBe('one three');
  block.apply(delta(0, 'new'));
  expect(block.text()).toBe('new');
  expect(block.generation).toBe(2);
});
