import { getDefaults, Lexer, Tokenizer, type Tokens } from 'marked';

/** Where a paragraph ends at the latest. */
const BLANK_LINE = /\n[ \t]*\n/;
/** A line that makes a heading of the paragraph above it (CommonMark 0.31 §4.3). */
const UNDERLINE = /\n[ \t]*(?:=+|-+)[ \t]*(?:\n|$)/;

class QuickTokenizer extends Tokenizer {
  /**
   * marked looks for an underlined heading at every block, stepping through the whole paragraph in a way that takes WebKit two
   * milliseconds a kilobyte. A paragraph with no line to underline it is none, and that is quickly seen.
   */
  override lheading(source: string): Tokens.Heading | undefined {
    const end = source.search(BLANK_LINE);
    const paragraph = end < 0 ? source : source.slice(0, end);
    return UNDERLINE.test(paragraph) ? super.lheading(source) : undefined;
  }
}

/** A lexer that gives the tokens of marked's own. */
export function markdownLexer(): Lexer {
  return new Lexer({ ...getDefaults(), tokenizer: new QuickTokenizer() });
}
