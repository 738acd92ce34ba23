//! TCP to the first address that answers: Happy Eyeballs (RFC 8305).

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::proxy::Via;
use crate::endpoint::Endpoint;
use crate::{Blame, Error};

/// Connection Attempt Delay (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to one of `addresses`; the peer's address with it. Sets TCP_NODELAY: a request is one write that must not wait.
pub(super) async fn connect(addresses: &[SocketAddr], endpoint: &Endpoint, via: Option<&Via>) -> Result<(TcpStream, SocketAddr), Error> {
    let place = via.map_or_else(|| endpoint.host_and_port(), |via| format!("the proxy {}:{}", via.host, via.port));
    let (stream, peer) =
        race(interleave(addresses), TcpStream::connect).await.map_err(|failures| failed(&place, via.is_some(), &failures))?;
    stream.set_nodelay(true).map_err(|error| failed(&place, via.is_some(), &[(peer, error)]))?;
    Ok((stream, peer))
}

/// Alternates between the families, beginning with the preferred address's (RFC 8305, section 4).
fn interleave(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.iter().copied().partition(|address| address.is_ipv6() == first_is_v6);
    one.reverse();
    other.reverse();
    let mut order = Vec::with_capacity(addresses.len());
    while order.len() < addresses.len() {
        order.extend(one.pop());
        order.extend(other.pop());
    }
    order
}

type Failures = Vec<(SocketAddr, io::Error)>;

/// Tries each address in turn, the next one when the last has failed or after [`STAGGER`], until one succeeds.
async fn race<T, F: Future<Output = io::Result<T>>>(
    addresses: Vec<SocketAddr>,
    attempt: impl Fn(SocketAddr) -> F,
) -> Result<(T, SocketAddr), Failures> {
    let mut failures = Failures::new();
    let mut running = FuturesUnordered::new();
    let mut left = addresses.into_iter();
    let mut next_at = Instant::now();
    loop {
        let more = !left.as_slice().is_empty();
        if running.is_empty() && !more {
            return Err(failures);
        }
        tokio::select! {
            biased;
            Some((address, outcome)) = running.next(), if !running.is_empty() => match outcome {
                Ok(stream) => return Ok((stream, address)),
                Err(error) => {
                    failures.push((address, error));
                    next_at = Instant::now();
                }
            },
            () = sleep_until(next_at), if more => {
                if let Some(address) = left.next() {
                    let connecting = attempt(address);
                    running.push(async move { (address, connecting.await) });
                }
                next_at = Instant::now() + STAGGER;
            }
        }
    }
}

/// What the failures of all addresses mean together. The most telling one names the error: that something answered.
fn failed(place: &str, proxied: bool, failures: &[(SocketAddr, io::Error)]) -> Error {
    let evidence: Vec<_> = failures.iter().map(|(address, error)| format!("{address}: {error}")).collect();
    let any = |kinds: &[io::ErrorKind]| failures.iter().any(|(_, error)| kinds.contains(&error.kind()));
    let blame = if proxied { Blame::Configuration } else { Blame::Network };
    let error = if any(&[io::ErrorKind::ConnectionRefused]) {
        Error::new(blame, "refused", format!("Nothing listens at {place}.")).next(if proxied {
            "Check the proxy's address in the settings or in HTTPS_PROXY and HTTP_PROXY."
        } else {
            "Check host and port, and whether the server is running."
        })
    } else if any(&[io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionAborted]) {
        Error::new(Blame::Network, "reset", format!("The connection to {place} was reset while it was set up."))
            .next("Try again; a firewall may be closing it.")
    } else if any(&[io::ErrorKind::TimedOut]) {
        Error::new(Blame::Network, "timeout-connect", format!("{place} does not answer."))
            .next("Check host and port; a firewall may drop what it does not like.")
    } else if any(&[
        io::ErrorKind::HostUnreachable,
        io::ErrorKind::NetworkUnreachable,
        io::ErrorKind::NetworkDown,
        io::ErrorKind::AddrNotAvailable,
    ]) {
        Error::new(Blame::Network, "unreachable", format!("There is no route to {place}."))
            .next("Check whether this machine is online and whether a VPN or proxy is needed.")
    } else {
        Error::new(Blame::Local, "connect", format!("This machine could not open a connection to {place}."))
            .next("The evidence is the operating system's reason.")
    };
    error.evidence(evidence.join("; "))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::sleep;

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_alternate() {
        let order = interleave(&addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]));
        assert_eq!(order, addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]));
    }

    /// Attempts end after their port number in milliseconds, well for port 1000 and above.
    async fn run(texts: &[&str]) -> (Result<SocketAddr, usize>, Vec<(u64, u16)>) {
        let (start, log) = (Instant::now(), Mutex::new(Vec::new()));
        let outcome = race(addresses(texts), |address| {
            log.lock().unwrap().push((start.elapsed().as_millis() as u64, address.port()));
            async move {
                sleep(Duration::from_millis(address.port().into())).await;
                if address.port() >= 1000 { Ok(()) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
            }
        })
        .await;
        (outcome.map(|((), address)| address).map_err(|failures| failures.len()), log.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_address_is_overtaken_after_the_delay() {
        let (outcome, log) = run(&["[::1]:5000", "1.1.1.1:1000"]).await;
        assert_eq!(outcome.unwrap().port(), 1000);
        assert_eq!(log, [(0, 5000), (250, 1000)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_starts_the_next_at_once_and_all_are_tried() {
        let (outcome, log) = run(&["1.1.1.1:10", "1.1.1.1:20", "1.1.1.1:400", "1.1.1.1:30"]).await;
        assert_eq!(outcome, Err(4));
        assert_eq!(log, [(0, 10), (10, 20), (30, 400), (280, 30)]);
    }
}
