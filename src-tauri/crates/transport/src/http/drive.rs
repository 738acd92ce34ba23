//! Polls a hyper connection, the tasks it spawns and the exchange over it, all in the caller's task.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::rt::Executor;
use tokio::time::timeout;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An executor that only collects: whoever drives the connection polls what hyper spawned, so that it ends with the connection.
#[derive(Clone, Default)]
pub(super) struct Spawned(Arc<Mutex<Vec<Task>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Spawned {
    fn execute(&self, task: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(task));
    }
}

/// How many body frames were taken: while there is progress, connection and exchange take turns without going through the runtime.
#[derive(Default)]
pub(super) struct Drained(AtomicU64);

impl Drained {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Rounds without giving the runtime (and the time limits) a turn.
const ROUNDS: usize = 64;

/// How long a connection may take to say goodbye.
const FAREWELL: Duration = Duration::from_millis(100);

struct Driver<C> {
    connection: Option<Pin<Box<C>>>,
    spawned: Spawned,
    tasks: FuturesUnordered<Task>,
    error: Option<hyper::Error>,
}

impl<C: Future<Output = hyper::Result<()>>> Driver<C> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(connection) = &mut self.connection
                && let Poll::Ready(outcome) = connection.as_mut().poll(cx)
            {
                // Dropped right away: whoever still waits for it learns that it is gone.
                self.connection = None;
                self.error = outcome.err();
            }
            while let Poll::Ready(Some(())) = self.tasks.poll_next_unpin(cx) {}
            let mut new = self.spawned.0.lock().unwrap_or_else(PoisonError::into_inner);
            if new.is_empty() {
                break;
            }
            self.tasks.extend(new.drain(..));
        }
        if self.connection.is_none() && self.tasks.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Drives until `respond` is over. Its error comes first, the connection's after it. With `farewell` the connection may then end
/// by itself for a moment.
pub(super) async fn drive<C>(
    connection: Pin<Box<C>>,
    spawned: Spawned,
    respond: impl Future<Output = hyper::Result<()>>,
    drained: &Drained,
    farewell: bool,
) -> Result<(), Vec<hyper::Error>>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut driver = Driver { connection: Some(connection), spawned, tasks: FuturesUnordered::new(), error: None };
    let outcome = {
        let mut respond = pin!(respond);
        poll_fn(|cx| {
            for _ in 0..ROUNDS {
                let _ = driver.poll(cx);
                let before = drained.get();
                if let Poll::Ready(outcome) = respond.as_mut().poll(cx) {
                    return Poll::Ready(outcome);
                }
                let spawned = !driver.spawned.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
                if drained.get() == before && !spawned {
                    return Poll::Pending;
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    };
    match outcome {
        Ok(()) => {
            if farewell {
                // It is a courtesy: what comes of it does not change the outcome.
                let _ = timeout(FAREWELL, poll_fn(|cx| driver.poll(cx))).await;
            }
            Ok(())
        }
        Err(error) => Err([error].into_iter().chain(driver.error).collect()),
    }
}
