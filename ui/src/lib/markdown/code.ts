/** A light reading of code, without hue: words of the language fade, names of calls stand out. Fits most languages. */

export interface CodePiece {
  text: string;
  kind: '' | 'keyword' | 'call' | 'comment';
}

const KEYWORDS = new Set(
  (
    'abstract and as async await break case catch class const continue crate def default defer del do elif else end enum ' +
    'except export extends false False fi finally fn for from func function go if impl import in interface is lambda let ' +
    'loop match mod module mut new nil None not null of or package pass private protected pub public raise return self ' +
    'static struct super switch then this throw trait true True try type typeof undefined unless use var void where while ' +
    'with yield'
  ).split(' '),
);

const HASH_COMMENTS =
  /^(py|python|rb|ruby|sh|bash|zsh|shell|ya?ml|toml|r|perl|make|makefile|dockerfile|conf|ini)$/i;
const DASH_COMMENTS = /^(sql|lua|haskell|hs|elm|ada)$/i;
const PLAIN = /^(|text|txt|plain|json|jsonl|md|markdown|csv|http|diff|output|console|log)$/i;

/** Cuts code into pieces; together they are the code. */
export function codePieces(code: string, lang: string): CodePiece[] {
  if (PLAIN.test(lang)) return [{ text: code, kind: '' }];
  const comment = HASH_COMMENTS.test(lang)
    ? '#[^\\n]*'
    : DASH_COMMENTS.test(lang)
      ? '--[^\\n]*'
      : '\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?(?:\\*\\/|$)';
  const pattern = new RegExp(
    `(${comment})|"(?:[^"\\\\\\n]|\\\\.)*"|'(?:[^'\\\\\\n]|\\\\.)*'|\`[^\`]*\`|([A-Za-z_$][\\w$]*)(\\s*\\()?`,
    'g',
  );
  const out: CodePiece[] = [];
  let from = 0;
  const plain = (to: number) => {
    if (to > from) out.push({ text: code.slice(from, to), kind: '' });
    from = to;
  };
  for (const match of code.matchAll(pattern)) {
    const [whole, note, word, opens] = match;
    const kind = note ? 'comment' : !word ? null : KEYWORDS.has(word) ? 'keyword' : opens ? 'call' : null;
    if (!kind) continue;
    plain(match.index);
    const text = note ?? word ?? whole;
    out.push({ text, kind });
    from = match.index + text.length;
  }
  plain(code.length);
  return out;
}
