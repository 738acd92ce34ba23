//! The inspector: frame table, layer tree, ribbon.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::lenses::Split;

/// One row of the frame table.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FrameRow {
    /// Row id: its number in the session, from 0.
    pub id: u32,
    /// When its last byte came or went, ms since the dial began.
    pub t_ms: f64,
    /// Milliseconds since the row before it in the session, shown or not, as `gap` filters it; for a carrier since the row above it.
    pub gap_ms: f64,
    /// Sent by Weir.
    pub out: bool,
    /// `http`, `chunk`, `h2`, `sse`, `ndjson`, `ws`, `body`: where it stands.
    pub layer: String,
    /// What it is: `head`, `text`, `reasoning`, `refusal`, `tool_call`, `usage`, `finish`, `error`, `control`, `comment`, `retry`, `chunk`, `frame`, `warning`, `unknown` …
    pub kind: String,
    /// Bytes in its own layer.
    #[ts(type = "number")]
    pub size: u64,
    /// One line for people; leading and trailing spaces are part of it.
    pub summary: String,
}

/// A page of rows.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RowsPage {
    /// Rows that match the filter, so far.
    pub matching: u32,
    /// Position of the first of `rows` among them.
    pub start: u32,
    /// The rows.
    pub rows: Vec<FrameRow>,
    /// The share (0–1) of the session's rows that was looked at so far, while a filter that reads payloads still searches, or of a
    /// compressed body that was decoded on the way to these rows; ask again to have it go on. Absent once all is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub searched: Option<f64>,
}

/// Where the bytes of a selection go: each received byte that the selected units own, once, by the innermost layer that owns it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ByteShares {
    /// Bytes received that belong to the selection.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The same by layer, as in `Metrics.layers`.
    #[ts(type = "[string, number][]")]
    pub layers: Vec<(String, u64)>,
    /// Bytes received in all.
    #[ts(type = "number")]
    pub of: u64,
    /// What TLS took on top, of the whole session: what it took of a part is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(type = "number", optional)]
    pub tls: Option<u64>,
    /// As in [`RowsPage::searched`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub searched: Option<f64>,
}

/// Why a filter is not one; the last valid filter stays in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FilterError {
    /// Start of the bad term in the filter, in UTF-16 code units.
    pub start: u32,
    /// Its end.
    pub end: u32,
    /// What is wrong with it.
    pub message: String,
}

/// Rows of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct KindCount {
    /// Kind as in [`FrameRow::kind`].
    pub kind: String,
    /// How many.
    pub count: u32,
}

/// A node of the layer tree: a frame, field or JSON value, with its bytes.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Node {
    /// Nesting, from 0.
    pub depth: u32,
    /// Name, e.g. `HTTP/1.1 chunk #116`, `field data`, `choices[0]`.
    pub label: String,
    /// Its value in short, where it has one.
    pub value: String,
    /// Layer for its colour: `http-head`, `chunk`, `h2`, `sse`, `ws`, `json`, `text-delta`, `reasoning`, `tool-call`, `usage`, `control`, `error`.
    pub layer: String,
    /// Its byte ranges `[start, end)` in the window of bytes that the detail names, in order. More than one where borders of an outer layer cut it.
    #[ts(type = "[number, number][]")]
    pub spans: Vec<(u64, u64)>,
    /// Of a JSON value, and of what it says: its path in the document (RFC 9535 §2.7, names in the short form where they have one).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
    /// Of a binary header: its fields, bit by bit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bits: Option<Vec<BitField>>,
}

/// A field of a binary header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct BitField {
    /// Its name in the standard.
    pub name: String,
    /// How many bits it takes; fields follow each other without a gap, the most significant bit first.
    pub width: u32,
    /// Its value: a digit for a single bit.
    pub value: String,
    /// What the value means here; "" where the value says it all.
    pub meaning: String,
}

/// What one may jump to among the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum Landmark {
    /// Something is wrong: rows of kind `error`, `warning` or `incomplete`.
    Error,
    /// Nothing but the protocol's own talk: a WebSocket ping, pong or close, an HTTP/2 frame that is no request or reply, an SSE
    /// comment or `retry`.
    Control,
    /// The HTTP/2 frame that used up a flow-control window.
    Stall,
}

/// Which layer owns a range of the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Owner {
    /// Start in the window.
    #[ts(type = "number")]
    pub start: u64,
    /// End in the window.
    #[ts(type = "number")]
    pub end: u64,
    /// Layer as in [`Node::layer`].
    pub layer: String,
}

/// An opened frame.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FrameDetail {
    /// Row id.
    pub id: u32,
    /// When, ms since the dial began.
    pub t_ms: f64,
    /// Connection and direction whose bytes the window shows.
    pub conn: u32,
    /// Sent by Weir.
    pub out: bool,
    /// The window: `[start, end)` in that direction's bytes.
    #[ts(type = "number")]
    pub start: u64,
    /// End of the window.
    #[ts(type = "number")]
    pub end: u64,
    /// The tree, a parent before its children.
    pub nodes: Vec<Node>,
    /// Index of the node that the row stands for most closely: its delta if it has one.
    pub focus: u32,
    /// Owners of the window's bytes, in order, without holes. In a window that was cut short, of the shown part.
    pub owners: Vec<Owner>,
    /// What this frame is and which rule made it so, in a sentence or two.
    pub explain: String,
    /// Characters of its payload that a border of a chunk, DATA frame or fragment cuts in two; the first few.
    pub splits: Vec<Split>,
    /// The share (0–1) of a compressed body that was decoded so far on the way to this frame; ask again to have it go on. Until then the
    /// detail has the frame's carriers alone. Absent where the frame is shown whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub decoding: Option<f64>,
}

/// A phase on the ribbon.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RibbonPhase {
    /// `dns`, `tcp`, `tls`, `wait`.
    pub name: String,
    /// Start, ms since the dial began.
    pub start_ms: f64,
    /// End; the present for a phase that lasts.
    pub end_ms: f64,
}

/// One lane of the ribbon.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct RibbonLane {
    /// `http`, `control`, `reasoning`, `text`, `tool`.
    pub name: String,
    /// Rows in each bin.
    pub bins: Vec<u32>,
}

/// The timeline in bins.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Ribbon {
    /// Start of the first bin, ms since the dial began.
    pub from_ms: f64,
    /// End of the last bin.
    pub to_ms: f64,
    /// Lanes, top first.
    pub lanes: Vec<RibbonLane>,
    /// Phases of the dial and the wait.
    pub phases: Vec<RibbonPhase>,
    /// HTTP/2 flow control: lanes `down` and `up`, of each bin the share in permille in which no window was left for what is received,
    /// and for what is sent. Absent where nothing speaks HTTP/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stalls: Option<Vec<RibbonLane>>,
}

/// Where a piece of the reply came from: the two ends of the link between text and frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Place {
    /// Frame row.
    pub row: u32,
    /// Block of the reply.
    pub block: u32,
    /// Start of the delta's text in the block, in UTF-16 code units.
    pub start: u32,
    /// Its end.
    pub end: u32,
}
