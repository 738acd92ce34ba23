//! One row of the frame table, and what it can be.

use weir_dialects::DeltaKind;
use weir_frames::Span;

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Layer {
    /// A head or trailer section of HTTP/1.1.
    Http,
    /// Chunk framing.
    Chunk,
    /// HTTP/2 frames.
    H2,
    /// Server-sent events.
    Sse,
    /// JSON lines.
    Ndjson,
    /// Messages of `application/vnd.amazon.eventstream`.
    Eventstream,
    /// WebSocket frames.
    Ws,
    /// A body that is no stream.
    Body,
}

impl Layer {
    /// The name that filters and views use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Chunk => "chunk",
            Self::H2 => "h2",
            Self::Sse => "sse",
            Self::Ndjson => "ndjson",
            Self::Eventstream => "eventstream",
            Self::Ws => "ws",
            Self::Body => "body",
        }
    }
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Request or response head.
    Head,
    /// Text delta.
    Text,
    /// Reasoning delta.
    Reasoning,
    /// Refusal delta.
    Refusal,
    /// Fragment of a tool call.
    ToolCall,
    /// Usage report.
    Usage,
    /// End of the reply.
    Finish,
    /// An error of the peer, or a rule it broke.
    Error,
    /// Legal but suspicious.
    Warning,
    /// Lifecycle, keep-alive, handshake, ping, settings.
    Control,
    /// SSE comment.
    Comment,
    /// SSE `retry`.
    Retry,
    /// A request body or message Weir sent.
    Request,
    /// Not understood; shown raw.
    Unknown,
    /// A unit the end of input cut.
    Incomplete,
    /// Carrier: an HTTP/1.1 chunk.
    Chunk,
    /// Carrier: an HTTP/2 DATA or WINDOW_UPDATE frame, or a WebSocket fragment.
    Frame,
    /// Sound or another medium.
    Audio,
    /// An event, line or message that no dialect decodes.
    Message,
    /// What a console did with a connection: opened it, waits for the next one, is done.
    Connection,
}

/// All kinds, in the order legends show them.
pub const KINDS: [Kind; 20] = [
    Kind::Connection,
    Kind::Head,
    Kind::Message,
    Kind::Reasoning,
    Kind::Text,
    Kind::Refusal,
    Kind::ToolCall,
    Kind::Audio,
    Kind::Usage,
    Kind::Finish,
    Kind::Control,
    Kind::Comment,
    Kind::Retry,
    Kind::Request,
    Kind::Warning,
    Kind::Error,
    Kind::Unknown,
    Kind::Incomplete,
    Kind::Chunk,
    Kind::Frame,
];

impl Kind {
    /// The name that filters and views use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Text => "text",
            Self::Reasoning => "reasoning",
            Self::Refusal => "refusal",
            Self::ToolCall => "tool_call",
            Self::Usage => "usage",
            Self::Finish => "finish",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Control => "control",
            Self::Comment => "comment",
            Self::Retry => "retry",
            Self::Request => "request",
            Self::Unknown => "unknown",
            Self::Incomplete => "incomplete",
            Self::Chunk => "chunk",
            Self::Frame => "frame",
            Self::Audio => "audio",
            Self::Message => "message",
            Self::Connection => "connection",
        }
    }

    /// The kind that a delta makes of its row, and its rank: the highest rank names the row.
    pub const fn of(delta: DeltaKind) -> (Self, u8) {
        match delta {
            DeltaKind::Error => (Self::Error, 9),
            DeltaKind::Text => (Self::Text, 8),
            DeltaKind::Reasoning => (Self::Reasoning, 7),
            DeltaKind::Refusal => (Self::Refusal, 6),
            DeltaKind::ToolCall => (Self::ToolCall, 5),
            DeltaKind::Usage => (Self::Usage, 4),
            DeltaKind::Finish => (Self::Finish, 3),
            DeltaKind::Audio => (Self::Audio, 4),
            DeltaKind::Control => (Self::Control, 2),
            DeltaKind::Said => (Self::Request, 2),
            DeltaKind::Unknown => (Self::Unknown, 1),
        }
    }
}

/// Id of a row: its index in the frame table, or with [`RowId::CARRIER`] set its index among the carriers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(pub u32);

impl RowId {
    /// Set on the ids of carriers: chunks, DATA frames, fragments.
    pub const CARRIER: u32 = 1 << 31;

    /// Whether it names a carrier.
    pub const fn is_carrier(self) -> bool {
        self.0 & Self::CARRIER != 0
    }

    /// The index in its table.
    pub const fn index(self) -> usize {
        (self.0 & !Self::CARRIER) as usize
    }
}

/// A row: 32 bytes, whatever the session's length. The payload stays in the byte log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When its last byte came or went, nanoseconds since the session began.
    pub t: u64,
    /// First byte, in its stream.
    pub start: u64,
    /// Bytes; [`u32::MAX`] stands for that many or more, then the unit's border is found again when it is opened.
    pub len: u32,
    /// The block of the reply it adds to, plus one; 0 for none.
    pub block: u32,
    /// Index of its stream.
    pub stream: u16,
    /// Interned word: SSE event type, HTTP/2 frame, WebSocket opcode, rule code.
    pub word: u16,
    /// Where it stands.
    pub layer: Layer,
    /// What it is.
    pub kind: Kind,
}

impl Row {
    /// Its range in its stream.
    pub const fn span(&self) -> Span {
        Span::new(self.start, self.start + self.len as u64)
    }
}
