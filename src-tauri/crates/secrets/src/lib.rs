//! Keys: held by the operating system's keychain or in memory, never printed, serialised or logged.
//!
//! The page learns that a key exists and its last four characters ([`KeyInfo`]); the engine alone reads the key, and each
//! read is on record ([`SecretUse`]). Nothing is downgraded in silence: without a keychain storing fails with a reason, and
//! keeping a key in memory is the caller's explicit choice ([`KeptIn::Memory`]).
//!
//! All calls block, for the time of a keychain's answer at most (see [`Keys`]); from async code run them on a blocking thread.

mod error;
pub mod header;
mod info;
mod keychain;
mod keys;
mod ledger;
mod redact;
mod secret;

pub use error::{Blame, Error};
pub use header::HeaderTemplate;
pub use info::{KeptIn, KeyInfo, KeyKind, SecretUse, StoreState, TestResult, Verdict};
pub use keys::Keys;
pub use redact::install_panic_redaction;
pub use secret::Secret;
