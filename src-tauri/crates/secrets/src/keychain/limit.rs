//! A time limit on calls that cannot be cancelled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::error::Obstacle;

/// A hung keychain keeps the thread that asked it. From this many on, no further thread is spent on it.
const MOST_HUNG: usize = 8;

/// Counts the calls that were given up and have not come back.
#[derive(Clone, Default)]
pub(crate) struct Hung(Arc<AtomicUsize>);

impl Hung {
    /// Runs `call` on a thread of its own and waits `limit` for it. A call given up goes on in its thread; its result is dropped.
    pub(crate) fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl FnOnce() -> Result<T, Obstacle> + Send + 'static,
    ) -> Result<T, Obstacle> {
        let hung = self.0.load(Ordering::Acquire);
        if hung >= MOST_HUNG {
            return Err(Obstacle::Timeout(format!("{hung} earlier calls still have no answer.")));
        }
        let (answer, answered) = sync_channel(0);
        let count = self.0.clone();
        let spawned = thread::Builder::new().name("keychain".into()).spawn(move || {
            let result =
                catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(Obstacle::Failed("The keychain library panicked.".into())));
            // With no room in the channel, sending fails exactly when the caller has given up and counted this call as hung.
            if answer.send(result).is_err() {
                count.fetch_sub(1, Ordering::AcqRel);
            }
        });
        if let Err(cause) = spawned {
            return Err(Obstacle::Failed(format!("No thread could be started: {cause}")));
        }
        match answered.recv_timeout(limit) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => {
                // Counted before the receiver goes, so that the call cannot come back uncounted.
                self.0.fetch_add(1, Ordering::AcqRel);
                drop(answered);
                Err(Obstacle::timeout(limit))
            }
            Err(RecvTimeoutError::Disconnected) => Err(Obstacle::Failed("The keychain's thread ended without an answer.".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_hung_call_ends_at_the_limit_and_hung_calls_do_not_pile_up() {
        let hung = Hung::default();
        let (release, gate) = channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        for _ in 0..MOST_HUNG {
            let gate = gate.clone();
            let result = hung.within(Duration::from_millis(5), move || {
                let _ = gate.lock().unwrap().recv();
                Ok(())
            });
            assert!(matches!(result, Err(Obstacle::Timeout(text)) if text.contains("0.005 s")));
        }
        let refused = hung.within(Duration::from_secs(60), || Ok(()));
        assert!(matches!(refused, Err(Obstacle::Timeout(text)) if text.starts_with("8 earlier")));
        drop(release);
        let begun = Instant::now();
        while hung.0.load(Ordering::Acquire) > 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "the calls that came back are still counted");
            thread::yield_now();
        }
        assert_eq!(hung.within(Duration::from_secs(60), || Ok(7)), Ok(7));
    }

    #[test]
    fn a_panic_in_the_library_is_an_error() {
        let result = Hung::default().within(Duration::from_secs(60), || -> Result<(), Obstacle> { panic!("on purpose") });
        assert!(matches!(result, Err(Obstacle::Failed(_))));
    }
}
