//! Client lenses: an event stream, or NDJSON, as other clients would have seen it.

use serde::Serialize;
use ts_rs::TS;

/// All lenses on one body, as far as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Lenses {
    /// What the body is.
    pub format: LensFormat,
    /// Connection the body came over.
    pub conn: u32,
    /// Bytes of the body (compressed ones where it is compressed) that were read.
    #[ts(type = "number")]
    pub read: u64,
    /// How many there are so far.
    #[ts(type = "number")]
    pub total: u64,
    /// Nothing more can change: the body is over, or every lens has its difference. Otherwise ask again.
    pub done: bool,
    /// The lenses.
    pub lenses: Vec<LensView>,
}

/// What lenses are held on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum LensFormat {
    /// An event stream.
    Sse,
    /// A JSON value a line.
    Ndjson,
}

/// One lens.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LensView {
    /// Its name.
    pub name: String,
    /// Who reads like that.
    pub clients: String,
    /// What it reads otherwise than the standard.
    pub about: String,
    /// The rule it does not keep, with its section.
    pub rule: String,
    /// Events (or lines) that it sees like the standard, before any difference.
    pub same: u32,
    /// What came of it so far.
    pub verdict: LensVerdict,
    /// The first difference.
    pub difference: Option<LensDifference>,
}

/// What came of a lens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum LensVerdict {
    /// The same as the standard so far.
    Same,
    /// It sees something else.
    Differs,
    /// An event is longer than what is compared.
    Unsettled,
}

/// The first difference of a lens.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LensDifference {
    /// `missing`, `extra`, `data`, `event` or `id`.
    pub kind: String,
    /// Number of the event, from 0.
    pub event: u32,
    /// The difference in words.
    pub message: String,
    /// The event by the standard.
    pub standard: Option<LensReading>,
    /// By the client.
    pub client: Option<LensReading>,
    /// The frame that holds the bytes.
    pub row: Option<u32>,
    /// The bytes that made it: ranges of what the connection received.
    #[ts(type = "[number, number][]")]
    pub spans: Vec<(u64, u64)>,
    /// Where those bytes are cut in two by the end of a read or chunk: from the end of the first half to the start of the second.
    #[ts(type = "[number, number] | null")]
    pub border: Option<(u64, u64)>,
}

/// How one side reads an event, from a little before the difference on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LensReading {
    /// The event's type; of a line `JSON` or `not JSON`.
    pub event: String,
    /// The last event id; "" where there is none.
    pub id: String,
    /// Data that both have.
    pub before: String,
    /// Nothing of the data stands before `before`.
    pub begins: bool,
    /// Data from the difference on.
    pub from: String,
    /// Nothing of the data stands behind `from`.
    pub ends: bool,
}

/// A character that a border of an outer layer cuts in two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Split {
    /// The character.
    pub text: String,
    /// Its bytes in hex, with a bar where it is cut: `e4 | bd a0`.
    pub halves: String,
    /// The node that stands for the border.
    pub node: u32,
}
