//! What can go wrong, by whose fault it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// This machine or program: disk, locks.
    Local,
    /// The file that was opened or imported.
    File,
    /// What the caller asked for.
    User,
}

/// Why the store could not do what was asked. It can be cloned, because a failed log tells everyone who asks.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk is full.
    #[error("the disk is full: what was received last could not be kept")]
    DiskFull,
    /// A file could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// `open`, `write` …
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: Arc<std::io::Error>,
    },
    /// The disk refused a read or a write inside SQLite.
    #[error("the disk failed under the library: {0}")]
    Disk(Arc<rusqlite::Error>),
    /// Another process kept the library locked for longer than the store waits (30 s).
    #[error("another program keeps the library locked")]
    Busy,
    /// SQLite refused a statement: a fault of this program.
    #[error("the library refused a statement: {0}")]
    Sql(Arc<rusqlite::Error>),
    /// The library was closed.
    #[error("the library is closed")]
    Closed,
    /// The file is not a Weir recording.
    #[error("{} is not a Weir recording: {why}", path.display())]
    NotWeir {
        /// The file.
        path: PathBuf,
        /// What was seen.
        why: String,
    },
    /// The file is a Weir recording but its content breaks the format.
    #[error("the recording is damaged: {0}")]
    Damaged(String),
    /// The file was written by a newer Weir.
    #[error("written by a newer Weir: its schema is version {found}, this Weir reads up to {known}")]
    Newer {
        /// Version in the file.
        found: i64,
        /// Newest version this program knows.
        known: i64,
    },
    /// No such session.
    #[error("no session {0}")]
    NotFound(String),
    /// A shortened id fits several sessions.
    #[error("{0} is the beginning of more than one session's id")]
    Ambiguous(String),
    /// An export would overwrite the library it reads.
    #[error("an export cannot replace the open library {}", .0.display())]
    OntoItself(PathBuf),
}

impl Error {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NotWeir { .. } | Self::Damaged(_) | Self::Newer { .. } => Blame::File,
            Self::NotFound(_) | Self::Ambiguous(_) | Self::OntoItself(_) => Blame::User,
            _ => Blame::Local,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DiskFull => "disk-full",
            Self::Io { .. } | Self::Disk(_) => "disk",
            Self::Busy => "library-busy",
            Self::Sql(_) => "library",
            Self::Closed => "library-closed",
            Self::NotWeir { .. } => "not-weir",
            Self::Damaged(_) => "recording-damaged",
            Self::Newer { .. } => "recording-newer",
            Self::NotFound(_) => "session-unknown",
            Self::Ambiguous(_) => "session-ambiguous",
            Self::OntoItself(_) => "export-onto-library",
        }
    }

    /// For `map_err` around file operations.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| {
            if source.kind() == std::io::ErrorKind::StorageFull {
                return Self::DiskFull;
            }
            Self::Io { doing, path: path.to_path_buf(), source: Arc::new(source) }
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TooBig) => Self::Damaged(error.to_string()),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Disk(Arc::new(error))
            }
            Some(_) => Self::Sql(Arc::new(error)),
            // A value of another type than the schema says.
            None => match error {
                rusqlite::Error::QueryReturnedNoRows
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..)
                | rusqlite::Error::InvalidColumnType(..) => Self::Damaged(error.to_string()),
                other => Self::Sql(Arc::new(other)),
            },
        }
    }
}
