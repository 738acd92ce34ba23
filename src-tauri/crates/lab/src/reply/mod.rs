//! What the Lab says: Markdown that explains the protocol it travels on, of exactly the length asked for.

mod filler;
mod lessons;

use crate::connections::Transport;
use crate::pieces::{Pieces, count};
use crate::rng::Rng;
use crate::settings::Reply;

/// What a reply is to be.
#[derive(Debug, Clone)]
pub(crate) struct Wish<'a> {
    pub kind: Reply,
    pub transport: Transport,
    pub prompt: &'a str,
    /// Length in tokens.
    pub tokens: usize,
    pub seed: u64,
    /// Let clusters fall apart into code points.
    pub split_clusters: bool,
}

/// The reply's text, exactly `wish.tokens` long: whole sentences while they fit, then short ones that fill the rest. Only a
/// wish for fewer tokens than the shortest opening is cut within a sentence.
pub(crate) fn text(wish: &Wish<'_>) -> Pieces {
    let text = match wish.kind {
        Reply::Lesson => lesson(wish),
        Reply::Echo => fill(repeat(wish.prompt), wish.tokens),
        Reply::Unicode => fill(lessons::UNICODE.iter().map(|s| (*s).to_string()).cycle(), wish.tokens),
    };
    cut(&text, wish)
}

/// Thinking aloud before the reply, in whole sentences, at most `tokens` long.
pub(crate) fn reasoning(wish: &Wish<'_>) -> Pieces {
    let topic = lessons::topic(wish.transport);
    let mut rng = Rng::stream(wish.seed, "reasoning");
    let mut middle: Vec<&str> = lessons::REASONING.to_vec();
    rng.shuffle(&mut middle);
    let opening = match excerpt(wish.prompt) {
        Some(quote) => format!("The user wrote “{quote}”."),
        None => "The user sent no text.".into(),
    };
    let sentences = std::iter::once(opening)
        .chain(std::iter::once(format!(" They will read the answer over {}.", topic.name)))
        .chain(middle.into_iter().cycle().map(str::to_string));
    cut(&fill(sentences, wish.tokens), wish)
}

/// What `lab/refuser` says in place of an answer.
pub(crate) fn refusal(wish: &Wish<'_>) -> Pieces {
    let text = match excerpt(wish.prompt) {
        Some(quote) => format!("I can’t help with “{quote}”. "),
        None => "I can’t help with that. ".into(),
    } + "The model lab/refuser always declines, so that a client can be tried against refusals.";
    cut(&text, wish)
}

/// The answer once a tool has been called: what the tool said, then the lesson.
pub(crate) fn after_tool(wish: &Wish<'_>, result: &str) -> Pieces {
    let quote = excerpt(result).unwrap_or_else(|| "nothing".into());
    let opening = format!("The tool answered “{quote}”.");
    cut(&fill(std::iter::once(opening).chain(sections(wish)), wish.tokens), wish)
}

fn cut(text: &str, wish: &Wish<'_>) -> Pieces {
    let mut pieces = Pieces::cut(text, wish.split_clusters);
    pieces.truncate(wish.tokens);
    pieces
}

fn lesson(wish: &Wish<'_>) -> String {
    let topic = lessons::topic(wish.transport);
    let mut rng = Rng::stream(wish.seed, "opening");
    let opening = match excerpt(wish.prompt) {
        Some(quote) => {
            let form = topic.openings[rng.below(topic.openings.len() as u64) as usize];
            form.replace("{}", &quote)
        }
        None => format!("You sent no text, so this is how {} carries a reply.", topic.name),
    };
    fill(std::iter::once(opening).chain(sections(wish)), wish.tokens)
}

/// The sentences and blocks of the lesson, without end: the topic's own first, in an order of the seed's choosing, then the
/// other topics', then all over again as a next part.
fn sections(wish: &Wish<'_>) -> impl Iterator<Item = String> + use<> {
    let own = lessons::topic(wish.transport);
    let mut rng = Rng::stream(wish.seed, "sections");
    let mut first: Vec<&'static [&'static str]> = own.sections.to_vec();
    rng.shuffle(&mut first);
    let short = own.short[rng.below(own.short.len() as u64) as usize];
    let mut others: Vec<&'static lessons::Topic> = lessons::TOPICS.iter().filter(|t| !std::ptr::eq(**t, own)).copied().collect();
    rng.shuffle(&mut others);
    let rest: Vec<&'static [&'static str]> =
        first.iter().copied().chain(others.iter().flat_map(|t| t.short.iter().chain(t.sections.iter()).copied())).collect();
    let next_parts = (2..).flat_map(move |part: u32| {
        let heading = format!("\n\n## Part {part}");
        std::iter::once(heading).chain(rest.clone().into_iter().flatten().map(|s| (*s).to_string())).collect::<Vec<_>>()
    });
    let mut first_part: Vec<String> = short.iter().map(|s| (*s).to_string()).collect();
    first_part.extend(first.into_iter().flatten().map(|s| (*s).to_string()));
    first_part
        .extend(others.into_iter().flat_map(|t| t.short.iter().chain(t.sections.iter()).copied()).flatten().map(|s| (*s).to_string()));
    first_part.into_iter().chain(next_parts)
}

/// Joins units until the next one would be too long, then fills up to exactly `tokens` with short sentences. A heading, or a
/// line that announces a block, is kept only together with what follows it.
fn fill(units: impl Iterator<Item = String>, tokens: usize) -> String {
    let mut text = String::new();
    let mut left = tokens;
    let mut announced = String::new();
    for unit in units {
        if left == 0 {
            return text;
        }
        let unit = std::mem::take(&mut announced) + &unit;
        // Units begin and end at token borders, so counts add up.
        let length = count(&unit);
        if length > left {
            if text.is_empty() {
                return unit;
            }
            break;
        }
        if announces(&unit) {
            announced = unit;
            continue;
        }
        text.push_str(&unit);
        left -= length;
    }
    filler::fill(&mut text, left);
    text
}

/// Whether a unit makes sense only with the next one.
fn announces(unit: &str) -> bool {
    unit.ends_with(':') || unit.lines().last().is_some_and(|line| line.starts_with('#'))
}

fn repeat(prompt: &str) -> impl Iterator<Item = String> + use<> {
    let first = if prompt.trim().is_empty() { "(no text)".to_string() } else { prompt.trim().to_string() };
    let next = format!("\n\n{first}");
    std::iter::once(first).chain(std::iter::repeat(next))
}

/// The start of a text on one line, as a quotation: at most eight words and 60 characters.
fn excerpt(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut quote = String::new();
    for word in words.iter().take(8) {
        if quote.chars().count() + word.chars().count() >= 60 {
            break;
        }
        if !quote.is_empty() {
            quote.push(' ');
        }
        quote.push_str(word);
    }
    if quote.is_empty() {
        quote = words.first()?.chars().take(59).collect();
    }
    let whole = words.iter().map(|w| w.len() + 1).sum::<usize>() == quote.len() + 1;
    // Line separators and controls would break the Markdown line the quotation stands on.
    let mut quote: String = quote.chars().filter(|c| !c.is_control()).collect();
    if !whole {
        quote.push('…');
    }
    (!quote.is_empty()).then_some(quote)
}

#[cfg(test)]
mod tests;
