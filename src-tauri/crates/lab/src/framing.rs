//! How events are set apart in a body.

mod eventstream;

use crate::connections::Transport;
use crate::dialects::Event;

pub(crate) use eventstream::Record;

/// How events are set apart in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The WHATWG event stream format.
    Sse {
        /// `\n`, `\r\n` or `\r`.
        end: &'static str,
        /// Whether a space follows the colon.
        space: bool,
    },
    /// A line feed after each value.
    Ndjson,
    /// Messages of `application/vnd.amazon.eventstream`; an event's name is its `:event-type`.
    Eventstream,
    /// A JSON array, delivered piece by piece.
    Array,
    /// Nothing around the payload.
    Bare,
}

impl Framing {
    /// The usual one for a transport.
    pub(crate) fn of(transport: Transport) -> Framing {
        match transport {
            Transport::Sse => Framing::Sse { end: "\n", space: true },
            Transport::Ndjson => Framing::Ndjson,
            Transport::Eventstream => Framing::Eventstream,
            Transport::Array => Framing::Array,
            Transport::Http | Transport::Ws => Framing::Bare,
        }
    }

    /// The media type of a body framed so.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Framing::Sse { .. } => "text/event-stream; charset=utf-8",
            Framing::Ndjson => "application/x-ndjson",
            Framing::Eventstream => "application/vnd.amazon.eventstream",
            Framing::Array | Framing::Bare => "application/json",
        }
    }

    /// What stands before and after the payload of `event`, the `at`th of its body; none where such an event cannot be told.
    /// Records are written by [`Record`] instead, for their checksum covers the payload.
    pub(crate) fn around(self, event: &Event, at: u64) -> Option<(String, String)> {
        if event.is_comment() && !matches!(self, Framing::Sse { .. }) {
            return None;
        }
        Some(match self {
            Framing::Sse { end, .. } if event.bare => (String::new(), end.repeat(2)),
            Framing::Sse { end, space } => {
                let gap = if space { " " } else { "" };
                let mut before = String::new();
                for (field, value) in [("id", event.id.as_deref()), ("event", event.name.as_deref())] {
                    if let Some(value) = value {
                        before += &format!("{field}:{gap}{value}{end}");
                    }
                }
                if let Some(retry) = event.retry {
                    before += &format!("retry:{gap}{retry}{end}");
                }
                if let Some(comment) = &event.comment {
                    before += &format!(":{gap}{comment}{end}");
                }
                if event.is_comment() {
                    return Some((before, end.into()));
                }
                before += "data:";
                before += gap;
                (before, end.repeat(2))
            }
            Framing::Ndjson => (String::new(), "\n".into()),
            Framing::Array => (if at == 0 { "[" } else { ",\r\n" }.into(), String::new()),
            Framing::Eventstream | Framing::Bare => (String::new(), String::new()),
        })
    }

    /// What ends a body of `events` events.
    pub(crate) fn finish(self, events: u64) -> &'static str {
        match self {
            Framing::Array if events == 0 => "[]",
            Framing::Array => "]",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn framed(framing: Framing, events: &[Event]) -> String {
        let mut body = String::new();
        let mut at = 0;
        for event in events {
            if let Some((before, after)) = framing.around(event, at) {
                body += &(before + &event.data + &after);
                at += 1;
            }
        }
        body + framing.finish(at)
    }

    #[test]
    fn events_carry_all_their_fields() {
        let event = Event { id: Some("1".into()), comment: Some("HTTP_STATUS/200".into()), ..Event::named("result", &json!({"a": 1})) };
        let tight = Framing::Sse { end: "\n", space: false };
        assert_eq!(framed(tight, std::slice::from_ref(&event)), "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{\"a\":1}\n\n");
        let crlf = Framing::Sse { end: "\r\n", space: true };
        let primed = Event { id: Some("c".into()), retry: Some(9), ..Event::default() };
        assert_eq!(framed(crlf, &[Event::comment("wait"), primed]), ": wait\r\n\r\nid: c\r\nretry: 9\r\ndata: \r\n\r\n");
    }

    #[test]
    fn an_array_is_one_json_value() {
        let events = [Event::data(&json!({"a": 1})), Event::comment("unseen"), Event::data(&json!({"a": 2}))];
        let body = framed(Framing::Array, &events);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap(), json!([{"a": 1}, {"a": 2}]));
        assert_eq!(framed(Framing::Array, &[]), "[]");
        assert_eq!(framed(Framing::Ndjson, &events), "{\"a\":1}\n{\"a\":2}\n");
    }
}
