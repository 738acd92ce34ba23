//! What full text search sees of a text, and of what the user typed.
//!
//! SQLite's `unicode61` tokenizer takes a run of letters as one word. Scripts written without spaces would be one word a
//! sentence, so each of their characters is set apart, in the index and in the query alike; the characters of one typed
//! word must then follow each other (a phrase). So `模型` finds 大模型很好, and a word of two characters is found too, which the
//! trigram tokenizer cannot do.

/// The text as the index takes it.
pub fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut apart = false;
    for c in text.chars() {
        let alone = is_unspaced(c);
        if (alone || apart) && !out.is_empty() {
            out.push(' ');
        }
        out.push(c);
        apart = alone;
    }
    out
}

/// What the user typed, as conditions that must all hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// An FTS5 expression made of quoted phrases only; the last one may be unfinished.
    pub expression: Option<String>,
    /// Words without a letter or digit (an emoji, `->`): the index does not hold them, so they are looked for in the texts themselves.
    pub literal: Vec<String>,
}

/// Read what the user typed. Quotes, `AND`, `*`, `column:` and the like are plain text.
pub fn words(text: &str) -> Words {
    let mut words = Words::default();
    let mut phrases: Vec<String> = Vec::new();
    let mut unfinished = false;
    for word in text.split_whitespace() {
        // NUL ends an FTS5 expression.
        let word = word.replace('\0', "");
        unfinished = word.chars().any(char::is_alphanumeric);
        if unfinished {
            phrases.push(format!("\"{}\"", spaced(&word).replace('"', "\"\"")));
        } else if !word.is_empty() {
            words.literal.push(word);
        }
    }
    if !phrases.is_empty() {
        let star = if unfinished { " *" } else { "" };
        words.expression = Some(phrases.join(" ") + star);
    }
    words
}

/// A letter of a script that sets no spaces between words (or, as Korean, sets them more rarely than a reader looks for).
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' // Myanmar
        | '\u{1100}'..='\u{11FF}' // Hangul Jamo
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{31FF}' // Kana, Bopomofo, Jamo
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' // Han
        | '\u{A960}'..='\u{A97F}'
        | '\u{AC00}'..='\u{D7FF}' // Hangul
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FF66}'..='\u{FF9F}'
        | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_unspaced_scripts_stand_apart() {
        assert_eq!(spaced("GPT模型 is ok"), "GPT 模 型  is ok");
        assert_eq!(spaced("大模型"), "大 模 型");
        assert_eq!(spaced("plain"), "plain");
    }

    #[test]
    fn operators_are_text() {
        let words = words(r#"title:a "b c" OR NOT* ->"#);
        assert_eq!(words.expression.unwrap(), r#""title:a" """b" "c""" "OR" "NOT*""#);
        assert_eq!(words.literal, ["->"]);
    }

    #[test]
    fn only_the_last_word_may_be_unfinished() {
        assert_eq!(words("one tw").expression.unwrap(), r#""one" "tw" *"#);
        assert_eq!(words("  ").expression, None);
    }
}
