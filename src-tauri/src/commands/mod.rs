//! What each command does: one file a view. Whatever may wait for a disk or a keychain runs where waiting is allowed.

pub mod compare;
pub mod compose;
pub mod console;
pub mod drill;
pub mod inspect;
pub mod keys;
pub mod lab;
pub mod library;
pub mod session;
pub mod settings;

use weir_sessions::Error;

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tauri::async_runtime::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::new(
            "local",
            "crash",
            "Weir made a mistake.",
            "This action did not finish; nothing else is affected.",
            error.to_string(),
            "Please report it with what you did.",
        )),
    }
}
