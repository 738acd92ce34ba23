//! Runs a plan, folds its byte log into frames, deltas and figures, and keeps it.
//!
//! [`Engine`] is the whole of it for the window and the command line: it plans a draft, runs it, and opens what was kept.
//! A [`Session`] is a plan and a timed byte log; everything shown of it comes from the one fold in [`analysis`].

pub mod analysis;
pub mod capture;
pub mod code;
pub mod compare;
pub mod console;
pub mod credentials;
pub mod drill;
pub mod export;
pub mod home;
pub mod import_curl;
pub mod inspect;
pub mod library;
pub mod models;
pub mod view;

mod audio;
mod drive;
mod engine;
mod error;
mod files;
mod line;
mod log;
mod own_provider;
mod plan;
mod session;
pub mod sign;
mod turns;

pub use engine::Engine;
pub use error::Error;
pub use log::{entry, record};
pub use plan::{KeyChoice, Plan};
pub use session::{Session, Watcher};
