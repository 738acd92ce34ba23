import { expect, it } from 'vitest';
import { prettyRuns } from './pretty';

const LONG =
  '{"name":"utf8, {split}: \\"x\\"","split_after":["c3",{"a":[]}],"n":-1.5,"clients":{"a":true,"b":null},"empty":{}}';

it('lays out JSON as JSON.stringify does', () => {
  expect(
    prettyRuns(LONG)
      .map(({ text }) => text)
      .join(''),
  ).toBe(JSON.stringify(JSON.parse(LONG), null, 2));
});

it('knows where each piece stands in what was sent', () => {
  for (const { text, at } of prettyRuns(LONG))
    if (at >= 0) expect(LONG.slice(at, at + text.length)).toBe(text);
});

it('leaves short, and broken, text as it came', () => {
  expect(prettyRuns('{"a":1}')).toEqual([{ text: '{"a":1}', at: 0 }]);
  const broken = '{"a":1,'.repeat(40);
  expect(prettyRuns(broken)).toEqual([{ text: broken, at: 0 }]);
});
