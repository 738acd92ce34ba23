import { render } from '@testing-library/svelte';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Block } from '../../gen/Block';
import { ReplyBlock } from '../session/block.svelte';
import { rangesOf } from './offset';
import Paper from './Paper.svelte';

// jsdom has no layout: what watches the view says nothing, and pages stay as they were made.
beforeAll(() => {
  globalThis.IntersectionObserver = class {
    observe() {}
    unobserve() {}
    disconnect() {}
  } as unknown as typeof IntersectionObserver;
});

const PARTS = [
  'First paragraph of it.\n\n',
  '## A heading\n\n',
  'No framing *bytes* here.\n\n',
  '1. one\n2. two\n\n',
  'The last words.',
];

describe('a page that grew while it streamed', () => {
  it('has a range for every word of it', async () => {
    const block = new ReplyBlock(growth(PARTS[0]!, 0));
    const { container: host } = render(Paper, { block, markdown: true, wanted: null });
    let length = PARTS[0]!.length;
    for (const part of PARTS.slice(1)) {
      block.apply(growth(part, length));
      length += part.length;
      await new Promise((done) => setTimeout(done));
    }
    const text = PARTS.join('');
    for (const word of ['paragraph', 'heading', 'framing', 'bytes', 'here', 'two', 'last']) {
      const at = text.indexOf(word);
      const shown = rangesOf(host, at, at + word.length)
        .map(String)
        .join('');
      expect(shown, word).toBe(word);
    }
  });
});

function growth(text: string, offset: number): Block {
  return { index: 0, kind: 'text', firstRow: 4, lastRow: 5, startMs: 0, endMs: 1, deltas: 1, offset, text };
}
