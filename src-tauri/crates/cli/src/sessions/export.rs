//! A session to a file or to standard output.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use weir_sessions::view::ExportFormat;
use weir_sessions::{Engine, Error, Session, export};

use crate::out::{self, Exit};

/// Export a session. Keys stand in none of the formats.
#[derive(clap::Args)]
pub struct Args {
    /// Session.
    id: String,
    /// Format.
    #[arg(long, value_enum, default_value = "weir")]
    format: Format,
    /// File to write, replaced only when all of it is there; - is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Weir's own: opens again exactly
    Weir,
    /// HTTP Archive 1.2, with WebSocket messages
    Har,
    /// One frame a line
    Jsonl,
    /// The bytes as received
    Raw,
    /// Prompt and reply
    Markdown,
    /// The request as a command, the key as $API_KEY
    Curl,
    /// The frame table: one frame a line
    Csv,
    /// Packets for Wireshark, made around the recorded bytes
    Pcapng,
    /// A trace as OpenTelemetry's collectors read it (OTLP JSON)
    Otlp,
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Weir => Self::Weir,
            Format::Har => Self::Har,
            Format::Jsonl => Self::Jsonl,
            Format::Raw => Self::Raw,
            Format::Markdown => Self::Markdown,
            Format::Curl => Self::Curl,
            Format::Csv => Self::Csv,
            Format::Pcapng => Self::Pcapng,
            Format::Otlp => Self::Otlp,
        }
    }
}

/// Writes the export.
pub fn run(engine: &Engine, args: &Args) -> Result<Exit, Error> {
    let session = engine.session(&args.id)?;
    let format = args.format.into();
    if args.output != Path::new("-") {
        return file(&session, format, &args.output).map(|()| Exit::Done);
    }
    if matches!(args.format, Format::Weir | Format::Raw | Format::Pcapng) && io::stdout().is_terminal() {
        return Ok(out::usage("these bytes are not for a terminal: give -o FILE"));
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    match export::export(&session, format, &mut out)
        .and_then(|()| out.flush().map_err(|error| unwritten(Path::new("standard output"), &error)))
    {
        Err(error) if error.0.code == "broken-pipe" => Ok(Exit::Done),
        Err(error) => Err(error),
        Ok(()) => Ok(Exit::Done),
    }
}

fn file(session: &Session, format: ExportFormat, path: &Path) -> Result<(), Error> {
    if format == ExportFormat::Weir {
        return Ok(session.log().library().export(&[session.id().to_owned()], path)?);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // In the same folder, so that the last step is a rename.
    let mut part = tempfile::Builder::new().prefix(".weir-export-").tempfile_in(folder).map_err(|error| unwritten(path, &error))?;
    {
        let mut out = io::BufWriter::new(part.as_file_mut());
        export::export(session, format, &mut out)?;
        out.flush().map_err(|error| unwritten(path, &error))?;
    }
    part.persist(path).map_err(|error| unwritten(path, &error.error))?;
    Ok(())
}

fn unwritten(path: &Path, error: &io::Error) -> Error {
    let code = if error.kind() == io::ErrorKind::BrokenPipe { "broken-pipe" } else { "write" };
    Error::new(
        "local",
        code,
        "The export cannot be written.",
        "Nothing was exported.",
        format!("{}: {error}", path.display()),
        "Check the folder's rights and free space.",
    )
}
