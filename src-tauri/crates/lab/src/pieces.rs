//! Text cut into tokens the way a model's vocabulary would: a word with its leading space, punctuation apart, long words in
//! two, one CJK character or one emoji at a time. Lossless: the pieces joined are the text.

/// A text and where its tokens end. Four bytes a token above the text itself, so that long replies stay small.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pieces {
    text: String,
    ends: Vec<u32>,
}

impl Pieces {
    /// Cuts `text`. With `split_clusters`, emoji sequences and combining marks fall apart into code points, as they do with
    /// byte-level vocabularies; otherwise what a reader sees as one character stays in one token.
    pub fn cut(text: &str, split_clusters: bool) -> Pieces {
        let mut pieces = Pieces::default();
        let mut rest = text;
        while !rest.is_empty() {
            let length = piece(rest, split_clusters);
            pieces.push(&rest[..length]);
            rest = &rest[length..];
        }
        pieces
    }

    /// Appends one token.
    pub fn push(&mut self, piece: &str) {
        self.text.push_str(piece);
        self.ends.push(self.text.len() as u32);
    }

    /// Keeps the first `tokens`.
    pub fn truncate(&mut self, tokens: usize) {
        self.ends.truncate(tokens);
        self.text.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The tokens `from..to` joined; `to` may lie past the end.
    pub fn range(&self, from: usize, to: usize) -> &str {
        let at = |n: usize| {
            if n == 0 { 0 } else { self.ends[n.min(self.ends.len()) - 1] as usize }
        };
        &self.text[at(from)..at(to)]
    }

    /// Every token.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|n| self.range(n, n + 1))
    }
}

/// How many tokens `text` is.
pub fn count(text: &str) -> usize {
    let mut rest = text;
    let mut tokens = 0;
    while !rest.is_empty() {
        rest = &rest[piece(rest, false)..];
        tokens += 1;
    }
    tokens
}

/// The longest part of a word that is one token.
const WORD: usize = 9;

/// Length in bytes of the first token.
fn piece(text: &str, split_clusters: bool) -> usize {
    let mut chars = text.char_indices().peekable();
    let Some((_, first)) = chars.next() else {
        return 0;
    };
    if first == '\n' {
        return text.len() - text.trim_start_matches('\n').len();
    }
    let (start, lead) = match (first, chars.peek()) {
        (' ', Some((_, next))) if is_word(*next) => (1, *next),
        (' ', _) => return text.len() - text.trim_start_matches(' ').len(),
        _ => (0, first),
    };
    let word = &text[start..];
    if lead.is_ascii_digit() {
        return start + run(word, 3, |c| c.is_ascii_digit());
    }
    if is_word(lead) {
        let whole = run(word, usize::MAX, is_word);
        // A long word becomes two tokens of about the same length, and so on.
        let letters = word[..whole].chars().count();
        let parts = letters.div_ceil(WORD);
        let take = letters.div_ceil(parts.max(1));
        let base = run(word, take, is_word);
        return start + if split_clusters { base } else { base + run(&word[base..], usize::MAX, is_mark) };
    }
    if lead.is_ascii_punctuation() {
        // The same sign repeated is one token: `**`, `---`, "```".
        return run(text, usize::MAX, |c| c == lead);
    }
    if split_clusters { lead.len_utf8() } else { cluster(text) }
}

/// Length of the run of up to `most` characters that satisfy `is`.
fn run(text: &str, most: usize, is: impl Fn(char) -> bool) -> usize {
    text.chars().take(most).take_while(|c| is(*c)).map(char::len_utf8).sum()
}

fn is_word(c: char) -> bool {
    (c.is_alphanumeric() && !is_wide(c)) || is_mark(c) && c != '\u{200d}' && c != '\u{fe0f}'
}

/// Scripts written without spaces, where a character is a token.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3134f}' | '\u{0e00}'..='\u{0e7f}')
}

/// Code points that belong to the one before: combining marks, joiners, variation selectors, skin tones.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}' | '\u{0900}'..='\u{0903}' | '\u{093a}'..='\u{094f}' | '\u{0e31}' | '\u{0e34}'..='\u{0e3a}'
        | '\u{0e47}'..='\u{0e4e}' | '\u{200d}' | '\u{20e3}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

/// Length of what a reader sees as one character, near enough to UAX 29 for the text the Lab writes.
fn cluster(text: &str) -> usize {
    let mut end = 0;
    let mut joined = true;
    let mut flags = 0;
    for (at, c) in text.char_indices() {
        let flag = matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
        let second_flag = flag && flags == 1;
        if at > 0 && !joined && !is_mark(c) && !second_flag {
            break;
        }
        flags += u8::from(flag);
        joined = c == '\u{200d}';
        end = at + c.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARD: &str =
        "Hi, **naïve** café: 你好世界 👩‍👩‍👧‍👦👍🏽 🇯🇵🇫🇷 e\u{301}te\u{301}  two\n\n```rust\nlet x = 12345;\n``` internationalisation\u{2028}ก็ end";

    #[test]
    fn nothing_is_lost_and_nothing_is_empty() {
        for split in [false, true] {
            let pieces = Pieces::cut(HARD, split);
            assert_eq!(pieces.iter().collect::<String>(), HARD);
            assert!(pieces.iter().all(|p| !p.is_empty()));
        }
        assert_eq!(count(HARD), Pieces::cut(HARD, false).len());
    }

    #[test]
    fn tokens_look_like_a_models() {
        let pieces = Pieces::cut(HARD, false);
        let tokens: Vec<&str> = pieces.iter().collect();
        for token in [" café", "**", "你", "👩‍👩‍👧‍👦", "👍🏽", "🇯🇵", "\n\n", "```"] {
            assert!(tokens.contains(&token), "{token:?} in {tokens:?}");
        }
        assert!(Pieces::cut(" naïve", false).len() == 1);
    }

    #[test]
    fn clusters_fall_apart_only_when_asked() {
        assert_eq!(Pieces::cut("👩‍👩‍👧‍👦", false).len(), 1);
        assert_eq!(Pieces::cut("👩‍👩‍👧‍👦", true).len(), 7);
    }

    #[test]
    fn ranges_and_truncation_fall_on_token_borders() {
        let mut pieces = Pieces::cut("one two three", false);
        assert_eq!(pieces.range(1, 3), " two three");
        assert_eq!(pieces.range(2, 99), " three");
        pieces.truncate(2);
        assert_eq!(pieces.text(), "one two");
        pieces.truncate(0);
        assert_eq!(pieces.text(), "");
    }
}
