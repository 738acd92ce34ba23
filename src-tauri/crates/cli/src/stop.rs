//! Ctrl-C and its kin.

use weir_sessions::Error;

/// The signals that ask a program to end.
pub struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    /// Listens from now on: none of them ends the process by itself any more.
    ///
    /// # Errors
    /// The system tells no signals.
    pub fn new() -> Result<Self, Error> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let listen = |kind| signal(kind).map_err(|error| untold(&error));
            Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Resolves at the next one.
    pub async fn asked(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
fn untold(error: &std::io::Error) -> Error {
    Error::new(
        "local",
        "signals",
        "The system tells no signals, so this could not be stopped.",
        "Nothing was started.",
        error.to_string(),
        "Close other programs, then try again.",
    )
}
