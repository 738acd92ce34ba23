//! How connections to the file are opened, and the pragmas with their reasons.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::Error;

/// How long a statement waits for another process. Every transaction of ours is short, so this is only reached when something is stuck.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Measured for 100 MB of 64 KiB records in WAL mode: 4 KiB pages cost 153 + 114 ms of CPU (write + checkpoint), 16 KiB pages 106 + 71,
/// 64 KiB pages 91 + 57. A slow stream writes each touched page 20 times a second, so the pages are no larger than pays.
const PAGE: i64 = 16 * 1024;

/// Open for reading and writing, creating the file for this user alone.
pub fn open(path: &Path) -> Result<Connection, Error> {
    create_private(path)?;
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&db).map_err(|error| at(path, error))?;
    Ok(db)
}

/// Open a database that lives in this process's memory, shared by all that use the name.
pub fn open_in_memory(name: &str) -> Result<Connection, Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(format!("file:/{name}?vfs=memdb"), flags)?;
    prepare(&db)?;
    Ok(db)
}

/// Open for reading only, whoever wrote it.
pub fn open_read_only(path: &Path) -> Result<Connection, Error> {
    std::fs::File::open(path).map_err(Error::io("open", path))?;
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare(&db).map_err(|error| at(path, error))?;
    db.pragma_update(None, "query_only", true)?;
    db.pragma_update(None, "cell_size_check", true)?;
    Ok(db)
}

/// SQLite tells at the first pragma that a file is none of its own.
fn at(path: &Path, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Error::NotWeir { path: path.to_path_buf(), why: "it is no SQLite database".into() },
        _ => error.into(),
    }
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(PATIENCE)?;
    db.set_prepared_statement_cache_capacity(64);
    // Functions with side effects in a foreign schema must not run.
    db.pragma_update(None, "trusted_schema", false)?;
    // In WAL mode this syncs at checkpoints only: a process kill loses nothing committed, power loss damages nothing.
    db.pragma_update(None, "synchronous", "NORMAL")?;
    // A whole batch stays in the cache until it is committed.
    db.pragma_update(None, "cache_size", -16 * 1024)?;
    // Checkpoints run on a thread of their own, not inside a commit.
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(())
}

/// What must be set before the first table: page size, and that freed pages can be given back.
pub fn lay_out(db: &Connection) -> Result<(), Error> {
    db.pragma_update(None, "page_size", PAGE)?;
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    Ok(())
}

/// Switch to the write-ahead log, so that readers and the writer do not wait for each other.
pub fn use_wal(db: &Connection) -> Result<(), Error> {
    // SQLite does not wait here when another process switches at the same moment.
    let begun = Instant::now();
    loop {
        match db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
            Err(error)
                if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
                    && begun.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return Ok(other?),
        }
    }
}

/// Recordings are private: nobody else may read what this creates. SQLite gives `-wal` and `-shm` the same mode.
fn create_private(path: &Path) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(Error::io("open", path))?;
    Ok(())
}

/// How many lines of a list to fetch is a `u64` of ours and an `i64` of SQLite's.
pub fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of SQLite's that is never negative in a sound file.
pub fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Unix time in milliseconds.
pub fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// `len` random lower-case letters and digits without the look-alikes i, l, o and u.
pub fn random_name(len: usize) -> Result<String, Error> {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::io("read randomness for", Path::new("the library"))(std::io::Error::other(error.to_string())))?;
    Ok(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}
