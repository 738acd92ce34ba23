//! `weir-cli send`: one request, its reply as it comes, and the record of it.

mod args;
mod key;
mod lab;
mod printer;

use std::path::Path;

use tempfile::TempDir;
use weir_recordings::Library;
use weir_sessions::{Engine, Error, Session};

use crate::out::{self, Exit};
use crate::stop::Stop;
use crate::{home, summary};

use args::Output;
pub use args::{Args, Http, header};
pub use key::environment;
pub use lab::ready as lab_ready;
use printer::Printer;

/// Sends, prints, and tells how it ended.
pub fn run(args: Args) -> Exit {
    match go(&args) {
        Ok(exit) => exit,
        Err(error) => {
            let exit = Exit::of(&error.0);
            match args.output() {
                Output::Text => out::problem(&error.0),
                Output::Json(detail) => {
                    if let Err(error) = out::json(&summary::refused(&error.0, detail)) {
                        return out::unwritten(&error);
                    }
                }
            }
            exit
        }
    }
}

fn go(args: &Args) -> Result<Exit, Error> {
    let draft = args.draft()?;
    let kept = Kept::open(args)?;
    let engine = &kept.engine;
    let key = key::choose(args, &draft, engine)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| no_threads(&error))?;
    let exit = runtime.block_on(async {
        // Held until the run is over: a Lab of this run's own ends with it.
        let _lab = lab::ready(engine, &draft).await?;
        let mut plan = engine.plan(key.draft(&draft), &key.planned)?;
        if let Some(seconds) = args.timeout {
            plan.limits[3] = seconds;
        }
        let mut stop = Stop::new().map_err(|error| no_threads(&error))?;
        let printer = Printer::new(args.output());
        let session = engine.run(plan, key.sent, Some(printer.tell()))?;
        follow(&session, &mut stop, &printer, &kept).await;
        conclude(&session, &printer)
    })?;
    // The capture's thread lets go of the session a moment after it is over; closing the library waits for its last write.
    drop(runtime);
    kept.close()?;
    Ok(exit)
}

/// Waits for the end. The first signal, or a reader of standard output that went away, stops the session; a second signal ends the process.
async fn follow(session: &Session, stop: &mut Stop, printer: &Printer, kept: &Kept) {
    tokio::select! {
        () = session.ended() => return,
        () = stop.asked() => {}
        () = printer.unheard() => {}
    }
    session.stop();
    tokio::select! {
        () = session.ended() => {}
        () = stop.asked() => {
            kept.abandon();
            std::process::exit(130);
        }
    }
}

fn conclude(session: &Session, printer: &Printer) -> Result<Exit, Error> {
    let exit = summary::exit(session);
    if let Some(error) = printer.failed() {
        return Ok(match out::unwritten(&error) {
            Exit::Done => exit,
            other => other,
        });
    }
    match printer.finish(session) {
        Ok(()) => Ok(exit),
        Err(error) => Ok(match out::unwritten(&error) {
            Exit::Done => exit,
            other => other,
        }),
    }
}

pub fn no_threads(error: &std::io::Error) -> Error {
    Error::new(
        "local",
        "runtime",
        "The system gives no threads or signals to run with.",
        "Nothing was sent.",
        error.to_string(),
        "Close other programs, then send again.",
    )
}

/// Where the run is kept.
struct Kept {
    engine: Engine,
    /// The folder of a run that is not kept.
    folder: Option<TempDir>,
}

impl Kept {
    fn open(args: &Args) -> Result<Self, Error> {
        if let Some(file) = &args.record {
            return Ok(Self { engine: home::beside(Library::open(file)?)?, folder: None });
        }
        if !args.no_record {
            return Ok(Self { engine: home::open()?, folder: None });
        }
        let folder = tempfile::Builder::new().prefix("weir-").tempdir().map_err(|error| no_folder(&std::env::temp_dir(), &error))?;
        let library = Library::open(&folder.path().join("run.weir"))?;
        Ok(Self { engine: home::beside(library)?, folder: Some(folder) })
    }

    /// Everything is on disk afterwards; a run that is not kept is gone.
    fn close(self) -> Result<(), Error> {
        let library = self.engine.library().clone();
        library.close()?;
        drop(self.folder);
        Ok(())
    }

    /// The process ends now, whatever is under way.
    fn abandon(&self) {
        if let Some(folder) = &self.folder {
            // It may be in use still; what cannot be removed lies in the system's folder for temporary files.
            let _ = std::fs::remove_dir_all(folder.path());
        }
    }
}

fn no_folder(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        "local",
        "temporary",
        "No temporary folder could be made.",
        "Nothing was sent.",
        format!("{}: {error}", path.display()),
        "Check the disk, or record with --record FILE.",
    )
}
