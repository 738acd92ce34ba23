//! Endpoints that speak no model API: an echo, a plain event stream, a flood, and the index.

use std::time::Duration;

use ::http::Response;
use ::http::header::{AUTHORIZATION, CACHE_CONTROL};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::body::{BLOCK, Reply};
use super::http::{Asked, response, set, whole};
use crate::connections::{State, Transport};
use crate::endpoints::endpoints;
use crate::models::MODELS;
use crate::overrides::pairs;
use crate::rejection::Rejection;

/// What the Lab is, for whoever opens it in a browser.
pub(super) fn index() -> Value {
    json!({
        "name": "Weir Lab",
        "about": "A loopback server that speaks model APIs. Any key is accepted; nothing leaves this machine.",
        "models": MODELS.iter().map(|m| json!({"id": m.id, "description": m.description})).collect::<Vec<_>>(),
        "endpoints": endpoints(),
        "faults": crate::fault::catalogue(),
    })
}

/// Says the request back. Credentials are told of, not repeated: the response may be kept where the request was redacted.
pub(super) fn echo(asked: &Asked, body: &Bytes) -> Response<Reply> {
    let head = &asked.head;
    let headers: Vec<Value> = head
        .headers
        .iter()
        .map(|(name, value)| {
            let secret = name == AUTHORIZATION || ["key", "token", "secret", "cookie"].iter().any(|w| name.as_str().contains(w));
            let value = String::from_utf8_lossy(value.as_bytes());
            json!([name.as_str(), if secret { format!("({} characters)", value.chars().count()) } else { value.into_owned() }])
        })
        .collect();
    let text = std::str::from_utf8(body).ok();
    whole(
        asked,
        json!({
            "method": head.method.as_str(),
            "path": head.uri.path(),
            "query": head.uri.query(),
            "version": format!("{:?}", head.version),
            "headers": headers,
            "body_bytes": body.len(),
            "body": text,
            "json": text.and_then(|t| serde_json::from_str::<Value>(t).ok()),
        }),
    )
}

/// A number of the query.
fn number(asked: &Asked, name: &str, default: u64, most: u64) -> Result<u64, Rejection> {
    let Some((_, value)) = pairs(asked.query()).find(|(key, _)| key == name) else {
        return Ok(default);
    };
    match value.parse::<u64>() {
        Ok(n) if n <= most => Ok(n),
        _ => Err(Rejection::invalid(Some(name), format!("`{name}` must be a number up to {most}."))),
    }
}

/// `GET /sse?count=&interval_ms=`: numbered events with ids, a `retry`, comments between, several data lines and a named
/// type, ending by EOF. A `Last-Event-ID` goes on after that event, as a reconnecting `EventSource` expects.
pub(super) fn sse(asked: Asked) -> Response<Reply> {
    let (count, interval) = match (number(&asked, "count", 10, 10_000_000), number(&asked, "interval_ms", 100, 3_600_000)) {
        (Ok(count), Ok(interval)) => (count, Duration::from_millis(interval)),
        (Err(e), _) | (_, Err(e)) => return asked.refused(&e),
    };
    let last = asked.head.headers.get("last-event-id").and_then(|v| v.to_str().ok()?.parse::<u64>().ok()).unwrap_or(0);
    let end = if asked.terms.faults.cr_only { "\r" } else { "\n" };
    let exchange = if end == "\r" { asked.begin(Transport::Sse) } else { asked.begin_sound(Transport::Sse) };
    let (parts, body) = Reply::live(true);
    tokio::spawn(async move {
        let start = Instant::now();
        let mut first = format!(": weir lab{end}retry: 3000{end}{end}");
        for (beat, id) in (last.saturating_add(1)..=count).enumerate() {
            let moment = start + interval.saturating_mul(beat as u32);
            if moment > Instant::now() {
                tokio::select! {
                    () = sleep_until(moment) => {}
                    () = parts.closed() => return,
                }
            }
            let comment = if id % 5 == 0 { format!(": keep-alive{end}{end}") } else { String::new() };
            let kind = if id % 3 == 0 { format!("event: tick{end}") } else { String::new() };
            let event = format!("{comment}{kind}id: {id}{end}data: event {id} of {count}{end}data: naïve 世界 👩‍👩‍👧‍👦{end}{end}");
            let bytes = std::mem::take(&mut first) + &event;
            let length = bytes.len();
            if parts.send(bytes.into()).await.is_err() {
                return;
            }
            exchange.sent(length);
        }
        exchange.set(State::Complete);
    });
    event_stream(body)
}

fn event_stream(body: Reply) -> Response<Reply> {
    let mut response = response(200, "text/event-stream; charset=utf-8", body);
    set(&mut response, CACHE_CONTROL, "no-cache");
    response
}

/// Bytes written at once by a flood.
const FLOOD_BLOCK: usize = 4 * BLOCK;

/// A flood's measure.
pub(super) struct Flood {
    pub events: u64,
    /// Of one event with all its framing.
    pub size: usize,
}

/// The smallest event that still is a chat chunk.
const LEAST: usize = 200;

impl Flood {
    pub(super) fn of(asked: &Asked) -> Result<Flood, Rejection> {
        let events = number(asked, "events", 10_000, 1_000_000_000)?;
        let size = number(asked, "size", 330, 16 << 20)? as usize;
        if size < LEAST {
            return Err(Rejection::invalid(Some("size"), format!("`size` must be at least {LEAST} bytes.")));
        }
        Ok(Flood { events, size })
    }

    /// A chat chunk of exactly `length` bytes.
    pub(super) fn payload(length: usize) -> String {
        let chunk = |text: &str| {
            format!(
                "{{\"id\":\"chatcmpl-flood\",\"object\":\"chat.completion.chunk\",\"created\":1780000000,\"model\":\"lab/flood\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}"
            )
        };
        let bare = chunk("").len();
        let text: String = " water".chars().cycle().take(length.saturating_sub(bare)).collect();
        chunk(&text)
    }
}

/// `GET /flood?events=N&size=B`: that many equal chat chunks of `size` bytes each as fast as the client reads, in large writes,
/// then `[DONE]`.
pub(super) fn flood(asked: Asked) -> Response<Reply> {
    let Flood { events, size } = match Flood::of(&asked) {
        Ok(flood) => flood,
        Err(rejection) => return asked.refused(&rejection),
    };
    let exchange = asked.begin_sound(Transport::Sse);
    exchange.expect(events as usize);
    let (parts, body) = Reply::live(false);
    tokio::spawn(async move {
        let framing = "data: \n\n".len();
        let event = format!("data: {}\n\n", Flood::payload(size - framing));
        let at_once = (FLOOD_BLOCK / size).max(1) as u64;
        let block = Bytes::from(event.repeat(at_once.min(events) as usize));
        let mut left = events;
        while left > 0 {
            let now = left.min(at_once);
            let bytes = block.slice(..now as usize * size);
            let length = bytes.len();
            if parts.send(bytes).await.is_err() {
                return;
            }
            exchange.sent(length);
            exchange.said(now as usize);
            left -= now;
        }
        if parts.send(Bytes::from_static(b"data: [DONE]\n\n")).await.is_ok() {
            exchange.sent(14);
            exchange.set(State::Complete);
        }
    });
    event_stream(body)
}
