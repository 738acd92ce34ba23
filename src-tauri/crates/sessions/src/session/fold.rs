//! A session's log, read again from its first byte.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Session, analysis, lock};
use crate::Error;
use crate::analysis::Told;

/// How often views are told of rows meanwhile: a display frame.
const TELL: Duration = Duration::from_millis(16);

impl Session {
    /// It is one of the library, and its log is about to be read.
    pub(crate) fn reopen(&self) {
        self.live.store(false, Ordering::Release);
        *lock(&self.folding.0) = true;
    }

    /// Reads its log, in steps between which views may look.
    pub(crate) fn fold(&self) {
        /// Entries of a step, and bytes of them: a millisecond or two.
        const STEP: (usize, usize) = (256, 512 << 10);
        /// As long as somebody waits, the next step does, but no longer than this.
        const PATIENCE: Duration = Duration::from_millis(20);
        let (mut entries, mut bytes, mut broken) = (Vec::with_capacity(STEP.0), 0, None);
        let mut told = Instant::now();
        let mut push = |entries: &mut Vec<_>| {
            let mut analysis = lock(&self.analysis);
            entries.drain(..).for_each(|entry| analysis.push(&entry, &mut |_| {}));
            drop(analysis);
            if told.elapsed() > TELL {
                told = Instant::now();
                self.notify();
            }
            // A lock is not handed on in turn: whoever gives it back and asks again at once mostly has it again.
            let since = Instant::now();
            while self.waiting.load(Ordering::Acquire) > 0 && since.elapsed() < PATIENCE {
                std::thread::yield_now();
            }
        };
        let read = self.bytes.reader.records(&mut |record| {
            bytes += record.bytes.len();
            match crate::log::entry(record) {
                Ok(entry) => {
                    entries.push(entry);
                    if entries.len() == STEP.0 || bytes >= STEP.1 {
                        bytes = 0;
                        push(&mut entries);
                    }
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    broken = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        push(&mut entries);
        if let Some(error) = broken.or(read.err().map(Error::from)) {
            let _ = self.unreadable.set(error.clone());
            self.fail(error);
        }
        self.analysis().end(&mut |_| {});
        *lock(&self.folding.0) = false;
        self.folding.1.notify_all();
        self.over();
    }

    /// Folds its log once more, from the first byte, and tells every delta as the run told it, until `told` breaks off.
    ///
    /// # Errors
    /// The log cannot be read, or holds what this Weir does not know.
    pub fn retell(&self, told: &mut dyn FnMut(Told<'_>) -> ControlFlow<()>) -> Result<(), Error> {
        let mut analysis = analysis(&self.plan);
        let (mut going, mut broken) = (ControlFlow::Continue(()), None);
        self.bytes.reader.records(&mut |record| {
            match crate::log::entry(record) {
                Ok(entry) => analysis.push(&entry, &mut |delta| {
                    if going.is_continue() {
                        going = told(delta);
                    }
                }),
                Err(error) => {
                    broken = Some(error);
                    going = ControlFlow::Break(());
                }
            }
            going
        })?;
        if let Some(error) = broken {
            return Err(error);
        }
        analysis.end(&mut |delta| {
            if going.is_continue() {
                going = told(delta);
            }
        });
        Ok(())
    }

    /// Waits until its log has been read, or for that long.
    pub(crate) fn folded(&self, patience: Duration) {
        let folding = lock(&self.folding.0);
        // A panic while it was read leaves what was read.
        drop(self.folding.1.wait_timeout_while(folding, patience.min(Duration::from_secs(u32::MAX.into())), |folding| *folding));
    }
}
