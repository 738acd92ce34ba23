//! The memory drill, and the hidden commands by which its two processes are started.

use std::path::Path;

use weir_sessions::Error;
use weir_sessions::drill::memory::{self, MemoryDrill, Programs, report};
use weir_sessions::drill::report::{Format, write};

use super::Args;
use crate::home;
use crate::out::{self, Exit};
use crate::send::no_threads;
use crate::stop::Stop;

/// The hidden commands.
const LAB: &str = "drill-lab";
const CLIENT: &str = "drill-client";

/// Exit 1 where it did not come to its end.
pub(super) fn go(args: &Args, reports: &[(&Path, Format)]) -> Result<Exit, Error> {
    let mut drill = MemoryDrill {
        series: args.series.clone(),
        rounds: args.rounds,
        window_ms: (args.window * 1000.0) as u32,
        ..MemoryDrill::default()
    };
    if !args.kinds.is_empty() {
        drill.kinds.clone_from(&args.kinds);
    }
    drill.check()?;
    let programs = Programs::own(&[LAB], &[CLIENT])?;
    let engine = home::open()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| no_threads(&error))?;
    let exit = runtime.block_on(async {
        let mut stop = Stop::new()?;
        let running = memory::run(&engine, programs, drill)?;
        let mut told = String::new();
        while running.is_live() {
            tokio::select! {
                () = running.news() => {}
                () = stop.asked() => running.stop(),
            }
            let view = running.view();
            if !view.doing.is_empty() && view.doing != told {
                out::note(&format!("{}/{}: {}", view.done, view.of, view.doing));
                told = view.doing;
            }
        }
        let view = running.view();
        for (path, format) in reports {
            write(path, &report::render(&view, *format))?;
        }
        let written =
            if args.json { view.rows.iter().try_for_each(out::json) } else { out::text(&report::render(&view, Format::Markdown)) };
        if let Err(error) = written {
            return Ok(out::unwritten(&error));
        }
        if let Some(problem) = &view.problem {
            out::problem(problem);
        }
        Ok::<_, Error>(if view.done == view.of { Exit::Done } else { Exit::Failed })
    })?;
    // Closing the library waits for its last write.
    drop(runtime);
    engine.library().clone().close()?;
    Ok(exit)
}

/// The hidden commands: what they are told on standard input is all they know.
pub fn child(lab: bool) -> std::process::ExitCode {
    if lab {
        memory::raise_file_limit();
        return weir_lab::serve_until_input_ends();
    }
    memory::client()
}
