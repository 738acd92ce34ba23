//! One connection of a lane, over Weir's transport: everything that crosses it is in the lane's session.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::sync::watch;
use weir_dialects::Transport;
use weir_frames::{Limits as FrameLimits, sse};
use weir_transport::http::{self, Seen};
use weir_transport::{Control, Error, Header, HttpVersion, Journal, Limits, Proxy, Request, Target, Value, ws};

use super::Drill;
use super::lane::Ears;
use super::lanes::LaneInfo;
use super::plan::TTFT;
use super::protocol::{Asked, Heard};

/// The largest body that is read as one.
const BODY: usize = 16 << 20;

/// How a connection came to its end.
pub(super) enum Over {
    /// The reply is whole.
    Whole,
    /// Too early: a stable code, and words.
    Broken(String, String),
    /// The answer is one that is not asked again after.
    Final(String, String),
    /// The server says that there is nothing to come back for.
    NothingMore,
    /// The user stopped it.
    Stopped,
}

impl Over {
    fn of(error: &Error) -> Self {
        match error.code.as_str() {
            "cancelled" => Self::Stopped,
            _ => Self::Broken(error.code.clone(), error.message.clone()),
        }
    }
}

/// The fields by which the Lab is told of the reply: `fault`, and the drill's rhythm.
pub(super) fn lab_fields(drill: &Drill, fault: &str) -> Vec<(&'static str, String)> {
    vec![
        ("x-lab-fault", fault.to_owned()),
        ("x-lab-reply", "echo".into()),
        ("x-lab-tokens", drill.tokens.to_string()),
        ("x-lab-tokens-per-event", "1".into()),
        ("x-lab-rate", drill.rate.to_string()),
        ("x-lab-ttft-ms", TTFT.as_millis().to_string()),
        ("x-lab-jitter", "0".into()),
        ("x-lab-shape", "steady".into()),
    ]
}

/// The address of a request's path at the Lab.
pub(super) fn url(lab: &str, drill: &Drill, asked: &Asked) -> String {
    match asked {
        Asked::Http { path, .. } if path.starts_with("/sse?") => format!("{lab}{path}&interval_ms={}", drill.beat().as_millis()),
        Asked::Http { path, .. } => format!("{lab}{path}"),
        Asked::Socket { path, .. } => format!("{}{path}", lab.replacen("http", "ws", 1)),
    }
}

/// A connection that is to be.
pub(super) struct Wire<'a> {
    pub(super) lab: &'a str,
    pub(super) drill: &'a Drill,
    pub(super) info: &'a LaneInfo,
    pub(super) journal: &'a Journal,
    pub(super) conn: u32,
    pub(super) fault: &'a str,
}

