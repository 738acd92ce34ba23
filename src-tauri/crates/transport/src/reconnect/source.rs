//! The decisions of an event source.

use std::fmt::{self, Display, Formatter};
use std::mem;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::Duration;

use ::http::HeaderMap;
use ::http::header::{CONTENT_TYPE, HeaderValue};
use url::Url;

use super::body::Body;
use super::{End, Options, Tell, Told, redirect};
use crate::{Blame, Error, Header, Request, Target, Value};

/// The shortest wait: a server that says `retry: 0` and hangs up is not asked more often than a hundred times a second.
const SHORTEST: Duration = Duration::from_millis(10);

/// Statuses by number (`503`) or class (`5xx`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    first: u16,
    last: u16,
}

impl Statuses {
    fn contain(&self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }
}

impl Display for Statuses {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}xx", self.first / 100) }
    }
}

impl FromStr for Statuses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("«{text}» is no status: write one like 503, or a class like 5xx");
        let text = text.trim();
        let (first, last) = match text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
            Some(class) => class.parse::<u16>().map(|class| (class.saturating_mul(100), class.saturating_mul(100) + 99)),
            None => text.parse::<u16>().map(|status| (status, status)),
        }
        .map_err(|_| wrong())?;
        if text.len() == 3 && first >= 400 && last <= 599 { Ok(Self { first, last }) } else { Err(wrong()) }
    }
}

/// What is to be done next.
#[derive(Debug)]
pub enum Step {
    /// Send this, tell [`Source::head`] and [`Source::body`] of the answer, and [`Source::ended`] of its end.
    Send {
        /// Where to.
        target: Box<Target>,
        /// What.
        request: Box<Request>,
        /// A last event id that had to be left out.
        unsendable: Option<String>,
    },
    /// Wait, then [`Source::waited`].
    Wait(Duration),
    /// Nothing more.
    Over(End),
}

/// An event source: see the [module](super).
pub struct Source {
    target: Target,
    request: Request,
    options: Options,
    last_event_id: String,
    /// The reconnection time in force.
    retry: Duration,
    /// Attempts so far.
    attempts: u32,
    /// Attempts that failed since the last stream.
    failures: u32,
    opened: bool,
    state: State,
}

enum State {
    /// A request is to be sent, after that many redirects.
    Ready(Hop),
    /// It was sent.
    Sent(Hop),
    /// An event stream comes; what is wrong with it.
    Open(Box<Body>, Option<Error>),
    /// The answer's status is one to be tried again.
    Again(Error),
    Waiting(Duration),
    Over(End),
}

struct Hop {
    url: Url,
    request: Request,
    redirects: u32,
    /// The id it carries.
    last_event_id: String,
    unsendable: Option<String>,
}

