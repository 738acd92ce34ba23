//! An event stream that is asked for again whenever it ends: the connection model of WHATWG HTML §9.2.2 and §9.2.3, redirects by the
//! Fetch standard (§4.4).
//!
//! [`Source`] decides, without a socket or a clock: what to request next, how long to wait before, and when it is over. [`listen`] does
//! what it says over [`crate::http`]; each connection is one of its own in the session's journal.
//!
//! What the standard does not have is an option, off by default: other methods, bodies and fields than `EventSource` sends, statuses
//! that are tried again ([`Options::retry_on`]), growing waits ([`Options::backoff`]), a last event id to begin with.

mod body;
mod redirect;
mod source;

use std::time::Duration;

use tokio::time::sleep;
use weir_frames::sse;

use crate::http::{self, See, Seen};
use crate::{Control, Error, Journal, Mark, Request, Target};

pub use source::{Source, Statuses, Step};

/// How to go on when a connection ends.
#[derive(Clone, Debug)]
pub struct Options {
    /// Ask again at all.
    pub reconnect: bool,
    /// How often at most; `None` for ever.
    pub max_reconnects: Option<u32>,
    /// The reconnection time until the server sets another ("a few seconds" by the standard).
    pub delay: Duration,
    /// The id to send with the first request, as if an event had set it.
    pub last_event_id: String,
    /// Beyond the standard: answers with these statuses are tried again, where it gives up.
    pub retry_on: Vec<Statuses>,
    /// Beyond what the standard asks for: each attempt that fails after another doubles the wait, up to this.
    pub backoff: Option<Duration>,
    /// Connections in all, redirects among them, behind which it is over; `None` for no end.
    pub most_connections: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            reconnect: true,
            max_reconnects: None,
            delay: Duration::from_secs(3),
            last_event_id: String::new(),
            retry_on: Vec::new(),
            backoff: None,
            most_connections: None,
        }
    }
}

/// What is told of a stream as it happens.
#[derive(Debug)]
pub enum Told<'a> {
    /// A response that is no redirect has come.
    Connection {
        /// The attempt, from 1; redirects are part of it.
        n: u32,
        /// Its connection in the journal.
        conn: u32,
        /// Where it was answered.
        url: &'a str,
        /// Status code.
        status: u16,
        /// The `Last-Event-ID` that was sent, "" for none.
        last_event_id: &'a str,
    },
    /// A redirect that is followed.
    Redirect {
        /// The attempt.
        n: u32,
        /// Its connection in the journal.
        conn: u32,
        /// Status code.
        status: u16,
        /// Where to.
        url: &'a str,
    },
    /// Something stands in the stream. Spans count in the body of the connection, its content coding removed.
    Item(sse::Item<'a>),
    /// The attempt got no response, or the stream ended and is asked for again after a while.
    Waiting {
        /// The attempt that ended.
        n: u32,
        /// Why, unless the server ended the response in good order.
        error: Option<&'a Error>,
        /// Until the next attempt.
        delay: Duration,
    },
    /// The last event id cannot be sent: it holds a control character (HTTP allows none in a field). The request goes without.
    Unsendable {
        /// The id.
        last_event_id: &'a str,
    },
}

/// How a stream ended for good.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The server said 204: there is no more.
    NoContent,
    /// The server's answer is not one that the standard asks again after: another status than 200, another type, a bad redirect.
    Refused(Error),
    /// No attempt can succeed: the URL, the settings, or the server's certificate are at fault.
    Futile(Error),
    /// The stream ended, and is not to be asked for again (or not that often).
    Ended {
        /// Why the last attempt ended; `None` where the server ended its response in good order.
        error: Option<Error>,
        /// An attempt was answered with an event stream.
        opened: bool,
    },
    /// The user stopped it.
    Stopped,
}

/// Is told what happens.
pub type Tell<'a> = dyn FnMut(Told<'_>) + Send + 'a;

/// Requests `target` again and again until it is over. Connections are numbered from `first_conn`. Limits of the target hold for each of
/// them; [`Control::cancel`] and [`Control::finish`] end the stream. Waits and the end stand in the journal too, as marks.
pub async fn listen(
    target: &Target,
    request: &Request,
    options: Options,
    journal: Journal,
    first_conn: u32,
    control: &Control,
    tell: &mut Tell<'_>,
) -> End {
    let source = Source::new(target, request, options);
    run(source, &mut Sockets { journal, control }, first_conn, control, tell).await
}

/// What carries requests.
trait Wire {
    fn exchange(
        &mut self,
        target: &Target,
        request: &Request,
        conn: u32,
        see: &mut See<'_>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Something is decided behind the end of connection `conn`.
    fn mark(&mut self, _conn: u32, _mark: Mark) {}
}

struct Sockets<'a> {
    journal: Journal,
    control: &'a Control,
}

impl Wire for Sockets<'_> {
    async fn exchange(&mut self, target: &Target, request: &Request, conn: u32, see: &mut See<'_>) -> Result<(), Error> {
        self.control.progress().anew();
        http::exchange_seen(target, request, self.journal.clone(), conn, self.control, see).await
    }

    fn mark(&mut self, conn: u32, mark: Mark) {
        self.journal.mark(conn, mark);
    }
}

async fn run(mut source: Source, wire: &mut impl Wire, first_conn: u32, control: &Control, tell: &mut Tell<'_>) -> End {
    let most = source.most_connections();
    let mut conn = first_conn;
    let last = |next: u32| next.saturating_sub(1).max(first_conn);
    loop {
        match source.step() {
            Step::Send { .. } if most.is_some_and(|most| conn - first_conn >= most) => source.exhausted(conn - first_conn),
            Step::Send { target, request, unsendable } => {
                if let Some(last_event_id) = &unsendable {
                    tell(Told::Unsendable { last_event_id });
                }
                let outcome = wire
                    .exchange(&target, &request, conn, &mut |seen| match seen {
                        Seen::Head { status, headers } => source.head(status, headers, conn, tell),
                        Seen::Data(bytes) => source.body(bytes, tell),
                    })
                    .await;
                conn += 1;
                if control.is_finishing() {
                    source.stop();
                }
                source.ended(outcome, tell);
            }
            Step::Wait(delay) => {
                let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                wire.mark(last(conn), Mark::Waiting { ms, last_event_id: source.last_event_id().to_owned() });
                tokio::select! {
                    biased;
                    () = control.finishing() => source.stop(),
                    () = sleep(delay) => source.waited(),
                }
            }
            Step::Over(end) => {
                wire.mark(last(conn), Mark::Over(end.clone()));
                return end;
            }
        }
    }
}

#[cfg(test)]
mod tests;
