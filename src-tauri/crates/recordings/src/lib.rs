//! Recordings: the timed byte log of every session, the list of sessions, their full text search, and the `.weir` file.
//!
//! All of it lives in one SQLite file. The library in WEIR_HOME and a `.weir` file have the same schema and the same
//! application id, so each can be opened as the other. Nothing here knows HTTP or a dialect: a record is a connection,
//! a direction, a time and bytes.
//!
//! - [`Library`] is the file: list, search, rename, tags, delete with undo, settings, drafts, export and import.
//! - [`Recorder`] takes the records of one session; one writer thread commits them by size or every 50 ms.
//! - [`Reader`] gives them back, in order or by range.
//!
//! A process kill loses at most what was appended in the last 50 ms. Power loss may lose more, but never damages the file.

mod carry;
mod checkpoint;
mod database;
mod error;
mod export;
mod import;
mod library;
mod log;
mod owner;
mod pack;
mod reader;
mod record;
mod recorder;
mod schema;
mod table;
mod words;
mod writer;

pub use error::{Blame, Error};
pub use library::Library;
pub use reader::Reader;
pub use record::{Finished, NewSession, Page, Query, Record, RecordKind, SessionRow, State};
pub use recorder::Recorder;
pub use schema::APPLICATION_ID;
pub use table::draft::Draft;
