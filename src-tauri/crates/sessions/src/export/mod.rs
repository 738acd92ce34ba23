//! A session as other programs read it. Keys were replaced in the log before anything was kept; exports name them as a variable.
//!
//! Everything is written as it is read: what an export holds in memory is one frame or message, never the session.

mod body;
mod csv;
mod curl;
mod har;
mod jsonl;
mod markdown;
mod otlp;
mod pcapng;
#[cfg(test)]
mod tests;
mod walk;

use std::io::{self, Write};
use std::ops::ControlFlow;

use weir_recordings::RecordKind;

use crate::view::ExportFormat;
use crate::{Error, Session};

pub(crate) use csv::field as csv_field;
pub use curl::curl;
pub use walk::{Exchange, Head, Part, walk};

/// Writes a session in `format`. A session that still runs is written as far as it has come.
///
/// # Errors
/// The library, by its codes; `write` where `out` fails, or `broken-pipe` where its reader went away.
pub fn export(session: &Session, format: ExportFormat, out: &mut dyn Write) -> Result<(), Error> {
    match format {
        ExportFormat::Weir => weir(session, out),
        ExportFormat::Har => har::write(session, out),
        ExportFormat::Jsonl => jsonl::write(session, out),
        ExportFormat::Raw => raw(session, out),
        ExportFormat::Csv => csv::write(session, out),
        ExportFormat::Pcapng => pcapng::write(session, out),
        ExportFormat::Otlp => otlp::write(session, out),
        ExportFormat::Markdown => markdown::write(session, out),
        ExportFormat::Curl => writeln!(out, "{}", curl(&session.kept().call, session.kept().draft.insecure)).map_err(unwritten),
    }
}

/// A file like the library's own, by way of a temporary one: SQLite cannot write to a stream.
fn weir(session: &Session, out: &mut dyn Write) -> Result<(), Error> {
    let folder = tempfile::tempdir().map_err(unwritten)?;
    let path = folder.path().join("session.weir");
    session.log().library().export(&[session.id().to_owned()], &path)?;
    let mut file = std::fs::File::open(&path).map_err(unwritten)?;
    io::copy(&mut file, out).map_err(unwritten)?;
    Ok(())
}

/// The received bytes in the order they came.
fn raw(session: &Session, out: &mut dyn Write) -> Result<(), Error> {
    let mut written = Ok(());
    session.log().records(&mut |record| {
        if record.kind == RecordKind::In {
            written = out.write_all(&record.bytes);
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written.map_err(unwritten)
}

/// The error for a writer that failed.
fn unwritten(error: io::Error) -> Error {
    let code = if error.kind() == io::ErrorKind::BrokenPipe { "broken-pipe" } else { "write" };
    Error::new(
        "local",
        code,
        "The export cannot be written.",
        "What was written of it is not whole.",
        error.to_string(),
        "Check the folder's rights and free space.",
    )
}
