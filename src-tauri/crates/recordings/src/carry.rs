//! What a session takes with it from one file to another: its row and texts. Its records follow through a [`crate::log::Log`].

use rusqlite::Connection;

use crate::table::{extent, tag};
use crate::{Error, Finished, NewSession, RecordKind, SessionRow, State, recorder};

/// A row as what begins and what ends a session. One that is still being recorded arrives as `cut`: on the other side nothing more comes.
pub fn split(row: SessionRow) -> (NewSession, End) {
    let new = NewSession {
        title: row.title,
        provider: row.provider,
        model: row.model,
        dialect: row.dialect,
        transport: row.transport,
        prompt: row.prompt,
        plan: row.plan,
        started_at_ms: row.started_at_ms,
    };
    let unfinished = row.state == State::Recording;
    let outcome = if unfinished { "cut".into() } else { row.outcome };
    let done = Finished {
        outcome,
        reply: row.reply,
        reasoning: row.reasoning,
        summary: row.summary,
        frames: row.frames,
        bytes_down: row.bytes_down,
        bytes_up: row.bytes_up,
        ttft_ms: row.ttft_ms,
        total_ms: row.total_ms,
        status: row.status,
    };
    (new, End { done, tags: row.tags, unfinished })
}

/// What is written last.
pub struct End {
    done: Finished,
    tags: Vec<String>,
    unfinished: bool,
}

impl End {
    /// Write it. One that was not finished does not know its bytes and how long it took: its log in `db` does.
    pub fn write(self, db: &Connection, key: i64) -> Result<(), Error> {
        let mut done = self.done;
        if self.unfinished {
            (done.bytes_down, done.bytes_up, done.total_ms) = measure(db, key)?;
        }
        tag::set(db, key, &self.tags)?;
        recorder::summarise(db, key, done)?;
        recorder::index(db, key)
    }
}

/// Bytes received, bytes sent and milliseconds to the last record of a log.
pub fn measure(db: &Connection, key: i64) -> Result<(u64, u64, f64), Error> {
    let (mut down, mut up) = (0, 0);
    for (_, kind, len) in extent::streams(db, key)? {
        match kind {
            RecordKind::In => down += len,
            RecordKind::Out => up += len,
            RecordKind::Mark => {}
        }
    }
    Ok((down, up, crate::reader::last_time(db, key)? as f64 / 1e6))
}
