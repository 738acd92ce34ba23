//! What a row is, in a sentence or two, and which rule made it so.

use crate::analysis::{BARE, ELEMENT, Kind, Layer, Row};

/// The explanation of a row.
pub fn explain(row: &Row, word: &str, out: bool) -> String {
    let carried = match row.layer {
        Layer::Http if out => "The request's start line and fields, up to the blank line (RFC 9112 §2.1).",
        Layer::Http => "The response's status line and fields, up to the blank line (RFC 9112 §2.1).",
        Layer::Chunk => "A chunk: its size in hex, the data, a line end. Chunk borders mean nothing to what they carry (RFC 9112 §7.1).",
        Layer::H2 => match word.split(' ').next().unwrap_or_default() {
            "HEADERS" => "An HTTP/2 HEADERS frame: fields compressed with HPACK (RFC 9113 §6.2, RFC 7541).",
            "DATA" => {
                "An HTTP/2 DATA frame: a piece of one stream's body; its length comes off two windows of flow control (RFC 9113 §6.1, §5.2)."
            }
            "SETTINGS" => "HTTP/2 SETTINGS: how the sender wants to be talked to (RFC 9113 §6.5).",
            "WINDOW_UPDATE" => "HTTP/2 flow control: the sender may be sent that many bytes more (RFC 9113 §6.9).",
            "PING" => "An HTTP/2 PING: measures the round trip, keeps the connection alive (RFC 9113 §6.7).",
            "GOAWAY" => "HTTP/2 GOAWAY: the sender takes no new streams (RFC 9113 §6.8).",
            "RST_STREAM" => "HTTP/2 RST_STREAM: this stream ends at once (RFC 9113 §6.4).",
            "preface" => "The HTTP/2 client preface: 24 fixed bytes that no HTTP/1.1 server takes for a request (RFC 9113 §3.4).",
            _ => "An HTTP/2 frame (RFC 9113 §4.1).",
        },
        Layer::Sse => match row.kind {
            Kind::Comment => {
                "A comment: a line that begins with a colon. It keeps proxies from closing an idle stream and is never dispatched (WHATWG HTML §9.2.6)."
            }
            Kind::Retry => "A retry field: how long a client waits before it reconnects. It takes effect at once (WHATWG HTML §9.2.6).",
            Kind::Incomplete => "The stream ended inside this event: without its blank line it is never dispatched (WHATWG HTML §9.2.6).",
            _ => "A server-sent event: fields up to a blank line, data lines joined with LF (WHATWG HTML §9.2.6).",
        },
        Layer::Ndjson => "One line of newline-delimited JSON.",
        Layer::Eventstream => {
            "An event stream message of AWS: prelude with lengths and CRC-32, headers, payload, CRC-32 over all of it (application/vnd.amazon.eventstream)."
        }
        Layer::Ws => match (row.kind, word) {
            (Kind::Control, "ping") => "A ping: the other end must answer with a pong of the same payload (RFC 6455 §5.5.2).",
            (Kind::Control, "pong") => "A pong: the answer to a ping, or a heartbeat of its own (RFC 6455 §5.5.3).",
            (Kind::Control, "close") => {
                "A close frame: code and reason; the other end answers with one, then TCP is closed (RFC 6455 §5.5.1)."
            }
            (Kind::Frame, _) => "A WebSocket frame: a piece of a message. Frame borders mean nothing to the application (RFC 6455 §5.4).",
            _ => "A WebSocket message: its frames' payloads in order, unmasked (RFC 6455 §5.6).",
        },
        Layer::Body if word == ELEMENT => "An element of a body that is one JSON array: decoded as soon as it is whole (RFC 8259 §5).",
        Layer::Body if word == BARE => {
            "JSON where only fields of events may stand: to the WHATWG standard an unknown field, so an event source drops it. Some servers report errors so."
        }
        Layer::Body => "A body sent as one value: nothing of it can be decoded before its end.",
    };
    let meaning = match row.kind {
        Kind::Text => " It adds text to the reply.",
        Kind::Reasoning => " It adds to the model's reasoning.",
        Kind::Refusal => " The model refuses.",
        Kind::Audio => " It carries sound.",
        Kind::ToolCall => " It is part of a tool call's arguments.",
        Kind::Usage => " It reports token usage; what it says replaces what was said before.",
        Kind::Finish => " It says why the model stopped.",
        Kind::Error if row.len > 0 => " It reports an error of the provider.",
        Kind::Unknown => " The dialect does not know it, so it is shown as it is.",
        Kind::Request => " Weir sent it.",
        _ => "",
    };
    if row.kind == Kind::Connection {
        return "What the console did: it opens a connection, waits before the next one (WHATWG HTML §9.2.3), or is done. No byte stands for it.".into();
    }
    if matches!(row.kind, Kind::Error | Kind::Warning) && !word.is_empty() && row.len == 0 {
        return word.to_owned();
    }
    format!("{carried}{meaning}")
}
