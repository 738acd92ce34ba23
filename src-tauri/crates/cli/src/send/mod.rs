//! `weir-cli send`: one request, its reply as it comes, and the record of it.

mod args;
mod key;
mod lab;
mod printer;

use std::path::Path;

use tempfile::TempDir;
use weir_recordings::Library;
use weir_sessions::view::Draft;
use weir_sessions::{Engine, Error, Plan, Session};

use crate::out::{self, Exit};
use crate::stop::Stop;
use crate::{home, summary};

pub use args::{Args, Http, Output, header, key as key_source, seconds};
pub use key::environment;
pub use lab::ready as lab_ready;
pub use printer::Printer;

/// Sends, prints, and tells how it ended.
pub fn run(args: Args) -> Exit {
    let done = go(&args);
    told(done, args.output())
}

/// The exit of a run; one that never began is told in the way that was asked for.
pub fn told(done: Result<Exit, Error>, output: Output) -> Exit {
    match done {
        Ok(exit) => exit,
        Err(error) => {
            let exit = Exit::of(&error.0);
            match output {
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
    let manner = Manner { key: args::key(args.key.as_deref())?, output: args.output(), timeout: args.timeout };
    let exit = play(&kept.engine, &draft, manner, &|| kept.abandon())?;
    kept.close()?;
    Ok(exit)
}

/// How a draft is played.
pub struct Manner {
    /// Where the key comes from, if that was said.
    pub key: Option<args::Key>,
    /// What goes to standard output.
    pub output: Output,
    /// Seconds that all of it may take.
    pub timeout: Option<f64>,
}

/// Sends a draft, prints its reply and waits for the end. `abandon` is called before a second signal ends the process.
///
/// # Errors
/// What stood in the way of sending.
pub fn play(engine: &Engine, draft: &Draft, manner: Manner, abandon: &dyn Fn()) -> Result<Exit, Error> {
    let key = key::choose(manner.key, draft, engine)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| no_threads(&error))?;
    runtime.block_on(async {
        // Held until the run is over: a Lab of this run's own ends with it.
        let _lab = lab::ready(engine, draft).await?;
        // What is sent holds the content of files; what is kept names them.
        let draft = key.draft(draft);
        let whole = Draft { ask: engine.with_files(&draft.ask)?, ..draft.clone() };
        let mut plan = Plan { draft: draft.clone(), ..engine.plan(&whole, &key.planned)? };
        if let Some(seconds) = manner.timeout {
            plan.limits[3] = seconds;
        }
        let mut stop = Stop::new()?;
        let printer = Printer::new(manner.output);
        let session = engine.run(plan, key.sent.clone(), Some(printer.tell()))?;
        follow(&session, &mut stop, &printer, abandon).await;
        conclude(&session, &printer)
    })
    // The capture's thread lets go of the session a moment after it is over; closing the library waits for its last write.
}

/// Waits for the end. The first signal, or a reader of standard output that went away, stops the session; a second signal ends the process.
async fn follow(session: &Session, stop: &mut Stop, printer: &Printer, abandon: &dyn Fn()) {
    tokio::select! {
        () = session.ended() => return,
        () = stop.asked() => {}
        () = printer.unheard() => {}
    }
    session.stop();
    tokio::select! {
        () = session.ended() => {}
        () = stop.asked() => {
            abandon();
            std::process::exit(130);
        }
    }
}

/// Prints what comes last; the exit is the session's, unless standard output failed.
///
/// # Errors
/// None so far.
pub fn conclude(session: &Session, printer: &Printer) -> Result<Exit, Error> {
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
        "The system gives no threads to run with.",
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