impl Wire<'_> {
    /// Sends `asked` and hears the answer to its end.
    pub(super) async fn attempt(&self, asked: &Asked, ears: &mut Ears<'_>, stop: &mut watch::Receiver<bool>) -> Over {
        let control = Control::new();
        let own = control.clone();
        let attempt = async {
            match asked {
                Asked::Http { method, headers, body, .. } => self.http(method, headers, body, asked, ears, &own).await,
                Asked::Socket { messages, .. } => self.socket(messages, asked, ears, &own).await,
            }
        };
        tokio::pin!(attempt);
        tokio::select! {
            over = &mut attempt => over,
            () = stopped(stop) => {
                // The log gets its last mark, so that the session says what became of it.
                control.cancel();
                attempt.await;
                Over::Stopped
            }
        }
    }

    fn target(&self, asked: &Asked) -> Target {
        let patience = self.drill.patience();
        // A whole reply comes when all of it is made.
        let first = if self.info.transport == Transport::Http { patience + self.drill.length() } else { patience + TTFT };
        Target {
            url: url(self.lab, self.drill, asked),
            http: if self.drill.http == "2" { HttpVersion::Http2 } else { HttpVersion::Http11 },
            proxy: Proxy::Direct,
            limits: Limits { connect: Some(Duration::from_secs(10)), first_byte: Some(first), idle: Some(patience), total: None },
            ..Target::default()
        }
    }

    fn fields(&self, own: &[(&'static str, String)]) -> Vec<Header> {
        let all = own.iter().cloned().chain(lab_fields(self.drill, self.fault));
        all.map(|(name, value)| Header { name: name.into(), value: Value::Plain(value) }).collect()
    }

    async fn http(
        &self,
        method: &str,
        headers: &[(&'static str, String)],
        body: &str,
        asked: &Asked,
        ears: &mut Ears<'_>,
        control: &Control,
    ) -> Over {
        let request = Request { method: method.into(), headers: self.fields(headers), body: body.to_owned().into() };
        let streamed = self.info.transport == Transport::Sse;
        let mut dissector = sse::Dissector::new(FrameLimits::default(), &ears.last_event_id);
        let mut whole_body = Vec::new();
        let mut refused = None;
        let outcome = http::exchange_seen(&self.target(asked), &request, self.journal.clone(), self.conn, control, &mut |seen| {
            ears.byte();
            match seen {
                Seen::Head { status, headers } => {
                    let kind = headers.get(::http::header::CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned());
                    refused = refusal(status, kind.as_deref(), ears.takes_no_for_an_answer());
                    if refused.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }
                Seen::Data(bytes) if streamed => {
                    dissector.push(bytes, &mut |item| ears.item(&item));
                    if ears.whole {
                        // What ends the body is read too.
                        control.finish();
                    }
                    ControlFlow::Continue(())
                }
                Seen::Data(bytes) => {
                    whole_body.extend_from_slice(bytes);
                    if whole_body.len() > BODY { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }
            }
        })
        .await;
        if let Some(over) = refused {
            return over;
        }
        if streamed {
            dissector.finish(&mut |item| ears.item(&item));
        } else if outcome.is_ok() {
            let bytes = whole_body.len() as u64;
            ears.hear(Heard::Body(&String::from_utf8_lossy(&whole_body)), bytes);
        }
        match outcome {
            _ if ears.whole => Over::Whole,
            Ok(()) => Over::Broken("ended-early".into(), "The response ended in good order, but before its end marker.".into()),
            Err(error) => Over::of(&error),
        }
    }

    async fn socket(&self, messages: &[String], asked: &Asked, ears: &mut Ears<'_>, control: &Control) -> Over {
        let opened = ws::open(&self.target(asked), &self.fields(&[]), &[], self.journal.clone(), self.conn, control).await;
        let mut socket = match opened {
            Ok(socket) => socket,
            Err(error) => return Over::of(&error),
        };
        ears.byte();
        for message in messages {
            if let Err(error) = socket.send_text(message.clone()).await {
                return Over::of(&error);
            }
        }
        let mut closed = None;
        while let Some(next) = socket.next().await {
            let message = match next {
                Ok(message) => message,
                Err(_) if ears.whole => return Over::Whole,
                Err(error) => return Over::of(&error),
            };
            ears.byte();
            match message {
                // Gemini's text leaves in binary messages.
                ws::Message::Text(bytes) | ws::Message::Binary(bytes) => {
                    ears.hear(Heard::Message(&String::from_utf8_lossy(&bytes)), bytes.len() as u64);
                }
                ws::Message::Close { code, reason } => closed = Some((code.unwrap_or(1005), reason)),
                ws::Message::Ping(_) | ws::Message::Pong(_) => {}
            }
            for answer in std::mem::take(&mut ears.answers) {
                if let Err(error) = socket.send_text(answer).await {
                    return Over::of(&error);
                }
            }
            if ears.whole && closed.is_none() {
                control.finish();
            }
        }
        match closed {
            _ if ears.whole => Over::Whole,
            Some((code, reason)) => {
                Over::Broken(format!("close-{code}"), format!("The server closed the WebSocket with {code} {reason}").trim().into())
            }
            None => Over::Broken("ended-early".into(), "The WebSocket ended.".into()),
        }
    }
}

/// Ready once the user stops it.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender lives as long as the drill, so this ends only with the wish.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Why an answer is none that a reply could come in; `strict`ly as an `EventSource` takes it.
fn refusal(status: u16, kind: Option<&str>, strict: bool) -> Option<Over> {
    let words = format!("The server answered with status {status}.");
    match status {
        204 => Some(Over::NothingMore),
        200 => {
            let stream =
                kind.is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream")));
            let seen = kind.unwrap_or("no Content-Type");
            (strict && !stream).then(|| Over::Final("not-an-event-stream".into(), format!("The answer is no event stream: {seen}.")))
        }
        500.. if !strict => Some(Over::Broken(format!("http-{status}"), words)),
        _ => Some(Over::Final(format!("http-{status}"), words)),
    }
}
