//! Tells pieces of a text from the whole of it so far.
//!
//! A stream gives, by a request parameter and by the model, either pieces (`He`, `llo`) or with every event all that was said so far
//! (`He`, `Hello`). Nothing in the response says which. So both are held to be possible until one is ruled out: a text that does not
//! begin with the one before it is a piece; one that keeps doing so while it grows long is the whole.

use std::borrow::Cow;
use std::ops::Range;

use crate::json;

/// The two ways to tell a text, shared by all texts of one response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// Not known yet.
    #[default]
    Open,
    /// In pieces.
    Pieces,
    /// The whole text so far, every time.
    Whole,
}

/// What one more text adds.
#[derive(Debug, PartialEq)]
pub(crate) enum Told<'a> {
    /// Nothing new.
    Nothing,
    /// This is appended; where it stands in the string's content as sent.
    Tail(Cow<'a, str>, Range<usize>),
    /// This replaces all that was told of the text.
    Instead(String),
}

/// What the payload of a text tells of its reply's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It goes on.
    Open,
    /// It ends, but not with this text: with a call.
    Elsewhere,
    /// It ends with this text.
    Here,
}

/// Length from which a text that begins with the whole one before it is no piece that does so by chance.
const LONG: usize = 64;
/// Length from which a text that comes twice is nothing new rather than a piece repeated.
const REPEATED: usize = 12;
/// Growths in a row from which the same is so.
const ROW: u32 = 6;

/// One text under way.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    /// The last text that came: the whole one, if texts are whole.
    last: String,
    /// All texts joined: what is said, if texts are pieces. Kept while the way is open.
    joined: String,
    /// Times the text grew by what it began with.
    grew: u32,
    /// What was told is `joined` rather than `last`.
    joins: bool,
    /// Something came.
    begun: bool,
}

impl Growth {
    /// Takes one more text, `content` being a JSON string's content as it was sent.
    pub(crate) fn more<'a>(&mut self, way: &mut Way, content: &'a str, end: End) -> Told<'a> {
        let all = 0..content.len();
        if *way == Way::Pieces {
            let joined = std::mem::take(&mut self.joined);
            if !self.joins && !joined.is_empty() && joined != self.last {
                // Another text told the way, after this one had been taken for whole.
                return Told::Instead(joined + &json::unescaped(content));
            }
            return if content.is_empty() { Told::Nothing } else { Told::Tail(json::unescaped(content), all) };
        }
        if !self.begun {
            if content.is_empty() {
                return Told::Nothing;
            }
            self.begun = true;
            let text = json::unescaped(content);
            self.last = text.clone().into_owned();
            self.joined.clone_from(&self.last);
            return Told::Tail(text, all);
        }
        let Some(at) = after(content, &self.last) else {
            return self.is_no_growth(way, content, end);
        };
        let tail = &content[at..];
        if tail.is_empty() && end == End::Open && *way == Way::Open && self.grew == 0 && self.last.len() < REPEATED {
            // The same short text again: a piece that comes twice, or nothing new. Repeated pieces are the commoner thing.
            self.joined.push_str(&self.last);
            let told = json::unescaped(content);
            if self.joins || self.joined.len() == self.last.len() * 2 {
                self.joins = true;
                return Told::Tail(told, all);
            }
            self.joins = true;
            return Told::Instead(self.joined.clone());
        }
        // The text before, and more.
        let joined = std::mem::take(&mut self.joins);
        let text = json::unescaped(tail);
        if *way == Way::Open {
            self.joined.push_str(&json::unescaped(content));
            self.grew += u32::from(!tail.is_empty());
            if self.last.len() >= LONG || self.grew >= ROW {
                *way = Way::Whole;
                self.joined = String::new();
            }
        }
        self.last.push_str(&text);
        if joined {
            return Told::Instead(self.last.clone());
        }
        if tail.is_empty() { Told::Nothing } else { Told::Tail(text, at..content.len()) }
    }

    /// A text that does not begin with the one before it.
    fn is_no_growth<'a>(&mut self, way: &mut Way, content: &'a str, end: End) -> Told<'a> {
        if content.is_empty() && (*way == Way::Whole || end != End::Here) {
            // Another text goes on, this one stays. Only at the end nothing speaks of pieces: the whole would come once more.
            return Told::Nothing;
        }
        if *way == Way::Whole {
            // It was written anew.
            self.last = json::unescaped(content).into_owned();
            return Told::Instead(self.last.clone());
        }
        *way = Way::Pieces;
        let text = json::unescaped(content);
        let joined = std::mem::take(&mut self.joined);
        let told_joined = self.joins || joined == self.last;
        self.last = String::new();
        if told_joined {
            return if text.is_empty() { Told::Nothing } else { Told::Tail(text, 0..content.len()) };
        }
        Told::Instead(joined + &text)
    }
}

