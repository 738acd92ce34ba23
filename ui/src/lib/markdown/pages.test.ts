import { describe, expect, it, vi } from 'vitest';
import { Pager } from './pages';
import { parse } from './tree';

/** Characters given to the lexer: what a delta costs. */
const read = vi.hoisted(() => ({ characters: 0 }));
vi.mock('marked', async (original) => {
  const marked = await original<typeof import('marked')>();
  const lexer: typeof marked.lexer = (source, options) => {
    read.characters += source.length;
    return marked.lexer(source, options);
  };
  return { ...marked, lexer };
});

const TEXT = `# Title

The **bytes** are fine, and the decoder is not.

1. One is first.
2. Two comes after it.

   It has a second paragraph.
3. Three.

\`\`\`ts
const a = 1;

const b = 2;
\`\`\`

| a | b |
| --- | ---: |
| 1 | 2 |
| 3 | 4 |

> Quoted text,
> on two lines.

Setext heading
--------------

- [x] done
- [ ] open

The end, with 日本語 and 👩‍💻.`;

/** What a view shows: the parts read one by one, then the tail. */
function shown(pager: Pager, text: string) {
  const parts = pager.pages.flatMap((page) => page.parts);
  return [
    ...parts.flatMap((part) =>
      parse(part.prefix + text.slice(part.start, part.end), part.start - part.prefix.length),
    ),
    ...parse(pager.tail.prefix + pager.tail.text, pager.tail.start - pager.tail.prefix.length),
  ];
}

describe('Pager', () => {
  it('shows the same as reading the whole, however the text is cut', () => {
    const whole = JSON.stringify(parse(TEXT));
    for (const step of [1, 2, 3, 5, 7, 11, 16, 64, 1000]) {
      const pager = new Pager(true);
      for (let at = 0; at < TEXT.length; at += step) pager.feed(TEXT.slice(at, at + step));
      expect(JSON.stringify(shown(pager, TEXT)), `step ${step}`).toBe(whole);
      expect(pager.length).toBe(TEXT.length);
    }
  });

  it('covers the text without a hole that shows', () => {
    const pager = new Pager(true);
    const long = `${TEXT}\n\n`.repeat(40);
    pager.feed(long);
    let at = 0;
    for (const part of pager.pages.flatMap((page) => page.parts)) {
      expect(long.slice(at, part.start).trim()).toBe('');
      at = part.end;
    }
    expect(long.slice(at, pager.tail.start).trim()).toBe('');
  });

  it.each([
    ['one code block', () => '```\n' + 'let x = 1;\n'.repeat(40_000)],
    ['one paragraph without a line end', () => 'word '.repeat(80_000)],
    ['one word', () => 'x'.repeat(400_000)],
    ['one list', () => '- an item of a list\n'.repeat(4000)],
    ['one table', () => '| a | b |\n| --- | --- |\n' + '| 1 | 2 |\n'.repeat(8000)],
    ['paragraphs', () => 'A paragraph of some length, as models write.\n\n'.repeat(8000)],
  ])('keeps the tail short in %s', (_, make) => {
    const text = make();
    const pager = new Pager(true);
    for (let at = 0; at < text.length; at += 500) {
      pager.feed(text.slice(at, at + 500));
      expect(pager.tail.text.length + pager.tail.prefix.length).toBeLessThan(10_000);
    }
  });

  it('goes on with a code block that was cut as code', () => {
    const text = '```ts\n' + 'let x = 1;\n'.repeat(3000) + '```\n\nAfter it, text.\n';
    const pager = new Pager(true);
    for (let at = 0; at < text.length; at += 97) pager.feed(text.slice(at, at + 97));
    const blocks = shown(pager, text);
    const code = blocks.filter((block) => block.type === 'code');
    expect(code.length).toBeGreaterThan(1);
    expect(code.every((block) => block.lang === 'ts')).toBe(true);
    expect(
      code
        .flatMap((block) => block.runs)
        .map((run) => run.text.replace(/\n?$/, '\n'))
        .join(''),
    ).toBe('let x = 1;\n'.repeat(3000));
    expect(blocks.at(-1)).toMatchObject({ type: 'paragraph' });
  });

  it('reads as much per delta at the end of a long reply as at its beginning', () => {
    const pager = new Pager(true);
    const paragraph =
      'The decoder keeps what is left of a character until the next chunk brings the rest.\n\n';
    const work = () => {
      read.characters = 0;
      for (let at = 0; at < paragraph.length; at += 4) pager.feed(paragraph.slice(at, at + 4));
      return read.characters;
    };
    pager.feed(paragraph.repeat(2));
    const early = work();
    pager.feed(paragraph.repeat(10_000));
    expect(pager.length).toBeGreaterThan(800_000);
    expect(work()).toBeLessThanOrEqual(early * 1.1);
  });
});
