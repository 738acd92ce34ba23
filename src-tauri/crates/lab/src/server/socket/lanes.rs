//! The Responses API over WebSocket: `response.create` messages, each answered by the events SSE would carry. Messages with the
//! same `stream_id`, or without one, are answered one after the other; different lanes run side by side.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::super::http::Asked;
use super::super::{Client, held};
use super::{Packet, SocketOutlet};
use crate::ask::{self, Ask};
use crate::connections::{Exchange, State, Transport};
use crate::conversations::Conversations;
use crate::dialects::openai_responses::{self, Events};
use crate::models::Behaviour;
use crate::overrides::Terms;
use crate::pace::Shape;
use crate::play::{Ending, play};
use crate::rejection::{Reason, Rejection};
use crate::script::Script;

/// Lanes of one connection.
const LANES: usize = 64;
/// Requests waiting in one lane.
const WAITING: usize = 64;

/// All lanes of a connection.
pub(super) struct Lanes {
    shared: Arc<Shared>,
    lanes: HashMap<Option<String>, mpsc::Sender<Job>>,
    begun: u64,
}

struct Shared {
    client: Client,
    path: String,
    terms: Terms,
    exchange: Arc<Exchange>,
    out: mpsc::Sender<Packet>,
    /// What this connection said; nothing outlives it.
    said: Mutex<Conversations>,
    /// Replies under way.
    running: AtomicUsize,
}

struct Job {
    ask: Ask,
    events: Events,
    /// False only warms up: an id to go on from, and no output.
    generate: bool,
    lane: Option<String>,
    ordinal: u64,
}

impl Lanes {
    pub(super) fn new(asked: &Asked, exchange: Arc<Exchange>, out: mpsc::Sender<Packet>) -> Lanes {
        let terms = asked.terms.clone();
        let said = Mutex::default();
        let (client, path) = (asked.client.clone(), asked.head.uri.path().to_string());
        Lanes {
            shared: Arc::new(Shared { client, path, terms, exchange, out, said, running: AtomicUsize::new(0) }),
            lanes: HashMap::new(),
            begun: 0,
        }
    }

    /// Takes a message: puts it into its lane, or answers with an error frame.
    pub(super) fn message(&mut self, message: Message, tasks: &mut JoinSet<()>) -> Vec<Packet> {
        if self.shared.terms.faults.empty {
            return vec![Packet::close(1000)];
        }
        let bytes = message.into_data();
        let body = match ask::object(&bytes) {
            Ok(body) => body,
            Err(rejection) => return vec![error(&rejection, None)],
        };
        let lane = body.get("stream_id").and_then(Value::as_str).map(str::to_string);
        match self.take(&body, lane.clone(), tasks) {
            Ok(()) => Vec::new(),
            Err(rejection) => vec![error(&rejection, lane.as_deref())],
        }
    }

    fn take(&mut self, body: &Value, lane: Option<String>, tasks: &mut JoinSet<()>) -> Result<(), Rejection> {
        match body.get("type").and_then(Value::as_str) {
            Some("response.create") => {}
            Some(other) => {
                return Err(Rejection::invalid(Some("type"), format!("The event type '{other}' is not supported here.")));
            }
            None => {
                return Err(Rejection::invalid(Some("type"), "Missing required parameter: 'type'."));
            }
        }
        let (ask, events) = openai_responses::read(body)?;
        ask.check()?;
        self.begun += 1;
        let generate = body.get("generate") != Some(&Value::Bool(false));
        let job = Job { ask, events, generate, lane: lane.clone(), ordinal: self.begun };
        if !self.lanes.contains_key(&lane) {
            if self.lanes.len() >= LANES {
                return Err(Rejection::invalid(Some("stream_id"), format!("A connection has at most {LANES} lanes.")));
            }
            let (sender, jobs) = mpsc::channel(WAITING);
            tasks.spawn(work(self.shared.clone(), jobs));
            self.lanes.insert(lane.clone(), sender);
        }
        // A lane lives as long as its connection, so only a full one refuses.
        self.lanes[&lane].try_send(job).map_err(|_| Rejection {
            status: 429,
            reason: Reason::RateLimit,
            kind: "rate_limit_exceeded",
            code: Some("rate_limit_exceeded"),
            ..Rejection::invalid(None, format!("{WAITING} requests are waiting in this lane already."))
        })
    }
}

async fn work(shared: Arc<Shared>, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.recv().await {
        if shared.running.fetch_add(1, Relaxed) == 0 {
            shared.exchange.set(State::Streaming);
        }
        let end = answer(&shared, job).await;
        if shared.running.fetch_sub(1, Relaxed) == 1 {
            shared.exchange.set(State::Idle);
        }
        if let Some(packet) = end {
            // Fails when the connection is gone, which ends this lane as well.
            let _ = shared.out.send(packet).await;
        }
    }
}

/// Says one reply; what is to be done to the socket after it, if anything.
async fn answer(shared: &Shared, mut job: Job) -> Option<Packet> {
    let faults = &shared.terms.faults;
    if let Some(previous) = &job.ask.previous {
        let tokens = held(&shared.said).tokens(previous);
        match tokens {
            Some(tokens) => job.ask.prompt_tokens += tokens,
            None => {
                return Some(error(&Rejection::no_previous(previous), job.lane.as_deref()));
            }
        }
    }
    let mut settings = shared.terms.settings.clone();
    if job.ask.model.behaviour == Behaviour::Bursty {
        settings.pace.shape = Shape::Bursty;
    }
    let mut script = Script::compose(&job.ask, Transport::Ws, &settings, faults.split_utf8.is_some());
    script.renumber(job.ordinal);
    let id = openai_responses::response_id(&script);
    if !job.generate {
        held(&shared.said).keep(id, script.usage().prompt);
        for event in job.events.warm_up(&script) {
            shared.out.send(Packet::text(event.data.as_bytes())).await.ok()?;
        }
        return None;
    }
    shared.exchange.expect(script.tokens());
    let mut outlet = SocketOutlet::new(shared.out.clone(), faults, false, Arc::default());
    let start = Instant::now();
    let ending = play(&script, &mut job.events, &settings.pace, faults, start, &shared.exchange, &mut outlet).await;
    match ending {
        Ending::Complete => {
            held(&shared.said).keep(id, script.usage().total());
            // With nothing to end it, only the socket's end can.
            faults.no_end_marker.then(|| Packet::close(1000))
        }
        Ending::Gone => None,
        Ending::Reset => Some(Packet::Kill { reset: true }),
        Ending::Cut => Some(Packet::Kill { reset: false }),
        Ending::Close(code) => Some(Packet::close(code)),
        Ending::Restart => {
            shared.client.deployed(&shared.path, faults);
            Some(Packet::close(1012))
        }
    }
}

fn error(rejection: &Rejection, lane: Option<&str>) -> Packet {
    let mut frame = json!({
        "type": "error",
        "status": rejection.status,
        "error": {
            "type": rejection.kind,
            "code": rejection.code,
            "message": rejection.message,
            "param": rejection.param,
        },
    });
    if let Some(lane) = lane {
        frame["stream_id"] = lane.into();
    }
    Packet::text(frame.to_string().as_bytes())
}
