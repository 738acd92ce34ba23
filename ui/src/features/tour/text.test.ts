import { describe, expect, it } from 'vitest';
import { en } from './en';
import { STOPS } from './stops';
import { fill, languageOf, LANGUAGES } from './text';

/** Every key of a text with what stands there. */
function leaves(of: object, path = ''): [string, string][] {
  return Object.entries(of).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[path + key, value]] : leaves(value as object, `${path}${key}.`),
  );
}

const holes = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe('the texts', () => {
  it('have the same keys, none of them empty, and the same holes to fill', () => {
    const english = leaves(en);
    for (const [language, text] of Object.entries(LANGUAGES)) {
      const other = leaves(text);
      expect(
        other.map(([key]) => key),
        language,
      ).toEqual(english.map(([key]) => key));
      other.forEach(([key, value], i) => {
        expect(value.trim(), `${language} ${key}`).not.toBe('');
        expect(holes(value), `${language} ${key}`).toEqual(holes(english[i]![1]));
      });
    }
  });

  it('are translated: what explains is not left in English', () => {
    for (const [key, value] of leaves(LANGUAGES['zh-CN'].says)) {
      expect(/\p{Script=Han}/u.test(value) || key === 'ws.title', key).toBe(true);
    }
  });

  it('keep each stop to about 120 words', () => {
    for (const [stop, says] of Object.entries(en.says)) {
      const words = Object.values(says).join(' ').split(/\s+/).length;
      expect(words, `${stop}: ${words} words`).toBeLessThanOrEqual(125);
    }
    for (const [stop, says] of Object.entries(LANGUAGES['zh-CN'].says)) {
      expect(Object.values(says).join('').length, stop).toBeLessThanOrEqual(330);
    }
  });

  it('say what the stops point at, and nothing else', () => {
    for (const { id, scenes } of STOPS) {
      const pointed = scenes.flatMap(({ sentences }) => sentences.map(({ say }) => say));
      expect(['title', ...pointed].sort(), id).toEqual(Object.keys(en.says[id]).sort());
    }
  });
});

describe('stops', () => {
  it('are six, and every frame a sentence speaks of belongs to a request of its scene', () => {
    expect(STOPS).toHaveLength(6);
    for (const { scenes } of STOPS) {
      for (const { acts, sentences } of scenes) {
        for (const { frame } of sentences) if (frame) expect(acts).toContain(frame[0]);
      }
    }
  });
});

describe('fill and languageOf', () => {
  it('puts values in and leaves what it does not know', () => {
    expect(fill('{n} of {all}, {x}', { n: 1, all: 6 })).toBe('1 of 6, {x}');
  });

  it('takes the first language the tour has', () => {
    expect(languageOf(['fr', 'zh-Hans-CN', 'en'])).toBe('zh-CN');
    expect(languageOf(['en-GB', 'zh'])).toBe('en');
    expect(languageOf(['fr'])).toBe('en');
  });
});
