//! The filter language: `layer:sse kind:text,tool event:delta dir:in size>400 gap>50ms time:1.7..2.9s "error" -kind:usage`.
//!
//! Terms join with AND, commas and `OR` with OR, `-` negates, parentheses group: `(kind:error OR gap>1s) -dir:out`. A word, a
//! `"quoted text"` and a `/regular expression/i` are searched in a row's event name and payload; `json:$.usage.total_tokens>100`
//! asks the payload's JSON ([`path`] says how paths are read). Positions in errors count UTF-16 code units, as the page does.

mod grammar;
mod path;
mod pattern;
mod payload;
mod term;
#[cfg(test)]
mod tests;

pub use grammar::parse;
pub use payload::{Coded, Inflated, Payload, Source, Windows};

use crate::analysis::{Kind, Layer, Row};
use path::Condition;
use pattern::{Pattern, contains};

/// A parsed filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    expression: Option<Expression>,
}

/// Terms and how they join. Of joined ones, those that the index answers stand first.
#[derive(Clone, Debug, PartialEq)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Test(Test),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Layer(Vec<Layer>),
    Kind(Vec<Kind>),
    Event(Vec<String>),
    Out(bool),
    /// Bytes: minimum and maximum, both inclusive.
    Size(u64, u64),
    /// Nanoseconds since the row before.
    Gap(u64, u64),
    /// Nanoseconds since the session began.
    Time(u64, u64),
    Id(u64, u64),
    /// Bytes of flow control left behind the frame.
    Window(u64, u64),
    Text(String),
    Pattern(Pattern),
    Json(Condition),
}

/// What the index knows of a row.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The row.
    pub row: &'a Row,
    /// What it left of the windows of HTTP/2, if it moved one: 0 for less than nothing.
    pub window: Option<u64>,
    /// Its number among rows, or among carriers.
    pub id: u64,
    /// Time of the row before it, nanoseconds.
    pub before: u64,
    /// Sent by Weir.
    pub out: bool,
    /// Its word.
    pub word: &'a str,
}

impl Filter {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.expression.is_none()
    }

    /// Whether carriers (chunks, DATA frames, fragments) are asked for: by a term that names a layer or kind of theirs.
    pub fn wants_carriers(&self) -> bool {
        self.expression.as_ref().is_some_and(|e| e.wants_carriers(false))
    }

    /// Whether some row's bytes may have to be read.
    pub fn reads_payload(&self) -> bool {
        self.expression.as_ref().is_some_and(Expression::reads_payload)
    }

    /// The stretch of time that it is, if it is nothing else: nanoseconds, both ends inside.
    pub fn time(&self) -> Option<(u64, u64)> {
        match self.expression {
            Some(Expression::Test(Test::Time(from, to))) => Some((from, to)),
            _ => None,
        }
    }

    /// Whether a row passes, as far as the index tells; `None` where its payload decides.
    pub fn of_index(&self, facts: Facts<'_>) -> Option<bool> {
        self.expression.as_ref().map_or(Some(true), |e| e.holds(facts, &mut None))
    }

    /// Whether a row with this payload passes.
    pub fn of_payload(&self, facts: Facts<'_>, payload: &mut Payload<'_>) -> bool {
        self.expression.as_ref().is_none_or(|e| e.holds(facts, &mut Some(payload)) == Some(true))
    }
}

impl Expression {
    fn all(mut members: Vec<Self>) -> Self {
        members.sort_by_key(Self::reads_payload);
        if members.len() == 1 { members.remove(0) } else { Self::All(members) }
    }

    fn any(mut members: Vec<Self>) -> Self {
        members.sort_by_key(Self::reads_payload);
        if members.len() == 1 { members.remove(0) } else { Self::Any(members) }
    }

    fn reads_payload(&self) -> bool {
        match self {
            Self::All(members) | Self::Any(members) => members.iter().any(Self::reads_payload),
            Self::Not(inner) => inner.reads_payload(),
            Self::Test(test) => matches!(test, Test::Text(_) | Test::Pattern(_) | Test::Json(_)),
        }
    }

    fn wants_carriers(&self, negated: bool) -> bool {
        match self {
            Self::All(members) | Self::Any(members) => members.iter().any(|e| e.wants_carriers(negated)),
            Self::Not(inner) => inner.wants_carriers(!negated),
            Self::Test(Test::Layer(layers)) => !negated && layers.iter().any(|l| matches!(l, Layer::Chunk | Layer::H2)),
            Self::Test(Test::Kind(kinds)) => !negated && kinds.iter().any(|k| matches!(k, Kind::Chunk | Kind::Frame)),
            Self::Test(Test::Window(..)) => !negated,
            Self::Test(_) => false,
        }
    }

    /// Logic of three values: without a payload, a test of it is neither true nor false.
    fn holds(&self, facts: Facts<'_>, payload: &mut Option<&mut Payload<'_>>) -> Option<bool> {
        let mut joined = |members: &[Self], decides: bool| {
            let mut open = false;
            for member in members {
                match member.holds(facts, payload) {
                    Some(value) if value == decides => return Some(decides),
                    Some(_) => {}
                    None => open = true,
                }
            }
            if open { None } else { Some(!decides) }
        };
        match self {
            Self::All(members) => joined(members, false),
            Self::Any(members) => joined(members, true),
            Self::Not(inner) => inner.holds(facts, payload).map(|holds| !holds),
            Self::Test(test) => test.holds(facts, payload),
        }
    }
}

impl Test {
    fn holds(&self, facts: Facts<'_>, payload: &mut Option<&mut Payload<'_>>) -> Option<bool> {
        let row = facts.row;
        let within = |value: u64, &(low, high): &(u64, u64)| low <= value && value <= high;
        Some(match self {
            Self::Layer(layers) => layers.contains(&row.layer),
            Self::Kind(kinds) => kinds.contains(&row.kind),
            Self::Event(words) => words.iter().any(|w| contains(facts.word.as_bytes(), w.as_bytes())),
            Self::Out(out) => facts.out == *out,
            Self::Size(low, high) => within(u64::from(row.len), &(*low, *high)),
            Self::Gap(low, high) => within(row.t.saturating_sub(facts.before), &(*low, *high)),
            Self::Time(low, high) => within(row.t, &(*low, *high)),
            Self::Id(low, high) => within(facts.id, &(*low, *high)),
            Self::Window(low, high) => facts.window.is_some_and(|window| within(window, &(*low, *high))),
            Self::Text(text) => {
                contains(facts.word.as_bytes(), text.as_bytes())
                    || payload.as_mut()?.any(row, &mut |bytes| contains(bytes, text.as_bytes()))
            }
            Self::Pattern(pattern) => {
                pattern.is_match(facts.word.as_bytes()) || payload.as_mut()?.any(row, &mut |bytes| pattern.is_match(bytes))
            }
            Self::Json(condition) => {
                let payload = payload.as_mut()?;
                payload.content(row).is_some_and(|data| condition.holds(data))
            }
        })
    }
}
