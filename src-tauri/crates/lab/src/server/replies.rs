//! A dialect's reply over HTTP: streamed event by event, or whole once its time has passed.

use ::http::Response;
use ::http::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderName};
use bytes::Bytes;
use tokio::time::{Instant, sleep, sleep_until};

use super::body::{BodyOutlet, Framing, Reply};
use super::http::{Asked, BROKEN_BY_LAB, json_response, response, set};
use super::{Client, held};
use crate::ask::Rejection;
use crate::connections::{Exchange, State, Transport};
use crate::dialects::{Dialect, FAILURE, Render};
use crate::fault::{Faults, JsonInstead};
use crate::models::Behaviour;
use crate::pace::Shape;
use crate::play::{Damage, Ending, Outlet, length, play};
use crate::script::{Finish, Script};
use crate::settings::Settings;

/// What is needed to say a reply.
pub(super) struct Part {
    pub script: Script,
    pub render: Box<dyn Render>,
    pub settings: Settings,
    pub faults: Faults,
    pub start: Instant,
}

pub(super) async fn reply(asked: Asked, dialect: &'static dyn Dialect, body: &[u8]) -> Response<Reply> {
    let start = Instant::now();
    let (mut ask, render) = match dialect.read(body) {
        Ok(read) => read,
        Err(rejection) => return refuse(&asked, dialect, &rejection),
    };
    if let Some(previous) = &ask.previous {
        match held(&asked.client.shared.conversations).tokens(previous) {
            Some(tokens) => ask.prompt_tokens += tokens,
            None => return refuse(&asked, dialect, &Rejection::no_previous(previous)),
        }
    }
    let streamed = ask.stream && asked.terms.faults.json != Some(JsonInstead::Reply);
    let transport = if streamed { dialect.streams_as() } else { Transport::Http };
    let mut settings = asked.terms.settings.clone();
    if ask.model.behaviour == Behaviour::Bursty {
        settings.pace.shape = Shape::Bursty;
    }
    let faults = asked.terms.faults.clone();
    let script = Script::compose(&ask, transport, &settings, faults.split_utf8.is_some());
    if let Some(id) = dialect.reply_id(&script) {
        let usage = script.usage();
        held(&asked.client.shared.conversations).keep(id, usage.total());
    }
    if !streamed && script.finish() == Finish::Error {
        let rejection = Rejection { status: 500, kind: "server_error", code: Some("lab_error"), param: None, message: FAILURE.into() };
        return refuse(&asked, dialect, &rejection);
    }
    let exchange = asked.begin(transport);
    exchange.expect(script.tokens());
    let request_id = format!("req_lab{}", script.id());
    let part = Part { script, render, settings, faults, start };
    let mut response = if streamed { stream(asked.client, transport, part, exchange) } else { whole(asked.client, part, exchange).await };
    set(&mut response, HeaderName::from_static("x-request-id"), &request_id);
    response
}

fn refuse(asked: &Asked, dialect: &dyn Dialect, rejection: &Rejection) -> Response<Reply> {
    let exchange = asked.begin(Transport::Http);
    let body = dialect.refuse(rejection);
    exchange.sent(body.to_string().len());
    exchange.set(State::Complete);
    json_response(rejection.status, &body)
}

fn stream(client: Client, transport: Transport, mut part: Part, exchange: Exchange) -> Response<Reply> {
    let (parts, body) = Reply::live(true);
    let (kind, framing) = match transport {
        Transport::Ndjson => ("application/x-ndjson", Framing::Ndjson),
        _ => ("text/event-stream; charset=utf-8", Framing::Sse(if part.faults.cr_only { "\r" } else { "\n" })),
    };
    tokio::spawn(async move {
        let mut outlet = BodyOutlet { parts, framing, exchange: &exchange };
        let ending = play(&part.script, part.render.as_mut(), &part.settings.pace, &part.faults, part.start, &exchange, &mut outlet).await;
        end(&client, ending, &exchange, &outlet).await;
    });
    let mut response = response(200, kind, body);
    set(&mut response, CACHE_CONTROL, "no-cache");
    response
}

/// Brings an exchange to the end its reply came to.
pub(super) async fn end(client: &Client, ending: Ending, exchange: &Exchange, outlet: &BodyOutlet<'_>) {
    match ending {
        Ending::Complete => exchange.set(State::Complete),
        // Dropping the exchange says it.
        Ending::Gone => {}
        // A close code means nothing to HTTP: the body just ends early.
        Ending::Reset | Ending::Cut | Ending::Close(_) => {
            exchange.set(BROKEN_BY_LAB);
            // What has been handed over is written out first; a reset would throw it away.
            sleep(SETTLE).await;
            client.control.kill(ending == Ending::Reset);
            outlet.gone().await;
        }
    }
}

/// Time for bytes to reach the client before a reset overtakes them.
pub(super) const SETTLE: std::time::Duration = std::time::Duration::from_millis(25);

async fn whole(client: Client, part: Part, exchange: Exchange) -> Response<Reply> {
    let Part { script, mut render, settings, faults, start } = part;
    // The client waits until the last token is there. Should it leave, hyper drops this future, and the exchange with it.
    sleep_until(start + length(&script, &settings.pace)).await;
    if let Some(stall) = faults.stall {
        sleep(stall.time).await;
    }
    exchange.said(script.tokens());
    let json = render.whole(&script).to_string();
    let body_breaks = faults.drop_after.is_some() || faults.cut_after.is_some();
    // A body has no events to count: what would befall one event befalls the body.
    let once = Faults {
        malformed_json: faults.malformed_json.map(|_| 1),
        invalid_utf8: faults.invalid_utf8.map(|_| 1),
        split_utf8: faults.split_utf8.map(|_| 1),
        ..faults.clone()
    };
    let (payload, manner) = Damage { faults: &once, events: 0, since_split: 0 }.done_to(json);
    let length = payload.len();
    if !body_breaks && manner == crate::play::Manner::default() {
        exchange.sent(length);
        exchange.set(State::Complete);
        return response(200, "application/json", Reply::whole(payload));
    }
    let (parts, body) = Reply::live(true);
    tokio::spawn(async move {
        let mut outlet = BodyOutlet { parts, framing: Framing::Bare, exchange: &exchange };
        let ending = if body_breaks {
            let half = Bytes::from(payload).slice(..length / 2);
            let ending = if faults.drop_after.is_some() { Ending::Reset } else { Ending::Cut };
            outlet.send(None, half.to_vec(), crate::play::Manner { split: None, ..manner }).await.map(|()| ending)
        } else {
            outlet.send(None, payload, manner).await.map(|()| Ending::Complete)
        };
        end(&client, ending.unwrap_or(Ending::Gone), &exchange, &outlet).await;
    });
    let mut response = response(200, "application/json", body);
    set(&mut response, CONTENT_LENGTH, &length.to_string());
    response
}
