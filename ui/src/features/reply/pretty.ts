import type { Run } from '../../lib/markdown/tree';

/** On one line as long as it fits beside the gutter. */
const ONE_LINE = 92;

/** Whether the text is JSON, whole. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON laid out for reading. Each run says where it stands in the text as sent; `at` −1 is layout of ours. */
export function prettyRuns(text: string): Run[] {
  if (text.length <= ONE_LINE || !isJson(text)) return [{ text, at: 0 }];
  const runs: Run[] = [];
  let depth = 0;
  let before = '';
  const line = () => runs.push({ text: `\n${'  '.repeat(depth)}`, at: -1 });
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const token = match[0];
    if ((token === '}' || token === ']') && before !== '{' && before !== '[') {
      depth--;
      line();
    } else if (token === '}' || token === ']') depth--;
    else if (before === '{' || before === '[' || before === ',') line();
    runs.push({ text: token, at: match.index });
    if (token === '{' || token === '[') depth++;
    if (token === ':') runs.push({ text: ' ', at: -1 });
    before = token;
  }
  return runs;
}
