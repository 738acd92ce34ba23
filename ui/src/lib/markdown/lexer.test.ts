import { lexer } from 'marked';
import { describe, expect, it } from 'vitest';
import { markdownLexer } from './lexer';

/** Pieces that are nothing alone and something beside each other. */
const PIECES = [
  ...['word', 'two words', ' ', '  ', '\t', '\n', '\n', '\n\n', '\n \n', '\r', '\f', '\u00a0', '語', '🧩'],
  ...[
    '=',
    '==',
    '===',
    '-',
    '---',
    '\n===\n',
    '\n---\n',
    '\n   ---',
    '\n    ---',
    '\n--- x',
    '\n= =',
    '\n\t--',
    '***',
    '___',
  ],
  ...[
    '- ',
    '* ',
    '1. ',
    '> ',
    '>',
    '# ',
    '    ',
    '```',
    '`',
    '~~~',
    '|',
    '|-|',
    '| - | - |',
    '<b>',
    '<div>',
    '</div>',
    '<!--',
    '[a]: b',
  ],
];

const tokens = (list: readonly unknown[]) => JSON.stringify(list);

/** A stream of numbers that is the same at each run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('the quick lexer', () => {
  it("gives marked's own tokens, whatever stands beside what", () => {
    const next = numbers(20_261_123);
    for (let run = 0; run < 6000; run++) {
      const length = 1 + Math.floor(next() * 14);
      const source = Array.from({ length }, () => PIECES[Math.floor(next() * PIECES.length)]).join('');
      expect(tokens(markdownLexer().lex(source)), JSON.stringify(source)).toBe(tokens(lexer(source)));
    }
  });

  it('underlines a long paragraph', () => {
    const source = `${'The quick brown fox jumps.\n'.repeat(300)}---\n`;
    expect(markdownLexer().lex(source)[0]?.type).toBe('heading');
  });
});
