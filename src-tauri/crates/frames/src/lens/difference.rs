//! Where a client first leaves the standard, and by which bytes.

use super::Event;
use super::compare::Body;
use crate::{Span, json};

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client does not see the event (or line).
    Missing,
    /// The client sees an event where the standard has none.
    Extra,
    /// The data differs.
    Data,
    /// The type differs.
    Event,
    /// The id differs.
    Id,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Data => "data",
            Self::Event => "event",
            Self::Id => "id",
        }
    }
}

/// The first difference between a client and the standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What is different.
    pub kind: Kind,
    /// Index of the event among the standard's; for [`Kind::Extra`] among the client's.
    pub index: usize,
    /// The bytes of the body that it comes from.
    pub span: Span,
    /// The difference in words.
    pub message: String,
}

/// Compares what a client sees of `body` with what the standard does.
pub fn first_difference(body: &[u8], standard: &[Event], client: &[Event]) -> Option<Difference> {
    let mut read = |span: Span| {
        let range = usize::try_from(span.start).ok().zip(usize::try_from(span.end).ok());
        range.and_then(|(start, end)| body.get(start..end)).unwrap_or_default().to_vec()
    };
    (0..standard.len().max(client.len())).find_map(|index| compare(&mut read, index, standard.get(index), client.get(index)))
}

/// Compares the events that stand at the same index; `None` on one side is an event that side does not have. `body` gives bytes of the
/// body.
pub(super) fn compare(body: Body<'_>, index: usize, standard: Option<&Event>, client: Option<&Event>) -> Option<Difference> {
    match (standard, client) {
        (None, None) => None,
        (Some(event), None) => Some(missing(index, event)),
        (None, Some(event)) => Some(extra(index, event)),
        (Some(event), Some(seen)) if !event.span.overlaps(seen.span) => {
            Some(if seen.span.start < event.span.start { extra(index, seen) } else { missing(index, event) })
        }
        (Some(event), Some(seen)) => inside(body, index, event, seen),
    }
}

fn missing(index: usize, event: &Event) -> Difference {
    let message = format!("the client never sees «{}»", excerpt(&event.data, 0));
    Difference { kind: Kind::Missing, index, span: event.span, message }
}

fn extra(index: usize, event: &Event) -> Difference {
    let message = format!("the client sees «{}» where the standard has nothing", excerpt(&event.data, 0));
    Difference { kind: Kind::Extra, index, span: event.span, message }
}

/// A difference between two readings of the same event.
fn inside(body: Body<'_>, index: usize, event: &Event, seen: &Event) -> Option<Difference> {
    let differs = |kind, span, message| Some(Difference { kind, index, span, message });
    if event.data != seen.data {
        let at = common(&event.data, &seen.data);
        let has = |text: &str| if text.len() > at { format!("«{}»", excerpt(text, at)) } else { "nothing more".to_owned() };
        // A line is given to a parser, which throws at what is not JSON.
        let line = event.event.is_empty();
        let throws = if line && !json::is_value(seen.data.as_bytes()) { ": what it has is not JSON, and its parser throws" } else { "" };
        let message = format!("where the standard has {}, the client has {}{throws}", has(&event.data), has(&seen.data));
        return differs(Kind::Data, place(body, event, at), message);
    }
    if event.event != seen.event {
        return differs(Kind::Event, event.span, format!("the type is «{}», the client has «{}»", event.event, seen.event));
    }
    match (&event.id, &seen.id) {
        (Some(id), Some(other)) if id != other => {
            differs(Kind::Id, event.span, format!("the last event id is «{id}», the client has «{other}»"))
        }
        _ => None,
    }
}

/// Bytes that two texts begin with alike, up to a character's border in both.
pub fn common(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

/// The bytes of the body that hold the character at `at` of an event's data; the end of its block where the data ends before.
fn place(body: Body<'_>, event: &Event, mut at: usize) -> Span {
    for line in &event.lines {
        let bytes = body(*line);
        let mut offset = line.start;
        for chunk in bytes.utf8_chunks() {
            let valid = chunk.valid();
            if let Some(character) = valid.get(at..).and_then(|rest| rest.chars().next()) {
                let start = offset + at as u64;
                return Span::new(start, start + character.len_utf8() as u64);
            }
            at -= valid.len();
            offset += valid.len() as u64;
            let ill = chunk.invalid().len() as u64;
            if ill > 0 {
                if at == 0 {
                    return Span::new(offset, offset + ill);
                }
                at -= char::REPLACEMENT_CHARACTER.len_utf8();
                offset += ill;
            }
        }
        if at == 0 {
            // The line end that joins this value to the next one, or ends the last.
            return Span::new(line.end, (line.end + 1).min(event.span.end.max(line.end)));
        }
        at -= 1;
    }
    event.span
}

/// Some of a text from `at` on.
fn excerpt(text: &str, at: usize) -> String {
    const SHOWN: usize = 24;
    let rest = text.get(at..).unwrap_or_default();
    let shown: String = rest.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if rest.chars().nth(SHOWN).is_some() { format!("{shown}…") } else { shown }
}
