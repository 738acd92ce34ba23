//! The consoles: an SSE client and a WebSocket client with no model's API on top. Both are sessions like any other: recorded byte by
//! byte, folded by the one fold, opened again from the library.
//!
//! [`Engine::console`] plans and runs what a [`ConsoleDraft`] asks. What a console decides (to ask again, to wait, to give up) stands
//! in the log as marks, and [`Standing`] reads them: so a reopened console shows what the live one showed.

mod plan;
mod record;
mod reflexes;
mod rows;
mod say;
mod socket;
mod standing;
mod stream;

use std::sync::Arc;

use weir_transport::{Error as WireError, Journal, Target};

pub use plan::{MOST_CONNECTIONS, plan};
pub use record::Recording;
pub(crate) use reflexes::Reflexes;
pub use standing::{Standing, close_meaning};

use crate::session::Session;
use crate::view::{ConsoleDraft, ConsoleMode};
use crate::{Engine, Error, KeyChoice};

impl Engine {
    /// Runs what a console asks; the session is kept like any other. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// By code: `console-url`, `console-rule`, `console-retry-on`, `not-kept`, `lab-stopped`; those of the key that was chosen, and the
    /// library's.
    pub fn console(&self, draft: &ConsoleDraft) -> Result<Arc<Session>, Error> {
        let choice = if draft.key.is_empty() { KeyChoice::None } else { KeyChoice::Stored };
        self.run(plan(draft, &self.settings(), self.lab().as_deref())?, choice, None)
    }

    /// A console's address with the Lab's in place of `{lab}`.
    ///
    /// # Errors
    /// `lab-stopped` where the Lab is meant and does not run.
    pub fn resolved(&self, url: &str) -> Result<String, Error> {
        crate::plan::filled(url.trim(), self.lab().as_deref())
    }
}

/// Does what the session's console asks until it is over. Errors are in the log as marks.
pub(crate) async fn drive(target: &Target, draft: &ConsoleDraft, session: &Arc<Session>, journal: Journal) -> Result<(), WireError> {
    match draft.mode {
        ConsoleMode::Sse => {
            stream::run(target, draft, session, journal).await;
            Ok(())
        }
        ConsoleMode::Websocket => socket::run(target, draft, session, journal).await,
    }
}
