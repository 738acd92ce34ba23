//! From a URL to a connection that is ready for its protocol: DNS, TCP, proxy, TLS, each with its time and its own errors.

mod connection;
mod dns;
mod proxy;
mod tcp;
mod tls;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

use tokio::time::timeout;

pub use connection::Connection;
pub(crate) use connection::{Established, Stream};

use crate::endpoint::Endpoint;
use crate::error::Stage;
use crate::progress::{Progress, Span};
use crate::redact::{Patterns, Protocol};
use crate::tap::{Count, Counted, Tap};
use crate::{Blame, Error, HttpVersion, Journal, Mark, Phase, Target};

/// Connects to `target` as connection `conn`, with [`Mark::Open`], a [`Mark::Phase`] for DNS, TCP and TLS each, and, over TLS,
/// [`Mark::TlsOverhead`]. On failure the last mark is [`Mark::Failed`].
///
/// Names are resolved by the system; all addresses are tried (RFC 8305). A literal address has a DNS phase of no time. Behind a
/// proxy, DNS and TCP are the proxy's, and TCP includes the CONNECT.
///
/// # Errors
/// By code: `bad-url`, `unsupported-scheme`, `dns`, `refused`, `unreachable`, `reset`, `timeout-connect`, `bad-proxy`,
/// `proxy-refused`, `proxy-protocol`, `bad-root`, `no-roots`, `tls-name`, `tls-untrusted`, `tls-expired`, `tls`, `http-version`.
pub async fn dial(target: &Target, journal: Journal, conn: u32) -> Result<Connection, Error> {
    let patterns = patterns(target, false).map(Arc::new);
    let count = Arc::default();
    let dialled = async {
        let opening = open(target, &journal, conn)?;
        let websocket = opening.endpoint.websocket;
        Ok::<_, Error>((establish(opening, target, &journal, conn, websocket, &count).await?, websocket))
    };
    match dialled.await {
        Ok((established, websocket)) => {
            Ok(Connection { tap: established.tap(&journal, conn, patterns.as_ref(), websocket, Arc::default()) })
        }
        Err(error) => {
            let error = error.at(Stage::Dialling).scrub(patterns.as_deref());
            journal.mark(conn, Mark::Failed(error.clone()));
            Err(error)
        }
    }
}

/// What to keep out of the log: the key, the proxy's credentials, and what else there is or will be to hide.
pub(crate) fn patterns(target: &Target, basic: bool) -> Option<Patterns> {
    let proxy =
        Endpoint::parse(target).ok().and_then(|endpoint| proxy::choose(&target.proxy, &endpoint, &proxy::environment).ok().flatten());
    let credentials = proxy.as_ref().and_then(proxy::Via::secret);
    let secrets: Vec<&str> = target.key.iter().chain(&target.hidden).map(|key| key.expose()).chain(credentials.as_deref()).collect();
    Patterns::new(&secrets, basic || credentials.is_some()).or_else(|| target.hides_later.then(Patterns::default))
}

/// Where the dial is, for the words of `timeout-connect`.
#[derive(Clone, Copy)]
enum Step {
    Dns,
    Tcp,
    Proxy,
    Tls,
}

impl Step {
    fn words(self) -> &'static str {
        match self {
            Self::Dns => "resolving the name",
            Self::Tcp => "waiting for the TCP connection",
            Self::Proxy => "waiting for the proxy to connect",
            Self::Tls => "waiting for the TLS handshake",
        }
    }
}

/// A dial that has been announced.
pub(crate) struct Opening {
    pub(crate) endpoint: Endpoint,
    /// When, in the journal's time.
    t: u64,
}

/// Writes [`Mark::Open`] and checks the URL.
pub(crate) fn open(target: &Target, journal: &Journal, conn: u32) -> Result<Opening, Error> {
    let t = journal.now();
    let endpoint = Endpoint::parse(target);
    // A URL that cannot be read may hold anything, a password too: it is not shown.
    let url = endpoint.as_ref().map_or_else(|_| String::new(), Endpoint::shown);
    // The key may have been pasted into the URL as well.
    let url = patterns(target, false).map_or_else(|| url.clone(), |patterns| patterns.scrub(&url));
    journal.mark_at(conn, t, Mark::Open { url });
    Ok(Opening { endpoint: endpoint?, t })
}

