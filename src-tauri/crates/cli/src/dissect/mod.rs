//! `weir-cli dissect`: bytes in, what they are out. One JSON object a line, each with its byte range.

mod eventstream;
mod http1;
mod http2;
mod json;
mod lens;
mod line;
mod ndjson;
pub mod sse;
pub mod ws;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use weir_frames::http1::Side;
use weir_frames::lens::Format;

use crate::out::{self, Exit};

/// Read bytes and print what they are: one JSON object a line, each with "span":[start,end] into the input.
#[derive(clap::Args)]
pub struct Args {
    /// What the bytes are.
    #[arg(long = "as", value_enum, value_name = "LAYER")]
    layer: Layer,
    /// Feed the bytes this many at a time; the output does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    split: Option<u64>,
    /// Who sent the bytes (ws, http1, http2) [default: server]
    #[arg(long, value_enum, value_name = "client|server")]
    side: Option<Sender>,
    /// The Sec-WebSocket-Extensions value that was agreed (ws).
    #[arg(long, value_name = "permessage-deflate; …")]
    deflate: Option<String>,
    /// The last event id that an earlier connection left (sse).
    #[arg(long, value_name = "X")]
    last_event_id: Option<String>,
    /// Print the events, or lines, as another client would have seen them, and where that first differs from the standard (sse, ndjson). The pieces of
    /// --split are the reads that the client sees.
    #[arg(long, value_name = "NAME|all")]
    lens: Option<String>,
    /// Print what carries no meaning of its own too: blocks without data (sse), blank lines (ndjson), ends of messages (http1).
    #[arg(long)]
    all: bool,
    /// File; - or none is standard input.
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Layer {
    Sse,
    Ndjson,
    Ws,
    Http1,
    Http2,
    Eventstream,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sender {
    Client,
    Server,
}

/// Bytes read at once.
const PIECE: usize = 64 << 10;

/// A layer that is being dissected: rows go to the buffer as lines.
trait Dissect {
    /// The next bytes.
    fn push(&mut self, bytes: &[u8], rows: &mut Vec<u8>);
    /// The end of input.
    fn finish(&mut self, rows: &mut Vec<u8>);
}

/// Dissects a file or standard input.
pub fn run(args: Args) -> Exit {
    let misplaced = [
        (args.side.is_some() && !matches!(args.layer, Layer::Ws | Layer::Http1 | Layer::Http2), "--side is for ws, http1 and http2"),
        (args.deflate.is_some() && args.layer != Layer::Ws, "--deflate is for ws"),
        (args.last_event_id.is_some() && args.layer != Layer::Sse, "--last-event-id is for sse"),
        (args.lens.is_some() && !matches!(args.layer, Layer::Sse | Layer::Ndjson), "--lens is for sse and ndjson"),
        (args.lens.is_some() && (args.last_event_id.is_some() || args.all), "--lens takes the stream alone"),
    ];
    if let Some((_, message)) = misplaced.iter().find(|(wrong, _)| *wrong) {
        return out::usage(message);
    }
    let mut input: Box<dyn Read> = match args.file.as_deref().filter(|path| *path != Path::new("-")) {
        None => Box::new(io::stdin().lock()),
        Some(path) => match File::open(path) {
            Ok(file) => Box::new(file),
            Err(error) => return out::usage(format!("{}: {error}", path.display())),
        },
    };
    let format = if args.layer == Layer::Ndjson { Format::Ndjson } else { Format::Sse };
    let mut layer = match args.lens.as_deref().map(|name| lens::Lenses::find(format, name)) {
        None => layer(&args),
        Some(Ok(lenses)) => Box::new(lenses),
        Some(Err(why)) => return out::usage(why),
    };
    match pump(&mut input, layer.as_mut(), args.split) {
        Ok(()) => Exit::Done,
        Err(Broken::Input(error)) => {
            out::note(&format!("weir-cli: The input cannot be read.\n  | {error}"));
            Exit::Failed
        }
        Err(Broken::Output(error)) => out::unwritten(&error),
    }
}

fn layer(args: &Args) -> Box<dyn Dissect> {
    let side = if args.side == Some(Sender::Client) { Side::Client } else { Side::Server };
    match args.layer {
        Layer::Sse => Box::new(sse::Sse::new(args.last_event_id.as_deref().unwrap_or_default(), args.all)),
        Layer::Ndjson => Box::new(ndjson::Ndjson::new(args.all)),
        Layer::Ws => Box::new(ws::Ws::new(side, args.deflate.as_deref().unwrap_or_default())),
        Layer::Http1 => Box::new(http1::Http1::new(side, args.all)),
        Layer::Http2 => Box::new(http2::Http2::new(side)),
        Layer::Eventstream => Box::new(eventstream::Eventstream::new()),
        Layer::Json => Box::new(json::Json::default()),
    }
}

enum Broken {
    Input(io::Error),
    Output(io::Error),
}

fn pump(input: &mut dyn Read, layer: &mut dyn Dissect, split: Option<u64>) -> Result<(), Broken> {
    let split = split.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let mut stdout = io::stdout().lock();
    let mut rows = Vec::new();
    let mut write = |rows: &mut Vec<u8>| -> Result<(), Broken> {
        if !rows.is_empty() {
            stdout.write_all(rows).and_then(|()| stdout.flush()).map_err(Broken::Output)?;
            rows.clear();
            rows.shrink_to(1 << 20);
        }
        Ok(())
    };
    let mut piece = Vec::new();
    loop {
        piece.clear();
        let came = match split {
            // What is there is dissected at once: the input may be a stream that lives.
            None => {
                piece.resize(PIECE, 0);
                let came = read(input, &mut piece).map_err(Broken::Input)?;
                piece.truncate(came);
                came
            }
            // As many whole pieces as make a good read; memory follows what arrives, not what was asked for.
            Some(n) => {
                let whole = n.saturating_mul((PIECE / n).max(1));
                Read::take(&mut *input, whole as u64).read_to_end(&mut piece).map_err(Broken::Input)?
            }
        };
        if came == 0 {
            break;
        }
        piece.chunks(split.unwrap_or(came)).for_each(|bytes| layer.push(bytes, &mut rows));
        write(&mut rows)?;
    }
    layer.finish(&mut rows);
    write(&mut rows)
}

fn read(input: &mut dyn Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
