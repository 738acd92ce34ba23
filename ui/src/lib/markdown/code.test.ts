import { expect, it } from 'vitest';
import { codePieces } from './code';

const kinds = (code: string, lang: string) =>
  codePieces(code, lang)
    .filter(({ kind }) => kind)
    .map(({ kind, text }) => `${kind} ${text}`);

it('never changes the code', () => {
  for (const lang of ['ts', 'py', 'sql', '', 'json', 'rust']) {
    const code = 'const a = "if // x"; // if\nf(g (1)) # return\n-- let\n/* open';
    expect(
      codePieces(code, lang)
        .map(({ text }) => text)
        .join(''),
    ).toBe(code);
  }
});

it('sees words, calls and comments', () => {
  expect(kinds('const d = new TextDecoder(); // flush', 'ts')).toEqual([
    'keyword const',
    'keyword new',
    'call TextDecoder',
    'comment // flush',
  ]);
  expect(kinds('def f(x): # note', 'python')).toEqual(['keyword def', 'call f', 'comment # note']);
});

it('leaves strings and plain text alone', () => {
  expect(kinds('"return // no"', 'ts')).toEqual([]);
  expect(kinds('return if', 'text')).toEqual([]);
});