impl Source {
    /// A source that has yet to be asked. Fields that `EventSource` sends are added where the request has none; a `Last-Event-ID` of the
    /// request's own counts as [`Options::last_event_id`].
    pub fn new(target: &Target, request: &Request, options: Options) -> Self {
        let mut request = request.clone();
        let mut last_event_id = options.last_event_id.clone();
        request.headers.retain(|header| {
            let own = header.name.eq_ignore_ascii_case("last-event-id");
            if let (true, Value::Plain(id)) = (own, &header.value) {
                last_event_id.clone_from(id);
            }
            !own
        });
        for (name, value) in [("Accept", "text/event-stream"), ("Cache-Control", "no-cache")] {
            if !request.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name)) {
                request.headers.push(Header { name: name.into(), value: Value::Plain(value.into()) });
            }
        }
        let mut source = Self {
            target: target.clone(),
            retry: options.delay,
            request,
            options,
            last_event_id,
            attempts: 0,
            failures: 0,
            opened: false,
            state: State::Over(End::Stopped),
        };
        source.begin();
        source
    }

    /// The last event id, "" for none.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The reconnection time in force.
    pub fn retry(&self) -> Duration {
        self.retry
    }

    /// Connections in all that it may make.
    pub fn most_connections(&self) -> Option<u32> {
        self.options.most_connections
    }

    /// It has made as many connections as it may.
    pub fn exhausted(&mut self, connections: u32) {
        let error =
            Error::new(Blame::Local, "connections", format!("It has made {connections} connections, as many as one session holds."))
                .evidence(format!("{} attempts", self.attempts))
                .next("Begin another session, with the last event id to go on from.");
        self.state = State::Over(End::Ended { error: Some(error), opened: self.opened });
    }

    /// An attempt from the start: at the URL that was given, wherever the last one was redirected to.
    fn begin(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
        let url = match Url::parse(&self.target.url) {
            Ok(url) => url,
            Err(error) => {
                let error = Error::new(Blame::User, "bad-url", "This is no address.")
                    .evidence(error.to_string())
                    .next("Write the whole address, e.g. https://example.com/events.");
                self.state = State::Over(End::Futile(error));
                return;
            }
        };
        let mut request = self.request.clone();
        let mut unsendable = None;
        let mut sent = String::new();
        if !self.last_event_id.is_empty() {
            // A field's value cannot hold control characters. Failing every attempt from here on would be the worse answer.
            if HeaderValue::from_bytes(self.last_event_id.as_bytes()).is_ok() {
                sent.clone_from(&self.last_event_id);
                request.headers.push(Header { name: "Last-Event-ID".into(), value: Value::Plain(sent.clone()) });
            } else {
                unsendable = Some(self.last_event_id.clone());
            }
        }
        self.state = State::Ready(Hop { url, request, redirects: 0, last_event_id: sent, unsendable });
    }

    /// What is to be done next.
    pub fn step(&mut self) -> Step {
        match mem::replace(&mut self.state, State::Over(End::Stopped)) {
            State::Ready(mut hop) => {
                let target =
                    if hop.redirects == 0 { self.target.clone() } else { Target { url: hop.url.to_string(), ..self.target.clone() } };
                let step =
                    Step::Send { target: Box::new(target), request: Box::new(hop.request.clone()), unsendable: hop.unsendable.take() };
                self.state = State::Sent(hop);
                step
            }
            State::Waiting(delay) => {
                self.state = State::Waiting(delay);
                Step::Wait(delay)
            }
            State::Over(end) => {
                self.state = State::Over(end.clone());
                Step::Over(end)
            }
            // Whoever asks in the middle of an exchange has given it up.
            State::Sent(_) | State::Open(..) | State::Again(_) => Step::Over(End::Stopped),
        }
    }

    /// The wait is over.
    pub fn waited(&mut self) {
        if matches!(self.state, State::Waiting(_)) {
            self.begin();
        }
    }

    /// The user wants no more.
    pub fn stop(&mut self) {
        if !matches!(self.state, State::Over(_)) {
            self.state = State::Over(End::Stopped);
        }
    }

    /// The answer's head has come over connection `conn`. With a break, nothing of its body is wanted.
    pub fn head(&mut self, status: u16, headers: &HeaderMap, conn: u32, tell: &mut Tell<'_>) -> ControlFlow<()> {
        let State::Sent(hop) = mem::replace(&mut self.state, State::Over(End::Stopped)) else { return ControlFlow::Break(()) };
        let n = self.attempts;
        if redirect::is_followed(status) {
            self.state = match self.follow(hop, status, headers) {
                Ok(hop) => {
                    tell(Told::Redirect { n, conn, status, url: hop.url.as_str() });
                    State::Ready(hop)
                }
                Err(error) => State::Over(End::Refused(error)),
            };
            return ControlFlow::Break(());
        }
        // As the user wrote it, with the mark for the key.
        let url = if hop.redirects == 0 { self.target.url.as_str() } else { hop.url.as_str() };
        tell(Told::Connection { n, conn, url, status, last_event_id: &hop.last_event_id });
        let refusal = match status {
            200 if is_event_stream(headers) => match Body::new(headers, &self.last_event_id) {
                Ok(body) => {
                    self.failures = 0;
                    self.opened = true;
                    self.state = State::Open(Box::new(body), None);
                    return ControlFlow::Continue(());
                }
                Err(error) => error,
            },
            200 => {
                let media = headers.get_all(CONTENT_TYPE).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>();
                let seen = if media.is_empty() { "there is no Content-Type".into() } else { format!("Content-Type: {}", media.join(", ")) };
                Error::new(Blame::Peer, "not-an-event-stream", "The answer is no event stream.").evidence(seen).next(
                    "An event stream is text/event-stream (WHATWG HTML §9.2.5). Check the address, and what the server wants to be asked.",
                )
            }
            204 => {
                self.state = State::Over(End::NoContent);
                return ControlFlow::Break(());
            }
            status => Error::new(Blame::Peer, "status", format!("The server answered with status {status}."))
                .evidence(format!("{status}, where an event stream has 200 (WHATWG HTML §9.2.3)"))
                .next("By the standard this is final; statuses can be chosen to be tried again."),
        };
        self.state = if self.options.retry_on.iter().any(|statuses| statuses.contain(status)) {
            State::Again(refusal)
        } else {
            State::Over(End::Refused(refusal))
        };
        ControlFlow::Break(())
    }

    fn follow(&self, hop: Hop, status: u16, headers: &HeaderMap) -> Result<Hop, Error> {
        if hop.redirects == redirect::MOST {
            return Err(Error::new(Blame::Peer, "redirects", "The server redirects without end.")
                .evidence(format!("{} redirects, the last from {}", redirect::MOST, hop.url))
                .next("The server is at fault; ask for the address that it should have pointed to."));
        }
        let url = redirect::target(&hop.url, status, headers)?;
        let request = redirect::request(hop.request, status, &hop.url, &url);
        Ok(Hop { url, request, redirects: hop.redirects + 1, ..hop })
    }

    /// The next bytes of the body. With a break, nothing more of it is wanted: it cannot be decoded.
    pub fn body(&mut self, bytes: &[u8], tell: &mut Tell<'_>) -> ControlFlow<()> {
        let State::Open(body, broken) = &mut self.state else { return ControlFlow::Break(()) };
        *broken = body.push(bytes, tell).err();
        let flow = if broken.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        self.retry = body.retry().unwrap_or(self.retry);
        if self.last_event_id != body.last_event_id() {
            body.last_event_id().clone_into(&mut self.last_event_id);
        }
        flow
    }

    /// The exchange is over.
    pub fn ended(&mut self, outcome: Result<(), Error>, tell: &mut Tell<'_>) {
        let error = match mem::replace(&mut self.state, State::Over(End::Stopped)) {
            State::Open(mut body, broken) => {
                body.finish(tell);
                self.retry = body.retry().unwrap_or(self.retry);
                body.last_event_id().clone_into(&mut self.last_event_id);
                broken.or(outcome.err())
            }
            State::Again(error) => {
                self.failures = self.failures.saturating_add(1);
                Some(error)
            }
            State::Sent(_) => {
                self.failures = self.failures.saturating_add(1);
                match outcome {
                    Err(error) if is_futile(&error) => {
                        self.state = State::Over(End::Futile(error));
                        return;
                    }
                    outcome => outcome.err(),
                }
            }
            // A redirect was followed, or it is over: how the connection went down does not matter.
            state @ (State::Ready(_) | State::Waiting(_) | State::Over(_)) => {
                self.state = state;
                return;
            }
        };
        if error.as_ref().is_some_and(|error| error.code == "cancelled") {
            return;
        }
        let used_up = self.options.max_reconnects.is_some_and(|most| self.attempts > most);
        self.state = if self.options.reconnect && !used_up {
            let delay = self.delay();
            tell(Told::Waiting { n: self.attempts, error: error.as_ref(), delay });
            State::Waiting(delay)
        } else {
            State::Over(End::Ended { error, opened: self.opened })
        };
    }

    /// How long to wait now.
    fn delay(&self) -> Duration {
        let base = self.retry.max(SHORTEST);
        match self.options.backoff {
            Some(most) if self.failures > 1 => {
                let factor = 1_u32.checked_shl(self.failures - 1).unwrap_or(u32::MAX);
                // The server's own time may be above the cap.
                base.saturating_mul(factor).min(most.max(base))
            }
            _ => base,
        }
    }
}

/// An error that no later attempt can be without.
fn is_futile(error: &Error) -> bool {
    matches!(error.blame, Blame::User | Blame::Configuration)
        || matches!(error.code.as_str(), "tls-name" | "tls-untrusted" | "tls-expired" | "http-version")
}

/// Whether the type is `text/event-stream`, with any parameters (Fetch, "extract a MIME type": of several the last valid one counts).
fn is_event_stream(headers: &HeaderMap) -> bool {
    let token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    let values: Vec<String> =
        headers.get_all(CONTENT_TYPE).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    let essences = values.iter().flat_map(|value| members(value)).map(|member| member.split(';').next().unwrap_or_default().trim());
    let valid = essences.filter(|essence| essence.split_once('/').is_some_and(|(kind, of)| token(kind) && token(of) && *essence != "*/*"));
    valid.last().is_some_and(|essence| essence.eq_ignore_ascii_case("text/event-stream"))
}

/// The members of a field's list; a comma inside quotes separates nothing.
fn members(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}