/// Where in a JSON string's content the text goes on after `said`; `None` if it does not begin with that.
fn after(content: &str, said: &str) -> Option<usize> {
    let (mut at, mut left) = (0, said);
    while !left.is_empty() {
        let rest = content.get(at..)?;
        let plain = rest.find('\\').unwrap_or(rest.len());
        if plain > 0 {
            let take = plain.min(left.len());
            if rest.as_bytes()[..take] != left.as_bytes()[..take] {
                return None;
            }
            at += take;
            left = left.get(take..)?;
            continue;
        }
        if rest.is_empty() {
            return None;
        }
        let escape = escape_len(rest);
        let text = json::unescaped(rest.get(..escape)?);
        left = left.strip_prefix(&*text)?;
        at += escape;
    }
    Some(at)
}

/// Length of the escape at the front; both halves of a surrogate pair are one.
fn escape_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    if bytes.get(1) != Some(&b'u') {
        return 2.min(bytes.len());
    }
    let unit = |at: usize| text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let pair = unit(2).is_some_and(|high| (0xd800..0xdc00).contains(&high))
        && text.get(6..8) == Some("\\u")
        && unit(8).is_some_and(|low| (0xdc00..0xe000).contains(&low));
    if pair { 12 } else { 6.min(bytes.len()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::unescaped;

    /// What texts come to, and whether every tail stood where it was said to stand.
    fn run(texts: &[String], ended: bool) -> String {
        let (mut way, mut growth, mut said) = (Way::Open, Growth::default(), String::new());
        for (at, text) in texts.iter().enumerate() {
            let sent = serde_json::to_string(text).unwrap();
            let content = &sent[1..sent.len() - 1];
            match growth.more(&mut way, content, if ended && at + 1 == texts.len() { End::Here } else { End::Open }) {
                Told::Nothing => {}
                Told::Tail(tail, at) => {
                    assert_eq!(unescaped(&content[at]), tail);
                    said.push_str(&tail);
                }
                Told::Instead(text) => said = text,
            }
        }
        said
    }

    #[test]
    fn both_ways_are_told_apart() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(run(&texts(&["He", "llo", " \"you\"\n", ""]), true), "Hello \"you\"\n");
        assert_eq!(run(&texts(&["He", "Hello", "Hello \"you\"\n", "Hello \"you\"\n"]), true), "Hello \"you\"\n");
        // Pieces that look like the whole for a while.
        assert_eq!(run(&texts(&["a", "ab", "abc", "d", ""]), true), "aababcd");
        assert_eq!(run(&texts(&["ha", "ha", "ha", ""]), true), "hahaha");
        assert_eq!(run(&texts(&["ha", "haha", "x"]), false), "hahahax");
        // A long whole that is written anew.
        let long = "x".repeat(80);
        assert_eq!(run(&[long.clone(), format!("{long}y"), "no".to_owned()], false), "no");
        assert_eq!(run(&texts(&["", "", "a", "a\u{1f600}", "a\u{1f600}b"]), false), "a\u{1f600}b");
    }

    #[test]
    fn the_way_on_is_found_among_escapes() {
        assert_eq!(after(r#"a\"b\\c\n"#, "a\"b"), Some(4));
        assert_eq!(after(r"\ud83d\ude00x", "\u{1f600}"), Some(12));
        assert_eq!(after(r"\u00e9x", "é"), Some(6));
        assert_eq!(after("ab", "abc"), None);
        assert_eq!(after("é", "e"), None);
        assert_eq!(after("", "a"), None);
    }

    proptest! {
        #[test]
        fn whatever_the_pieces(pieces in proptest::collection::vec("[ab\"\\\\\n\u{e9}\u{1f600}]{1,3}", 1..40)) {
            let whole = pieces.concat();
            let mut so_far = String::new();
            let mut grown: Vec<String> = pieces.iter().map(|piece| { so_far.push_str(piece); so_far.clone() }).collect();
            grown.push(whole.clone());
            prop_assert_eq!(run(&grown, true), whole.clone());
            let mut apart = pieces.clone();
            apart.push(String::new());
            // By chance the first pieces may each begin with the one before, six times in a row: then nothing tells them from the whole.
            let chance = apart.windows(2).take_while(|pair| pair[1].starts_with(&pair[0])).count();
            prop_assume!(chance < 6);
            prop_assert_eq!(run(&apart, true), whole);
        }
    }
}
