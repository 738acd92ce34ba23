//! `weir-cli sessions`: the library.

mod export;
mod list;
mod replay;
mod send_again;
mod show;

use std::path::PathBuf;

use clap::Subcommand;
use weir_sessions::{Engine, Error};

use crate::home;
use crate::out::{self, Exit};

pub use show::figures;

/// List, show, search, export, import, replay, send again, rename and delete sessions. An id may be shortened as long as it names one session.
#[derive(clap::Args)]
pub struct Args {
    /// A .weir file to work on, instead of the library.
    #[arg(long, value_name = "FILE.weir", global = true)]
    library: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::ListArgs),
    Search(list::SearchArgs),
    Show(show::Args),
    Export(export::Args),
    Replay(replay::Args),
    SendAgain(send_again::Args),
    /// Take over every session of a .weir file, and print their ids.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Give a session another title.
    Rename {
        /// Session.
        id: String,
        /// Its new title.
        title: String,
    },
    /// Take sessions out of the list; restore brings them back.
    Delete {
        /// Sessions.
        #[arg(required = true)]
        ids: Vec<String>,
        /// Remove them for good.
        #[arg(long)]
        purge: bool,
    },
    /// Bring deleted sessions back.
    Restore {
        /// Sessions.
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// Does what was asked of the library.
pub fn run(args: Args) -> Exit {
    let engine = match home::open_at(args.library.as_deref()) {
        Ok(engine) => engine,
        Err(error) => return out::refuse(&error),
    };
    let done = command(&engine, args.command);
    // Closing waits for what was written, and leaves one file.
    let closed = engine.library().clone().close().map_err(Error::from);
    match done.and_then(|exit| closed.map(|()| exit)) {
        Ok(exit) => exit,
        Err(error) => out::refuse(&error),
    }
}

fn command(engine: &Engine, command: Command) -> Result<Exit, Error> {
    let library = engine.library();
    match command {
        Command::List(args) => list::list(engine, &args),
        Command::Search(args) => list::search(engine, &args),
        Command::Show(args) => show::run(engine, &args),
        Command::Export(args) => export::run(engine, &args),
        Command::Replay(args) => Ok(replay::run(engine, &args)),
        Command::SendAgain(args) => Ok(send_again::run(engine, &args)),
        Command::Import { file } => {
            home::there(&file)?;
            let ids = library.import(&file)?;
            let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
            Ok(out::text(&lines).map_or_else(|error| out::unwritten(&error), |()| Exit::Done))
        }
        Command::Rename { id, title } => {
            library.rename(&id, &title)?;
            Ok(Exit::Done)
        }
        Command::Delete { ids, purge: true } => {
            // All of them or none: a wrong id at the end must not be found out half way.
            for id in &ids {
                library.session(id)?;
            }
            let purged = library.purge(&ids)?;
            out::note(&format!("{purged} removed for good"));
            Ok(Exit::Done)
        }
        Command::Delete { ids, purge: false } => {
            library.delete(&ids)?;
            Ok(Exit::Done)
        }
        Command::Restore { ids } => {
            library.restore(&ids)?;
            Ok(Exit::Done)
        }
    }
}
