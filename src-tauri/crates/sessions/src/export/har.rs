//! HTTP Archive 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>), with WebSocket messages as Chrome's DevTools write and read them.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;

use serde_json::{Value, json};
use weir_recordings::{Reader, RecordKind};

use super::body::{Survey, Text};
use super::unwritten;
use super::walk::{Exchange, Head, Part, walk};
use crate::analysis::Phases;
use crate::{Error, Session};

/// What the first walk finds of an exchange.
#[derive(Default)]
struct Seen {
    request: Option<Head>,
    response: Option<Head>,
    sent: Survey,
    received: Survey,
    /// Request's first and last byte, response's first and last, nanoseconds.
    times: [Option<u64>; 4],
    websocket: bool,
}

impl Seen {
    /// The server switched to WebSocket (RFC 6455 §4.2.2), or let an extended CONNECT through (RFC 8441 §5).
    fn opened_socket(&self) -> bool {
        let asked = self.request.as_ref().is_some_and(|head| head.protocol.eq_ignore_ascii_case("websocket"));
        self.response.as_ref().is_some_and(|head| head.status == 101 || asked && matches!(head.status, 200..=299))
    }
}

/// Writes the archive: an entry for each exchange, or one for the dial that failed.
pub fn write(session: &Session, out: &mut dyn Write) -> Result<(), Error> {
    let log = session.log();
    let found = survey(log)?;
    let phases = session.analysis().phases.clone();
    let creator = json!({"name": "Weir", "version": env!("CARGO_PKG_VERSION")});
    let put = |out: &mut dyn Write, text: &str| out.write_all(text.as_bytes()).map_err(unwritten);
    put(out, &format!("{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"pages\":[],\"entries\":["))?;
    if found.is_empty() {
        put(out, &unsent(session, &phases).to_string())?;
    }
    for (n, (of, seen)) in found.iter().enumerate() {
        if n > 0 {
            put(out, ",")?;
        }
        entry(session, &phases, n == 0, *of, seen, out)?;
    }
    put(out, "]}}\n")
}

fn survey(log: &Reader) -> Result<BTreeMap<Exchange, Seen>, Error> {
    let mut found: BTreeMap<Exchange, Seen> = BTreeMap::new();
    walk(log, &mut |part| {
        let (of, dir, t) = match &part {
            Part::Head { of, dir, t, .. } | Part::Body { of, dir, t, .. } | Part::Message { of, dir, t, .. } => (*of, *dir, *t),
        };
        let seen = found.entry(of).or_default();
        let [first, last] = if dir == RecordKind::Out { [0, 1] } else { [2, 3] };
        match part {
            Part::Head { head, .. } if dir == RecordKind::Out => seen.request = Some(head.clone()),
            Part::Head { head, .. } => seen.response = Some(head.clone()),
            Part::Body { bytes, .. } if dir == RecordKind::Out => seen.sent.push(bytes),
            Part::Body { bytes, .. } => seen.received.push(bytes),
            Part::Message { .. } => seen.websocket = true,
        }
        // A message sent later is no part of the request that opened the socket.
        if !(seen.websocket && dir == RecordKind::Out) {
            seen.times[first].get_or_insert(t);
            seen.times[last] = Some(t);
        }
        ControlFlow::Continue(())
    })?;
    for seen in found.values_mut() {
        seen.websocket |= seen.opened_socket();
    }
    Ok(found)
}

fn entry(session: &Session, phases: &Phases, first: bool, of: Exchange, seen: &Seen, out: &mut dyn Write) -> Result<(), Error> {
    let clock = Clock::new(phases, first, seen);
    let request = seen.request.clone().unwrap_or_default();
    let response = seen.response.clone().unwrap_or_default();
    let put = |out: &mut dyn Write, text: &str| out.write_all(text.as_bytes()).map_err(unwritten);
    put(
        out,
        &format!(
            "{{\"startedDateTime\":{},\"time\":{},\"request\":",
            json!(date(session.started_at_ms(), clock.begin)),
            json!(clock.total())
        ),
    )?;
    self::request(session, &request, seen, of, out)?;
    put(out, ",\"response\":")?;
    self::response(session, &response, seen, of, out)?;
    put(out, &format!(",\"cache\":{{}},\"timings\":{}", clock.timings()))?;
    if let Some(address) = address(phases) {
        put(out, &format!(",\"serverIPAddress\":{}", json!(address)))?;
    }
    put(out, &format!(",\"connection\":{}", json!(of.0.to_string())))?;
    if let Some(error) = &phases.failed {
        put(out, &format!(",\"_error\":{}", json!(error.message)))?;
    }
    if seen.websocket {
        put(out, ",\"_resourceType\":\"websocket\",\"_webSocketMessages\":[")?;
        messages(session, of, out)?;
        put(out, "]")?;
    }
    put(out, "}")
}

