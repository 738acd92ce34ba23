import { describe, expect, it } from 'vitest';
import { diff, words, type Piece } from './diff';

const side = (pieces: Piece[], not: Piece['side']) =>
  pieces
    .filter((piece) => piece.side !== not)
    .map(({ text }) => text)
    .join('');

describe('words', () => {
  it('loses no character', () => {
    for (const text of ['', ' ', 'a b', 'naïve “client”, 日本語\n\n- x  ', '…'])
      expect(words(text).join('')).toBe(text);
  });
});

describe('diff', () => {
  it('gives both texts back, whatever they are', () => {
    let seed = 5;
    const random = () => (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32;
    const text = () =>
      Array.from({ length: Math.floor(random() * 14) }, () => 'abcd'[Math.floor(random() * 4)]).join(' ');
    for (let n = 0; n < 500; n++) {
      const [a, b] = [text(), text()];
      const pieces = diff(a, b)!;
      expect(side(pieces, 'second')).toBe(a);
      expect(side(pieces, 'first')).toBe(b);
    }
  });
  it('finds the one word that differs', () => {
    expect(diff('one two three', 'one 2 three')).toEqual([
      { text: 'one', side: 'both' },
      { text: ' two', side: 'first' },
      { text: ' 2', side: 'second' },
      { text: ' three', side: 'both' },
    ]);
  });
  it('says that equal texts are equal', () => {
    expect(diff('a b', 'a b')).toEqual([{ text: 'a b', side: 'both' }]);
    expect(diff('', '')).toEqual([]);
  });
  it('gives up on texts that have nothing in common', () => {
    const many = (word: string) => Array.from({ length: 2000 }, (_, i) => `${word}${i}`).join(' ');
    expect(diff(many('a'), many('b'))).toBeNull();
  });
});