/// Dials within the connect limit. `websocket`: offer HTTP/1.1 alone. `count` is told what crosses below TLS.
pub(crate) async fn establish(
    opening: Opening,
    target: &Target,
    journal: &Journal,
    conn: u32,
    websocket: bool,
    count: &Arc<Count>,
) -> Result<Established, Error> {
    let Opening { endpoint, t: opened } = opening;
    let version = if websocket { HttpVersion::Http11 } else { target.http };
    let step = Mutex::new(Step::Dns);
    let at = |now| *step.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    // Read from disk before any clock of the connection runs.
    let tls = if endpoint.tls { Some(tls::config(target, version).await?) } else { None };
    let steps = async {
        let via = proxy::choose(&target.proxy, &endpoint, &proxy::environment)?;
        let addresses = match &via {
            Some(via) => dns::resolve(&via.host, via.port).await,
            None => dns::resolve(&endpoint.host, endpoint.port).await,
        }?;
        // A literal address needs no resolving: its phase takes no time.
        let literal = !matches!(via.as_ref().map_or(&endpoint.host, |via| &via.host), url::Host::Domain(_));
        journal.mark_at(conn, if literal { opened } else { journal.now() }, Mark::Phase(Phase::Dns { addresses: addresses.clone() }));

        at(Step::Tcp);
        let (mut tcp, peer) = tcp::connect(&addresses, &endpoint, via.as_ref()).await?;
        // Plain HTTP/1.1 is forwarded by the proxy; everything else goes through a tunnel.
        let tunnel = endpoint.tls || websocket || version == HttpVersion::Http2;
        let forward = match &via {
            Some(via) if tunnel => {
                at(Step::Proxy);
                proxy::connect(&mut tcp, via, &endpoint).await?;
                None
            }
            Some(via) => Some(via.authorization.clone()),
            None => None,
        };
        journal.mark(conn, Mark::Phase(Phase::Tcp { peer, proxied: via.is_some() }));

        let Some(tls) = tls else {
            return Ok(Established { stream: Stream::Plain(tcp), h2: version == HttpVersion::Http2, forward });
        };
        at(Step::Tls);
        let counted = Counted { inner: tcp, count: Arc::clone(count) };
        let (stream, phase, h2) = tls::handshake(counted, tls, &endpoint, target, version).await?;
        journal.mark(conn, Mark::Phase(phase));
        overhead(journal, conn, count, None);
        Ok(Established { stream, h2, forward })
    };
    let dialled = match target.limits.connect {
        None => steps.await,
        Some(limit) => timeout(limit, steps).await.unwrap_or_else(|_| {
            let step = step.lock().unwrap_or_else(std::sync::PoisonError::into_inner).words();
            Err(Error::new(Blame::Network, "timeout-connect", format!("No connection within {}.", Span(limit)))
                .evidence(format!("Stopped while {step} of {}.", endpoint.host_and_port()))
                .next("Check the address and port, and whether a firewall or a proxy stands between; or raise the connect limit."))
        }),
    };
    if dialled.is_err() {
        overhead(journal, conn, count, None);
    }
    dialled
}

/// Marks what TLS has cost so far, if there is TLS. `progress` knows what it carried.
pub(crate) fn overhead(journal: &Journal, conn: u32, count: &Count, progress: Option<&Progress>) {
    let (down, up) = (count.down.load(Relaxed), count.up.load(Relaxed));
    if down + up == 0 {
        return;
    }
    let (read, written) = progress.map_or((0, 0), |progress| (progress.read.load(Relaxed), progress.written.load(Relaxed)));
    journal.mark(conn, Mark::TlsOverhead { down: down.saturating_sub(read), up: up.saturating_sub(written) });
}

impl Established {
    /// Puts the tap on.
    pub(crate) fn tap(
        self,
        journal: &Journal,
        conn: u32,
        patterns: Option<&Arc<Patterns>>,
        websocket: bool,
        progress: Arc<Progress>,
    ) -> Tap<Stream> {
        let protocol = match self.h2 {
            true => Protocol::Http2,
            false if websocket => Protocol::WebSocket,
            false => Protocol::Http1,
        };
        Tap::with_progress(self.stream, journal.clone(), conn, patterns, protocol, progress)
    }
}

#[cfg(test)]
mod tests;
