//! A gateway between the Lab and its client: one that holds bytes back, and one that gives up on a connection without any.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::Client;
use super::body::Reply;
use super::http::BROKEN_BY_LAB;
use super::replies::SETTLE;
use crate::connections::Exchange;
use crate::fault::{Buffering, Faults};

/// A live body, as [`Reply::live`] with `apart`, behind the gateway the faults ask for.
pub(super) fn live(client: &Client, faults: &Faults, exchange: &Arc<Exchange>) -> (mpsc::Sender<Bytes>, Reply) {
    let (to, body) = Reply::live(true);
    let (hold, idle) = (faults.buffering, faults.idle_timeout);
    if hold.is_none() && idle.is_none() {
        return (to, body);
    }
    let (sender, from) = mpsc::channel(1);
    let (control, exchange) = (client.control.clone(), exchange.clone());
    tokio::spawn(async move {
        if relay(from, &to, hold, idle).await == Passed::Silence {
            exchange.set(BROKEN_BY_LAB);
            // What was passed on is written out first.
            sleep(SETTLE).await;
            control.kill(false);
            to.closed().await;
        }
    });
    (sender, body)
}

#[derive(Debug, PartialEq, Eq)]
enum Passed {
    /// All, or as much as the client wanted.
    All,
    /// Nothing came for too long.
    Silence,
}

async fn relay(mut from: mpsc::Receiver<Bytes>, to: &mpsc::Sender<Bytes>, hold: Option<Buffering>, idle: Option<Duration>) -> Passed {
    let mut held = BytesMut::new();
    let mut due: Option<Instant> = None;
    let mut last = Instant::now();
    loop {
        let flush = tokio::select! {
            part = from.recv() => match part {
                Some(part) => {
                    held.extend_from_slice(&part);
                    due = due.or(hold.and_then(|h| h.time).map(|time| Instant::now() + time));
                    last = Instant::now();
                    held.len() >= hold.map_or(0, |h| h.bytes)
                }
                None => {
                    if !held.is_empty() {
                        // Fails when the client is gone, which ends this as well.
                        let _ = to.send(held.freeze()).await;
                    }
                    return Passed::All;
                }
            },
            () = at(due) => true,
            () = at(idle.map(|idle| last + idle)) => return Passed::Silence,
            () = to.closed() => return Passed::All,
        };
        if flush {
            due = None;
            if to.send(held.split().freeze()).await.is_err() {
                return Passed::All;
            }
            // While the client does not read, the upstream is not to blame.
            last = Instant::now();
        }
    }
}

/// Ready at a moment; never without one.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out, with its moment in milliseconds, of ten bytes every 100 ms, ten times.
    async fn through(hold: Option<Buffering>, idle: Option<Duration>, silence: u64) -> (Vec<(u128, usize)>, Passed) {
        let (upstream, from) = mpsc::channel(1);
        let (to, mut out) = mpsc::channel(1);
        let start = Instant::now();
        tokio::spawn(async move {
            for n in 0..10 {
                sleep(Duration::from_millis(if n == 5 { silence } else { 100 })).await;
                if upstream.send(Bytes::from_static(b"0123456789")).await.is_err() {
                    return;
                }
            }
        });
        let relay = tokio::spawn(async move { relay(from, &to, hold, idle).await });
        let mut got = Vec::new();
        while let Some(part) = out.recv().await {
            got.push((start.elapsed().as_millis(), part.len()));
        }
        (got, relay.await.unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_are_held_until_there_are_enough_or_the_time_is_up() {
        let (got, _) = through(Some(Buffering { bytes: 40, time: None }), None, 100).await;
        assert_eq!(got.iter().map(|g| g.1).collect::<Vec<_>>(), [40, 40, 20]);
        assert!((400..410).contains(&got[0].0) && (1000..1010).contains(&got[2].0), "{got:?}");
        let (got, _) = through(Some(Buffering { bytes: 1000, time: Some(Duration::from_millis(250)) }), None, 100).await;
        assert_eq!(got.iter().map(|g| g.1).collect::<Vec<_>>(), [30, 30, 30, 10]);
        assert!((350..360).contains(&got[0].0), "{got:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_it_and_slowness_does_not() {
        let second = Some(Duration::from_secs(1));
        let (got, how) = through(None, second, 900).await;
        assert_eq!((got.len(), how), (10, Passed::All));
        let (got, how) = through(None, second, 1100).await;
        assert_eq!((got.len(), how), (5, Passed::Silence));
    }
}
