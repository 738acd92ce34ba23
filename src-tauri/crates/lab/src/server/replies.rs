//! A dialect's reply over HTTP: streamed event by event, or whole once its time has passed.

use std::sync::Arc;

use ::http::Response;
use ::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};

use super::body::{BodyOutlet, Reply};
use super::gateway::live;
use super::http::{Asked, BROKEN_BY_LAB, aside, refusal, response, set, set_all, size};
use super::tapes::{self, Tape};
use super::{Client, held};
use crate::connections::{Exchange, State, Transport};
use crate::dialects::{Aside, Event, Recall, Render};
use crate::fault::{Faults, JsonInstead};
use crate::framing::Framing;
use crate::models::Behaviour;
use crate::pace::Shape;
use crate::play::{Damage, Ending, Outlet, length, play};
use crate::rejection::Rejection;
use crate::script::Script;
use crate::settings::Settings;

/// What is needed to say a reply.
pub(super) struct Part {
    pub script: Script,
    pub render: Box<dyn Render>,
    pub settings: Settings,
    pub faults: Faults,
    pub start: Instant,
}

pub(super) async fn reply(asked: Asked, body: &[u8]) -> Response<Reply> {
    let start = Instant::now();
    let dialect = asked.dialect();
    let request = asked.read(body);
    match dialect.recalls(&request) {
        Some(Ok(recall)) => return recalled(&asked, recall, dialect.framing(&request)),
        Some(Err(rejection)) => return refuse(&asked, &rejection),
        None => {}
    }
    if let Some(answer) = dialect.aside(&request) {
        return aside(&asked, answer);
    }
    let read = dialect.read(&request).and_then(|(ask, render)| ask.check().map(|()| (ask, render)));
    let (mut ask, render) = match read {
        Ok(read) => read,
        Err(rejection) => return refuse(&asked, &rejection),
    };
    if let Some(previous) = &ask.previous {
        match held(&asked.client.shared.conversations).tokens(previous) {
            Some(tokens) => ask.prompt_tokens += tokens,
            None => return refuse(&asked, &Rejection::no_previous(previous)),
        }
    }
    let streamed = ask.stream && asked.terms.faults.json != Some(JsonInstead::Reply);
    let transport = if streamed { dialect.streams_as(&request) } else { Transport::Http };
    let framing = dialect.framing(&request);
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
    if let Some(rejection) = dialect.withheld(&script).filter(|_| !streamed) {
        return refuse(&asked, &rejection);
    }
    let head = dialect.head(&script);
    // Padding is made for a connection, not for a tape.
    let padded = faults.huge_line.or(faults.oversized).is_some();
    if let Some(name) = dialect.keeps(&request, &script).filter(|_| !padded) {
        let exchange = asked.begin_sound(transport);
        exchange.expect(script.tokens());
        if script.tokens() > tapes::EVENTS {
            let most = tapes::EVENTS;
            return refuse(&asked, &Rejection::invalid(None, format!("A reply that is to be kept has at most {most} tokens.")));
        }
        let tape = held(&asked.client.shared.tapes).begin(name.clone());
        let mut stopping = asked.client.shared.stopping.subscribe();
        let recording = tapes::record(tape.clone(), script, render, settings, start, exchange);
        tokio::spawn(async move {
            tokio::select! {
                () = recording => {}
                // A Lab that stops says no more.
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        });
        if !streamed {
            return accepted(&asked, &tape).await;
        }
        let mut response = hear(&asked, tape, 0, framing);
        set_all(&mut response, head);
        return response;
    }
    let exchange = asked.begin(transport);
    exchange.expect(script.tokens());
    let part = Part { script, render, settings, faults, start };
    let path = asked.head.uri.path().to_string();
    let mut response =
        if streamed { stream(asked.client, path, framing, part, exchange) } else { whole(asked.client, path, part, exchange).await };
    set_all(&mut response, head);
    response
}

/// What is done about a reply that was kept.
fn recalled(asked: &Asked, recall: Recall, framing: Framing) -> Response<Reply> {
    let name = match &recall {
        Recall::Hear(resume) => &resume.tape,
        Recall::State(name) | Recall::Cancel(name) => name,
    };
    let found = held(&asked.client.shared.tapes).find(name);
    let only_active = matches!(&recall, Recall::Hear(resume) if resume.only_active);
    let Some(tape) = found.filter(|tape| !(only_active && tape.is_over())) else {
        if only_active {
            return aside(asked, Aside { status: 204, head: Vec::new(), body: None });
        }
        return refuse(asked, &Rejection::not_kept(name));
    };
    match recall {
        Recall::Hear(resume) => {
            let at = tape.place(&resume.from);
            let head = asked.dialect().resumed_head();
            let mut response = hear(asked, tape, at, framing);
            set_all(&mut response, head);
            response
        }
        Recall::Cancel(_) => {
            tape.cancel();
            let cancelled = tape.newest(lifecycle).map(|mut state| {
                if state["status"] == "in_progress" {
                    state["status"] = "cancelled".into();
                }
                state
            });
            aside(asked, Aside { status: 200, head: Vec::new(), body: cancelled })
        }
        Recall::State(_) => aside(asked, Aside { status: 200, head: Vec::new(), body: tape.newest(lifecycle) }),
    }
}

/// The object a lifecycle event tells the reply's state by.
fn lifecycle(event: &Event) -> Option<Value> {
    let mut data: Value = serde_json::from_str(&event.data).ok()?;
    data.get_mut("response").map(Value::take)
}

/// The answer to a request that is worked on in the background and not streamed: its state at the start.
async fn accepted(asked: &Asked, tape: &Tape) -> Response<Reply> {
    tape.begun().await;
    let queued = tape.newest(lifecycle).map(|mut state| {
        state["status"] = "queued".into();
        state
    });
    aside(asked, Aside { status: 200, head: Vec::new(), body: queued })
}

/// Streams a tape from `at` on.
fn hear(asked: &Asked, tape: Arc<Tape>, at: usize, framing: Framing) -> Response<Reply> {
    let exchange = Arc::new(asked.begin(Transport::Sse));
    let faults = asked.terms.faults.clone();
    let (parts, body) = live(&asked.client, &faults, &exchange);
    let kind = faults.wrong_type.clone();
    let framing = tapes::framing(framing, &faults);
    let (client, service) = (asked.client.clone(), asked.service());
    tokio::spawn(async move {
        let mut outlet = BodyOutlet::new(parts, framing, &exchange, &faults, client.control.clone());
        let ending = tapes::follow(&tape, at, &faults, &exchange, &mut outlet).await.unwrap_or(Ending::Gone);
        if ending == Ending::Restart {
            client.deployed(&service, &faults);
        }
        end(&client, ending, &exchange, &outlet).await;
    });
    let mut response = response(200, framing.media_type(), body);
    set(&mut response, CACHE_CONTROL, "no-cache");
    if let Some(kind) = kind {
        set(&mut response, CONTENT_TYPE, &kind);
    }
    response
}

/// Refuses a request that was read, in a row that names the faults under which it came.
fn refuse(asked: &Asked, rejection: &Rejection) -> Response<Reply> {
    let exchange = asked.begin(Transport::Http);
    let response = refusal(asked.dialect(), rejection);
    exchange.sent(size(&response));
    exchange.set(State::Complete);
    response
}

fn stream(client: Client, path: String, framing: Framing, mut part: Part, exchange: Exchange) -> Response<Reply> {
    let exchange = Arc::new(exchange);
    let (parts, body) = live(&client, &part.faults, &exchange);
    let kind = part.faults.wrong_type.clone();
    let framing = match framing {
        Framing::Sse { space, .. } if part.faults.cr_only => Framing::Sse { end: "\r", space },
        framing => framing,
    };
    tokio::spawn(async move {
        let mut outlet = BodyOutlet::new(parts, framing, &exchange, &part.faults, client.control.clone());
        let ending = play(&part.script, part.render.as_mut(), &part.settings.pace, &part.faults, part.start, &exchange, &mut outlet).await;
        if ending == Ending::Restart {
            client.deployed(&path, &part.faults);
        }
        end(&client, ending, &exchange, &outlet).await;
    });
    let mut response = response(200, framing.media_type(), body);
    set(&mut response, CACHE_CONTROL, "no-cache");
    if let Some(kind) = kind {
        set(&mut response, CONTENT_TYPE, &kind);
    }
    response
}

/// Brings an exchange to the end its reply came to.
pub(super) async fn end(client: &Client, ending: Ending, exchange: &Exchange, outlet: &BodyOutlet<'_>) {
    match ending {
        Ending::Complete => exchange.set(State::Complete),
        // Dropping the exchange says it.
        Ending::Gone => {}
        // A close code means nothing to HTTP: the body just ends early.
        Ending::Reset | Ending::Cut | Ending::Restart | Ending::Close(_) => {
            exchange.set(BROKEN_BY_LAB);
            // What has been handed over is written out first; a reset would throw it away.
            sleep(SETTLE).await;
            client.control.kill(ending == Ending::Reset);
            outlet.gone().await;
        }
    }
}

/// What a gateway says that waited in vain.
const TIMED_OUT: &str =
    "<!DOCTYPE html>\n<html><head><title>504 Gateway Time-out</title></head>\n<body><h1>504 Gateway Time-out</h1></body></html>\n";

/// Time for bytes to reach the client before a reset overtakes them.
pub(super) const SETTLE: std::time::Duration = std::time::Duration::from_millis(25);

async fn whole(client: Client, path: String, part: Part, exchange: Exchange) -> Response<Reply> {
    let Part { script, mut render, settings, faults, start } = part;
    // The client waits until the last token is there. Should it leave, hyper drops this future, and the exchange with it.
    let due = start + length(&script, &settings.pace) + faults.stall.map(|stall| stall.time).unwrap_or_default();
    if let Some(time) = faults.idle_timeout.filter(|time| start + *time < due) {
        sleep_until(start + time).await;
        exchange.sent(TIMED_OUT.len());
        exchange.set(BROKEN_BY_LAB);
        return response(504, "text/html; charset=utf-8", Reply::whole(TIMED_OUT));
    }
    if let Some(deploy) = faults.deploy.filter(|deploy| !deploy.drain) {
        // Nothing can be announced to who waits for a whole reply; it goes down with the rest.
        let after = settings.pace.schedule(script.tokens()).nth(deploy.after as usize);
        if let Some(down) = after.map(|after| start + after + deploy.notice).filter(|down| *down < due) {
            sleep_until(down).await;
            exchange.set(BROKEN_BY_LAB);
            client.deployed(&path, &faults);
            client.control.kill(false);
            std::future::pending::<()>().await;
        }
    }
    sleep_until(due).await;
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
        let mut outlet = BodyOutlet::new(parts, Framing::Bare, &exchange, &Faults::default(), client.control.clone());
        let ending = if body_breaks {
            let half = Bytes::from(payload).slice(..length / 2);
            let ending = if faults.drop_after.is_some() { Ending::Reset } else { Ending::Cut };
            outlet.send(&Event::default(), half.to_vec(), crate::play::Manner { split: None, ..manner }).await.map(|()| ending)
        } else {
            outlet.send(&Event::default(), payload, manner).await.map(|()| Ending::Complete)
        };
        end(&client, ending.unwrap_or(Ending::Gone), &exchange, &outlet).await;
    });
    let mut response = response(200, "application/json", body);
    set(&mut response, CONTENT_LENGTH, &length.to_string());
    response
}