fn request(session: &Session, head: &Head, seen: &Seen, of: Exchange, out: &mut dyn Write) -> Result<(), Error> {
    let url = url(session, head);
    let query: Vec<Value> = url::Url::parse(&url)
        .map(|url| url.query_pairs().map(|(name, value)| json!({"name": name, "value": value})).collect())
        .unwrap_or_default();
    let cookies: Vec<Value> = head.field("cookie").map(|line| line.split(';').filter_map(cookie).collect()).unwrap_or_default();
    let mut text = json!({
        "method": head.method, "url": url, "httpVersion": version(head), "cookies": cookies, "headers": fields(head),
        "queryString": query, "headersSize": size(head), "bodySize": seen.sent.len,
    })
    .to_string();
    if seen.sent.len == 0 {
        return out.write_all(text.as_bytes()).map_err(unwritten);
    }
    text.pop();
    let media = json!(head.field("content-type").unwrap_or_default());
    write!(out, "{text},\"postData\":{{\"mimeType\":{media},\"text\":\"").map_err(unwritten)?;
    let base64 = content(session.log(), of, RecordKind::Out, &seen.sent, out)?;
    // HAR has no encoding here; a body that is no text is marked by a field of Weir's own.
    out.write_all(if base64 { b"\",\"_encoding\":\"base64\"}}" } else { b"\"}}" }).map_err(unwritten)
}

fn response(session: &Session, head: &Head, seen: &Seen, of: Exchange, out: &mut dyn Write) -> Result<(), Error> {
    let cookies: Vec<Value> = head
        .fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .filter_map(|(_, line)| cookie(line.split(';').next()?))
        .collect();
    let mut text = json!({
        "status": head.status, "statusText": head.reason, "httpVersion": version(head), "cookies": cookies, "headers": fields(head),
        "redirectURL": head.field("location").unwrap_or_default(), "headersSize": size(head), "bodySize": seen.received.len,
    })
    .to_string();
    text.pop();
    let media = json!(head.field("content-type").unwrap_or("x-unknown"));
    write!(out, "{text},\"content\":{{\"size\":{},\"mimeType\":{media}", seen.received.len).map_err(unwritten)?;
    if seen.received.len > 0 {
        out.write_all(b",\"text\":\"").map_err(unwritten)?;
        let base64 = content(session.log(), of, RecordKind::In, &seen.received, out)?;
        out.write_all(if base64 { b"\",\"encoding\":\"base64\"" } else { b"\"" }).map_err(unwritten)?;
    }
    out.write_all(b"}}").map_err(unwritten)
}

