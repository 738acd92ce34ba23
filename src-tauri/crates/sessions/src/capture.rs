//! From the wire to the disk and the fold: one thread a session takes what the taps logged, records it, then analyses it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use weir_recordings::{Finished, Recorder};
use weir_transport::{Entry, JournalReader};

use crate::analysis::Told;
use crate::session::Session;
use crate::view::{BlockKind, OutcomeKind};
use crate::{Error, log};

/// Told every delta as it is decoded, on the capture's thread.
pub type Tell = Box<dyn FnMut(Told<'_>) + Send>;

/// Entries analysed under one hold of the session's lock: about a quarter of a megabyte of reads.
const STEP: usize = 16;

/// Starts the thread. It ends when all writers of the journal are gone.
pub fn start(reader: JournalReader, recorder: Recorder, session: Arc<Session>, tell: Option<Tell>) -> Result<(), Error> {
    let name = format!("capture {}", session.id());
    std::thread::Builder::new().name(name).spawn(move || guarded(reader, recorder, &session, tell)).map(|_| ()).map_err(|error| {
        Error::new(
            "local",
            "thread",
            "The system gives no thread to record with.",
            "Nothing was sent.",
            error.to_string(),
            "Close other programs, then send again.",
        )
    })
}

/// Whatever goes wrong on this thread, in `tell` too, those who wait for the session learn that it is over.
fn guarded(reader: JournalReader, recorder: Recorder, session: &Arc<Session>, tell: Option<Tell>) {
    let ran = catch_unwind(AssertUnwindSafe(|| run(reader, &recorder, session, tell)));
    if ran.is_err() {
        session.fail(Error::new(
            "local",
            "panic",
            "Weir failed while it took the reply.",
            "What was recorded by then is kept.",
            "The capture's thread panicked; the message is on standard error.",
            "This is a fault of Weir: please report it with the recording.",
        ));
        session.control().cancel();
        let _ = catch_unwind(AssertUnwindSafe(|| session.analysis().end(&mut |_| {})));
        session.over();
    }
}

fn run(mut reader: JournalReader, recorder: &Recorder, session: &Arc<Session>, mut tell: Option<Tell>) {
    let mut told = |delta: Told<'_>| {
        session.line().hear(delta.delta);
        if let Some(tell) = &mut tell {
            tell(delta);
        }
    };
    let mut finishing = false;
    while let Some(batch) = reader.recv_batch_blocking(Duration::from_secs(3600)) {
        if batch.is_empty() {
            continue;
        }
        record(&batch, recorder, session);
        for step in batch.chunks(STEP) {
            let mut analysis = session.analysis();
            for entry in step {
                analysis.push(entry, &mut told);
            }
            if analysis.ended() && session.plan().draft.reused && analysis.again_at().is_none() {
                session.line().warm();
                continue;
            }
            if !finishing && analysis.ended() && !session.plan().keeps_open() {
                finishing = true;
                drop(analysis);
                session.control().finish();
            }
        }
        session.notify();
    }
    // Closing order matters to those who wait for the end: first everything is on disk, then the session says it is over.
    session.analysis().end(&mut told);
    let finished = summary(session);
    if let Err(error) = recorder.finish(finished) {
        session.fail(error.into());
    }
    session.end(&mut told);
}

fn record(batch: &[Entry], recorder: &Recorder, session: &Arc<Session>) {
    if let Err(error) = recorder.append(batch.iter().map(log::record).collect()) {
        // A recording that silently lacks bytes would be worse than a stopped one.
        session.fail(error.into());
        session.control().cancel();
    }
}

/// The columns of the list and the search, from the fold.
pub fn summary(session: &Session) -> Finished {
    let outcome = session.outcome();
    let analysis = session.analysis();
    let metrics = analysis.metrics();
    let kind = match outcome.as_ref().map(|o| o.kind) {
        Some(OutcomeKind::Complete) => "complete",
        Some(OutcomeKind::Cancelled) => "cancelled",
        Some(OutcomeKind::Failed) => "failed",
        Some(OutcomeKind::Cut) | None => "cut",
    };
    let text = [BlockKind::Text, BlockKind::Refusal].map(|kind| analysis.fold.folded.text(kind)).concat();
    Finished {
        outcome: kind.into(),
        reply: session.without_secret(text),
        reasoning: session.without_secret(analysis.fold.folded.text(BlockKind::Reasoning)),
        frames: u64::from(metrics.frames),
        bytes_down: metrics.bytes_down,
        bytes_up: metrics.bytes_up,
        ttft_ms: metrics.ttft_ms,
        total_ms: metrics.total_ms.unwrap_or_default(),
        status: analysis.fold.status.as_ref().map(|s| s.code),
        summary: serde_json::json!({ "metrics": metrics, "problem": outcome.and_then(|o| o.problem) }).to_string(),
    }
}
