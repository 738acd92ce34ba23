//! Short sentences of known length, to end a reply on its last token without breaking off.

/// One for each length from 1 to 12 tokens, tested below. Each may follow any other on the same paragraph.
const SENTENCES: [&str; 12] = [
    " Done",
    " Done.",
    " All done.",
    " That is all.",
    " That is the end.",
    " And that is the end.",
    " Every byte of it was kept.",
    " Click a word to see its bytes.",
    " The same seed says the same words again.",
    " No byte of this has left your own machine.",
    " Change the pace, and the words stay the same.",
    " The clock began when the last byte of your request came.",
];

/// Appends exactly `left` tokens.
pub(super) fn fill(text: &mut String, mut left: usize) {
    // After a block (code, table, list) a sentence would become part of it: begin a paragraph, which is a token itself.
    let needs_paragraph = text.rsplit('\n').next().is_some_and(|line| line.starts_with(['|', '`', '-', '>', '#', '1', '2', '3']));
    let mut longest = SENTENCES.len();
    let mut first = true;
    while left > 0 {
        if first && needs_paragraph && left > 1 {
            text.push_str("\n\n");
            left -= 1;
            // At the start of a paragraph there is no leading space to carry; the word alone is one token all the same.
            let take = left.min(longest);
            text.push_str(SENTENCES[take - 1].trim_start());
            left -= take;
        } else {
            let take = left.min(longest);
            text.push_str(SENTENCES[take - 1]);
            left -= take;
        }
        first = false;
        // Walk down the table, so that a long gap is not one sentence repeated.
        longest = if longest > 6 { longest - 1 } else { SENTENCES.len() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::count;

    #[test]
    fn each_length_is_what_its_place_says() {
        for (at, sentence) in SENTENCES.iter().enumerate() {
            assert_eq!(count(sentence), at + 1, "{sentence:?}");
            assert_eq!(count(sentence.trim_start()), at + 1, "{sentence:?} at a paragraph's start");
        }
    }

    #[test]
    fn any_gap_is_filled_exactly() {
        for start in ["One sentence.", "| a | b |", "```\ncode\n```"] {
            for gap in 0..200 {
                let mut text = start.to_string();
                fill(&mut text, gap);
                assert_eq!(count(&text), count(start) + gap, "{start:?} + {gap}");
            }
        }
    }
}