/// Writes a body as the inside of a JSON string; tells whether in Base64.
fn content(log: &Reader, of: Exchange, dir: RecordKind, survey: &Survey, out: &mut dyn Write) -> Result<bool, Error> {
    let mut text = Text::new(survey);
    let base64 = text.is_base64();
    // A session that still runs has grown since it was surveyed.
    let mut left = survey.len;
    let mut written: io::Result<()> = Ok(());
    walk(log, &mut |part| {
        if let Part::Body { of: its, dir: way, bytes, .. } = part
            && its == of
            && way == dir
        {
            let piece = &bytes[..bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
            left -= piece.len() as u64;
            written = text.push(piece, out);
        }
        if written.is_ok() && left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written.and_then(|()| text.finish(out)).map_err(unwritten)?;
    Ok(base64)
}

fn messages(session: &Session, of: Exchange, out: &mut dyn Write) -> Result<(), Error> {
    use base64::Engine as _;
    let mut first = true;
    let mut written: io::Result<()> = Ok(());
    walk(session.log(), &mut |part| {
        if let Part::Message { of: its, dir, t, opcode, data } = part
            && its == of
        {
            let data = if opcode == 1 {
                String::from_utf8_lossy(data).into_owned()
            } else {
                base64::engine::general_purpose::STANDARD.encode(data)
            };
            let time = session.started_at_ms() as f64 / 1e3 + t as f64 / 1e9;
            let way = if dir == RecordKind::Out { "send" } else { "receive" };
            let message = json!({"type": way, "time": time, "opcode": opcode, "data": data});
            written = write!(out, "{}{message}", if std::mem::take(&mut first) { "" } else { "," });
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written.map_err(unwritten)
}

/// The entry of a request that never left: no connection came about.
fn unsent(session: &Session, phases: &Phases) -> Value {
    let call = &session.kept().call;
    let headers: Vec<Value> = call.headers.iter().map(|h| json!({"name": h.name, "value": h.value.replace("{key}", "***")})).collect();
    let total = phases.end.map_or(0.0, |t| t as f64 / 1e6);
    json!({
        "startedDateTime": date(session.started_at_ms(), 0), "time": total,
        "request": {
            "method": call.method, "url": call.url.replace("{key}", "***"), "httpVersion": "HTTP/1.1", "cookies": [], "headers": headers,
            "queryString": [], "headersSize": -1, "bodySize": 0,
        },
        "response": {
            "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
            "content": {"size": 0, "mimeType": "x-unknown"}, "redirectURL": "", "headersSize": -1, "bodySize": -1,
        },
        "cache": {},
        "timings": {"blocked": total, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": 0, "receive": 0},
        "_error": phases.failed.as_ref().map_or("no bytes were exchanged", |error| error.message.as_str()),
    })
}

/// The times of an entry, nanoseconds.
struct Clock {
    /// Begin of the entry since the session began.
    begin: u64,
    blocked: u64,
    dns: Option<u64>,
    /// TCP and TLS together, as the format has it.
    connect: Option<u64>,
    ssl: Option<u64>,
    send: u64,
    wait: u64,
    receive: u64,
}

impl Clock {
    fn new(phases: &Phases, first: bool, seen: &Seen) -> Self {
        let [asked, sent, began, ended] = seen.times;
        let asked = asked.unwrap_or(0);
        let sent = sent.unwrap_or(asked);
        let began = began.unwrap_or(phases.end.unwrap_or(sent)).max(sent);
        let ended = ended.unwrap_or(began).max(began);
        // Only the first exchange waited for the dial.
        let dialled = |name: &str| phases.spans.iter().find(|(of, _, _)| *of == name && first);
        let took = |name: &str| dialled(name).map(|(_, from, to)| to.saturating_sub(*from));
        let begin = dialled("dns").map_or(asked, |(_, from, _)| *from).min(asked);
        let ssl = took("tls");
        let connect = took("tcp").map(|tcp| tcp + ssl.unwrap_or(0));
        let dns = took("dns");
        let blocked = (asked - begin).saturating_sub(dns.unwrap_or(0) + connect.unwrap_or(0));
        Self { begin, blocked, dns, connect, ssl, send: sent.saturating_sub(asked), wait: began - sent, receive: ended - began }
    }

    fn total(&self) -> f64 {
        let all = self.blocked + self.dns.unwrap_or(0) + self.connect.unwrap_or(0) + self.send + self.wait + self.receive;
        all as f64 / 1e6
    }

    fn timings(&self) -> Value {
        let ms = |t: u64| t as f64 / 1e6;
        // -1 stands for what does not apply.
        let some = |t: Option<u64>| t.map_or(-1.0, ms);
        json!({
            "blocked": ms(self.blocked), "dns": some(self.dns), "connect": some(self.connect), "ssl": some(self.ssl),
            "send": ms(self.send), "wait": ms(self.wait), "receive": ms(self.receive),
        })
    }
}

/// The URL as it was asked for: the plan's scheme and host, the target from the log, where keys are starred out.
fn url(session: &Session, head: &Head) -> String {
    let planned = session.kept().call.url.replace("{key}", "***");
    if head.target.starts_with("http://") || head.target.starts_with("https://") {
        return head.target.clone();
    }
    match url::Url::parse(&planned) {
        Ok(base) if head.target.starts_with('/') => {
            let authority = base[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
            format!("{}://{authority}{}", base.scheme(), head.target)
        }
        _ => planned,
    }
}

fn version(head: &Head) -> &'static str {
    match head.version {
        "2" => "HTTP/2.0",
        "1.0" => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

/// Under HTTP/2 a head's size is that of its compressed form, which the format does not mean.
fn size(head: &Head) -> Value {
    if head.version == "2" || head.size == 0 { json!(-1) } else { json!(head.size) }
}

fn fields(head: &Head) -> Vec<Value> {
    head.fields.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn cookie(pair: &str) -> Option<Value> {
    let (name, value) = pair.trim().split_once('=')?;
    Some(json!({"name": name, "value": value}))
}

/// ISO 8601 in UTC, to the millisecond.
fn date(started_at_ms: i64, after: u64) -> String {
    let at = started_at_ms.saturating_add(i64::try_from(after / 1_000_000).unwrap_or(0));
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| "1970-01-01T00:00:00.000Z".into(), |at| format!("{at:.3}"))
}

/// The peer's IP address without its port.
fn address(phases: &Phases) -> Option<String> {
    let peer: std::net::SocketAddr = phases.peer.as_ref()?.parse().ok()?;
    Some(peer.ip().to_string())
}
