import { describe, expect, it } from 'vitest';
import { allowedUrl, parse, type Block, type Inline, type Run } from './tree';

function runsIn(blocks: readonly Block[]): Run[] {
  const inlines = (list: readonly Inline[]): Run[] =>
    list.flatMap((i) => ('runs' in i ? i.runs : 'inlines' in i ? inlines(i.inlines) : []));
  return blocks.flatMap((block) => {
    switch (block.type) {
      case 'paragraph':
      case 'heading':
        return inlines(block.inlines);
      case 'code':
      case 'html':
        return block.runs;
      case 'quote':
        return runsIn(block.blocks);
      case 'list':
        return block.items.flatMap((item) => runsIn(item.blocks));
      case 'table':
        return [...block.header, ...block.rows.flat()].flatMap(inlines);
      case 'rule':
        return [];
    }
  });
}

/** Every run must stand in the source where it says it does. */
function holds(source: string): Run[] {
  const runs = runsIn(parse(source)).filter(({ text }) => text.trim());
  for (const { text, at } of runs) {
    for (const [i, c] of [...text].entries())
      if (i === 0 && c !== '\n') expect(source.slice(at, at + c.length)).toBe(c);
  }
  return runs;
}

function find(source: string, word: string): number {
  const run = runsIn(parse(source)).find(({ text }) => text.includes(word));
  if (!run) throw new Error(`${word} is not shown`);
  return run.at + run.text.indexOf(word);
}

describe('offsets of what is shown', () => {
  it('holds for inline marks', () => {
    const source = 'one **two *three* four** `fi ve` ~~six~~ [seven](https://x.y) \\*eight <b>nine</b>';
    holds(source);
    for (const word of ['one', 'two', 'three', 'four', 'fi ve', 'six', 'seven', 'eight', 'nine']) {
      expect(find(source, word)).toBe(source.indexOf(word));
    }
  });

  it('holds after a link whose address repeats the word that follows', () => {
    const source = '[x](https://word.example) word';
    expect(find(source, 'word')).toBe(source.lastIndexOf('word'));
  });

  it('holds in lists, tasks and quotes, whose marks are taken away', () => {
    const source =
      'intro:\n\n1. 1 alpha\n2. beta\n   continued\n   - deep\n\n- [x] done it\n- [ ] not yet\n\n> quoted\n> twice\n';
    holds(source);
    for (const word of ['alpha', 'beta', 'continued', 'deep', 'done it', 'not yet', 'quoted', 'twice']) {
      expect(find(source, word)).toBe(source.indexOf(word));
    }
  });

  it('holds in code, also below a list item', () => {
    const source = '- item\n\n  ```ts\n  let a = 1;\n  let b = 2;\n  ```\n\n```\nts ts\n\n  x\n```\n';
    holds(source);
    expect(find(source, 'let a')).toBe(source.indexOf('let a'));
    expect(find(source, 'let b')).toBe(source.indexOf('let b'));
    expect(find(source, 'ts ts')).toBe(source.indexOf('ts ts'));
  });

  it('holds in tables with escaped bars', () => {
    const source = '| a | b |\n| --- | ---: |\n| `x` | y\\|z w |\n';
    holds(source);
    expect(find(source, 'z w')).toBe(source.indexOf('z w'));
    expect(find(source, 'x')).toBe(source.indexOf('x'));
  });

  it('counts UTF-16 units, and resolves character references', () => {
    const source = '日本 👩‍💻 &amp; naïve &#x41;&notone; end';
    const shown = runsIn(parse(source))
      .map(({ text }) => text)
      .join('');
    expect(shown).toBe('日本 👩‍💻 & naïve A&notone; end');
    expect(find(source, 'naïve')).toBe(source.indexOf('naïve'));
    expect(find(source, 'end')).toBe(source.indexOf('end'));
  });

  it('holds with CR LF', () => {
    const source = 'one\r\n\r\ntwo\r\n- three\r\n';
    for (const word of ['one', 'two', 'three']) expect(find(source, word)).toBe(source.indexOf(word));
  });
});

describe('what a reply may not do', () => {
  it('keeps HTML as text', () => {
    const source = '<script>alert(1)</script>\n\nx <img src=x onerror=y>';
    const shown = runsIn(parse(source))
      .map(({ text }) => text)
      .join('|');
    expect(shown).toContain('<script>alert(1)</script>');
    expect(shown).toContain('<img src=x onerror=y>');
  });

  it('links to http, https and mailto only', () => {
    expect(allowedUrl('https://a.b')).toBe('https://a.b');
    expect(allowedUrl('mailto:a@b.c')).toBe('mailto:a@b.c');
    for (const bad of [
      'javascript:alert(1)',
      ' JaVaScRiPt:x',
      'data:text/html,x',
      'file:///etc',
      '/rel',
      'java\nscript:x',
    ]) {
      expect(allowedUrl(bad)).toBeNull();
    }
  });
});
