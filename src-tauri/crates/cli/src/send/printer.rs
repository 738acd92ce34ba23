//! The reply on its way to standard output, delta by delta.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use weir_dialects::DeltaKind;
use weir_dialects::advice::{self, Advice, Cause};
use weir_recordings::RecordKind;
use weir_sessions::Session;
use weir_sessions::analysis::Told;
use weir_sessions::capture::Tell;
use weir_sessions::export::{Part, walk};
use weir_sessions::view::OutcomeKind;

use super::args::Output;
use crate::out;
use crate::summary::{self, Detail};

/// Prints what the capture tells. Clones of its state are shared with the capture's thread.
pub struct Printer {
    output: Output,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    unheard: Notify,
}

#[derive(Default)]
struct State {
    /// Text was printed, and its last character.
    last: Option<char>,
    /// Reasoning was printed on standard error since the last line end there.
    dimmed: bool,
    failed: Option<io::Error>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic could leave half done is only which line the cursor is on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Printer {
    /// A printer that has printed nothing.
    pub fn new(output: Output) -> Self {
        Self { output, shared: Arc::default() }
    }

    /// What the capture is to call.
    pub fn tell(&self) -> Tell {
        let shared = self.shared.clone();
        let (to_terminal, dim) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        match self.output {
            Output::Json(Detail::Quiet) => Box::new(|_| {}),
            Output::Json(Detail::Whole) => Box::new(move |told| shared.attempt(|_| out::json(&summary::delta(&told)))),
            Output::Text => Box::new(move |told| shared.attempt(|state| state.print(&told, to_terminal, dim))),
        }
    }

    /// Resolves once standard output cannot be written any more.
    pub async fn unheard(&self) {
        self.shared.unheard.notified().await;
    }

    /// Standard output could be written so far.
    pub fn is_heard(&self) -> bool {
        self.shared.state().failed.is_none()
    }

    /// Why standard output cannot be written, if it cannot.
    pub fn failed(&self) -> Option<io::Error> {
        self.shared.state().failed.take()
    }

    /// Prints what comes last.
    pub fn finish(&self, session: &Session) -> io::Result<()> {
        if let Output::Json(detail) = self.output {
            return out::json(&summary::of(session, detail));
        }
        let mut state = self.shared.state();
        if !session.analysis().fold.decodes {
            undecoded(session, &mut state)?;
        }
        if state.last.is_some_and(|last| last != '\n') {
            out::text("\n")?;
        }
        if state.dimmed {
            out::note("");
        }
        for call in session.analysis().fold.folded.tool_calls() {
            out::note(&format!("→ {}({})", out::printable(&call.name), out::printable(&call.arguments)));
        }
        let outcome = session.outcome();
        if let Some(problem) =
            outcome.as_ref().filter(|outcome| outcome.kind != OutcomeKind::Complete).and_then(|outcome| outcome.problem.as_ref())
        {
            out::problem(problem);
        }
        if let Some(advice) = filtered(session) {
            out::note(&format!("{} {}", advice.means, advice.next));
        }
        out::note(&crate::sessions::figures(session));
        Ok(())
    }
}

/// What there is to say of a reply that is whole for its protocol, but which a filter ended: the reason alone says little.
fn filtered(session: &Session) -> Option<Advice> {
    let analysis = session.analysis();
    let finish = analysis.fold.folded.facts.finish.as_ref()?;
    let said = advice::advice(analysis.fold.dialect.id(), 0, &finish.reason, "");
    said.filter(|advice| advice.cause == Cause::Filtered && session.outcome().is_some_and(|outcome| outcome.kind == OutcomeKind::Complete))
}

impl Shared {
    fn attempt(&self, print: impl FnOnce(&mut State) -> io::Result<()>) {
        let mut state = self.state();
        if state.failed.is_none()
            && let Err(error) = print(&mut state)
        {
            state.failed = Some(error);
            self.unheard.notify_one();
        }
    }
}

impl State {
    fn print(&mut self, told: &Told<'_>, to_terminal: bool, dim: bool) -> io::Result<()> {
        let text = &told.delta.text;
        if text.is_empty() {
            return Ok(());
        }
        match told.delta.kind {
            DeltaKind::Text | DeltaKind::Refusal => {
                if std::mem::take(&mut self.dimmed) {
                    out::note("\n");
                }
                self.last = text.chars().last();
                if to_terminal { out::text(&out::printable(text)) } else { out::text(text) }
            }
            DeltaKind::Reasoning if dim => {
                self.dimmed = true;
                // A terminal that lacks it is told nothing else either.
                let _ = write!(io::stderr().lock(), "\x1b[2m{}\x1b[22m", out::printable(text));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Prints the bytes of a response that no dialect decodes: bodies as they are, messages one a line.
fn undecoded(session: &Session, state: &mut State) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut result = Ok(());
    let walked = walk(session.log(), &mut |part| {
        result = match part {
            Part::Body { dir: RecordKind::In, bytes, .. } => {
                state.last = bytes.last().map(|&b| if b == b'\n' { '\n' } else { ' ' });
                out.write_all(bytes)
            }
            Part::Message { dir: RecordKind::In, data, .. } => {
                state.last = Some('\n');
                out.write_all(data).and_then(|()| out.write_all(b"\n"))
            }
            _ => Ok(()),
        };
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    result?;
    walked.map_err(|error| io::Error::other(error.to_string()))?;
    out.flush()
}
