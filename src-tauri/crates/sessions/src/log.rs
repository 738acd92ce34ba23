//! Between the transport's log and the store's records: one entry, one record, both ways.

use weir_recordings::{Record, RecordKind};
use weir_transport::{Dir, Entry, Mark};

use crate::Error;

/// The record of an entry.
pub fn record(entry: &Entry) -> Record {
    match entry {
        Entry::Segment { conn, dir, t, bytes } => {
            let kind = match dir {
                Dir::In => RecordKind::In,
                Dir::Out => RecordKind::Out,
            };
            Record { conn: *conn, kind, t: *t, bytes: bytes.clone() }
        }
        Entry::Mark { conn, t, mark } => {
            // Marks are plain data: numbers, strings and enums, which JSON always holds.
            let json = serde_json::to_vec(mark).unwrap_or_default();
            Record { conn: *conn, kind: RecordKind::Mark, t: *t, bytes: json.into() }
        }
    }
}

/// The entry of a record. A mark that this Weir does not know is an error: the log would mean something else without it.
pub fn entry(record: Record) -> Result<Entry, Error> {
    let Record { conn, kind, t, bytes } = record;
    Ok(match kind {
        RecordKind::In => Entry::Segment { conn, dir: Dir::In, t, bytes },
        RecordKind::Out => Entry::Segment { conn, dir: Dir::Out, t, bytes },
        RecordKind::Mark => {
            let mark: Mark = serde_json::from_slice(&bytes).map_err(|error| {
                Error::new(
                    "local",
                    "unknown-mark",
                    "The recording holds an event this Weir does not know.",
                    "The session cannot be shown as it was.",
                    format!("{error}: {}", String::from_utf8_lossy(&bytes)),
                    "It was probably recorded by a newer Weir: open it there.",
                )
            })?;
            Entry::Mark { conn, t, mark }
        }
    })
}
