//! Endpoints that speak no model API: an echo, a plain event stream, a flood, and the index.

use std::sync::Arc;
use std::time::Duration;

use ::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use ::http::{Response, StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::body::{BLOCK, BodyOutlet, Reply};
use super::gateway::live;
use super::http::{Asked, response, set, whole};
use crate::connections::{State, Transport};
use crate::endpoints::endpoints;
use crate::fault::Faults;
use crate::framing::Framing;
use crate::models::MODELS;
use crate::overrides::pairs;
use crate::play::{Ending, Gone, Leaving, Outlet, broken_off, wait};
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

/// `GET /sse?count=&each=&interval_ms=&retry_ms=`: numbered events with ids, a `retry`, comments between, several data lines and a named
/// type, ending by EOF, after `each` of them if that is given. A `Last-Event-ID` goes on after that event, as a reconnecting
/// `EventSource` expects; after the last one there is nothing to come back for, which 204 says.
pub(super) fn sse(asked: Asked) -> Response<Reply> {
    let (count, interval) = match (number(&asked, "count", 10, 10_000_000), number(&asked, "interval_ms", 100, 3_600_000)) {
        (Ok(count), Ok(interval)) => (count, Duration::from_millis(interval)),
        (Err(e), _) | (_, Err(e)) => return asked.refused(&e),
    };
    let (each, retry) = match (number(&asked, "each", count, 10_000_000), number(&asked, "retry_ms", 3000, 86_400_000)) {
        (Ok(each), Ok(retry)) => (each.max(1), retry),
        (Err(e), _) | (_, Err(e)) => return asked.refused(&e),
    };
    let last = asked.head.headers.get("last-event-id").and_then(|v| v.to_str().ok()?.parse::<u64>().ok()).unwrap_or(0);
    if last >= count && last > 0 {
        let exchange = asked.begin(Transport::Sse);
        exchange.set(State::Complete);
        let mut nothing = Response::new(Reply::Whole(None));
        *nothing.status_mut() = StatusCode::NO_CONTENT;
        return nothing;
    }
    let faults = asked.terms.faults.clone();
    let end = if faults.cr_only { "\r" } else { "\n" };
    let exchange = Arc::new(asked.begin(Transport::Sse));
    let client = asked.client.clone();
    let (parts, body) = live(&client, &faults, &exchange);
    let mut response = event_stream(body);
    if let Some(kind) = &faults.wrong_type {
        set(&mut response, CONTENT_TYPE, kind);
    }
    tokio::spawn(async move {
        let framing = Framing::Sse { end, space: true };
        let mut outlet = BodyOutlet::new(parts, framing, &exchange, &faults, client.control.clone());
        let ending = numbered(&mut outlet, &faults, end, &Numbers { last, count, each, retry, interval }).await.unwrap_or(Ending::Gone);
        if ending == Ending::Restart {
            client.deployed(asked.head.uri.path(), &faults);
        }
        super::replies::end(&client, ending, &exchange, &outlet).await;
    });
    response
}

/// Which events a stream of numbered ones holds.
struct Numbers {
    /// The last one the client has.
    last: u64,
    /// The last one there is.
    count: u64,
    /// How many of them one connection carries.
    each: u64,
    /// Milliseconds that its `retry` names.
    retry: u64,
    /// Between two of them.
    interval: Duration,
}

/// Sends the events after `last`, and does to them what the faults ask for; an event counts as a token.
async fn numbered(outlet: &mut BodyOutlet<'_>, faults: &Faults, end: &str, numbers: &Numbers) -> Result<Ending, Gone> {
    let &Numbers { last, count, each, retry, interval } = numbers;
    let mut start = Instant::now();
    let mut leaving = Leaving::of(faults);
    let mut stall = faults.stall;
    let mut first = format!(": weir lab{end}retry: {retry}{end}{end}");
    for (said, id) in (last.saturating_add(1)..=count.min(last.saturating_add(each))).enumerate() {
        if let Some(stall) = stall.take_if(|stall| said >= stall.after as usize) {
            wait(Instant::now() + stall.time, outlet).await?;
            start += stall.time;
        }
        if let Some(ending) = broken_off(faults, said) {
            return Ok(ending);
        }
        leaving.said(said, outlet).await?;
        let at = start + interval.saturating_mul(said as u32);
        if leaving.dropped(at, outlet).await? {
            return Ok(Ending::Restart);
        }
        wait(at, outlet).await?;
        let due = |every: Option<u32>| every.is_some_and(|every| id.is_multiple_of(every.into()));
        let comment = if id % 5 == 0 { format!(": keep-alive{end}{end}") } else { String::new() };
        let kind = if id % 3 == 0 { format!("event: tick{end}") } else { String::new() };
        let mut event = format!("{comment}{kind}id: {id}{end}data: event {id} of {count}{end}data: naïve 世界 👩‍👩‍👧‍👦{end}{end}");
        if due(faults.duplicate) {
            event = event.repeat(2);
        }
        if due(faults.lose) {
            event.clear();
        }
        let bytes = std::mem::take(&mut first) + &event;
        if let Some(pings) = faults.ping_flood {
            outlet.ping(pings).await?;
        }
        if !bytes.is_empty() {
            outlet.part(bytes.into()).await?;
        }
    }
    Ok(Ending::Complete)
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
    let mut response = event_stream(body);
    // A flood measures the client's reading: it is not to wait for a coding.
    set(&mut response, CACHE_CONTROL, "no-cache, no-transform");
    response
}
