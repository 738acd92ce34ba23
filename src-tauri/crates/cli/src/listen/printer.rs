//! What a stream tells, as lines of JSON.

use std::io::{self, Write};

use serde_json::json;
use weir_secrets::Secret;
use weir_transport::Control;
use weir_transport::reconnect::Told;

use crate::dissect::sse::row;
use crate::out;

/// Prints; a standard output that cannot be written stops the stream.
pub struct Printer {
    all: bool,
    key: Option<Secret>,
    control: Control,
    rows: Vec<u8>,
    failed: Option<io::Error>,
}

impl Printer {
    /// A printer that has printed nothing. `key` is starred wherever a server repeats it.
    pub fn new(all: bool, key: Option<Secret>, control: Control) -> Self {
        Self { all, key, control, rows: Vec::new(), failed: None }
    }

    /// Prints what happened.
    pub fn tell(&mut self, told: Told<'_>) {
        let line = match told {
            Told::Item(item) => {
                row(item, self.all, &mut self.rows);
                return self.flush();
            }
            Told::Connection { n, status, last_event_id, .. } => {
                json!({ "type": "connection", "n": n, "status": status, "last_event_id": last_event_id })
            }
            Told::Redirect { n, status, url, .. } => json!({ "type": "redirect", "n": n, "status": status, "url": url }),
            Told::Waiting { n, error, delay } => {
                let error = error.map(|error| json!({ "code": error.code, "message": error.message }));
                let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                json!({ "type": "waiting", "n": n, "ms": ms, "error": error })
            }
            Told::Unsendable { last_event_id } => {
                let id = last_event_id.escape_debug();
                return out::note(&format!("weir-cli: The last event id «{id}» cannot stand in a header: the request goes without."));
            }
        };
        self.rows.extend_from_slice(line.to_string().as_bytes());
        self.rows.push(b'\n');
        self.flush();
    }

    /// Why standard output could not be written, if it could not.
    pub fn failed(self) -> Option<io::Error> {
        self.failed
    }

    fn flush(&mut self) {
        if self.rows.is_empty() || self.failed.is_some() {
            return self.rows.clear();
        }
        if let Some(key) = self.key.as_ref().map(Secret::expose)
            && let Ok(text) = std::str::from_utf8(&self.rows)
            && text.contains(key)
        {
            self.rows = text.replace(key, &"*".repeat(key.len())).into_bytes();
        }
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(&self.rows).and_then(|()| stdout.flush()) {
            self.failed = Some(error);
            self.control.cancel();
        }
        self.rows.clear();
        self.rows.shrink_to(1 << 20);
    }
}
