//! The drill under a fault.

use std::path::Path;

use weir_lab::{Lab, LabConfig, catalogue};
use weir_sessions::Error;
use weir_sessions::drill::report::{self, Format};
use weir_sessions::drill::{self, Drill, Repeat};

use super::Args;
use crate::home;
use crate::out::{self, Exit};
use crate::send::no_threads;
use crate::stop::Stop;

/// Exit 1 where a lane did not get all of its words.
pub(super) fn go(args: &Args, reports: &[(&Path, Format)]) -> Result<Exit, Error> {
    let fault = args.fault.clone().unwrap_or_default();
    if let Some(name) = unknown(&fault) {
        let names: Vec<&str> = catalogue().iter().map(|recipe| recipe.id).collect();
        return Ok(out::usage(format!("there is no fault `{name}`; there are: {}", names.join(", "))));
    }
    let mut drill = Drill {
        fault,
        patience_ms: args.patience,
        tokens: args.tokens,
        rate: args.rate,
        http: args.http.clone(),
        repeat: if args.always { Repeat::Always } else { Repeat::Once },
        ..Drill::default()
    };
    if !args.lanes.is_empty() {
        drill.lanes.clone_from(&args.lanes);
    }
    drill.check()?;
    let incident = incident(&drill.fault);
    let engine = home::open()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| no_threads(&error))?;
    let exit = runtime.block_on(async {
        let lab = Lab::start(LabConfig { port: 0, ..LabConfig::default() }).await.map_err(|error| {
            let evidence = format!("{error:?}");
            Error::new("local", "lab", format!("The Lab did not start: {error}."), "Nothing was sent.", evidence, "Try again.")
        })?;
        engine.set_lab(Some(lab.url()));
        let mut stop = Stop::new()?;
        let running = drill::run(&engine, drill)?;
        tokio::select! {
            () = running.ended() => {}
            () = stop.asked() => {
                running.stop();
                running.ended().await;
            }
        }
        lab.stop().await;
        let view = running.view();
        for (path, format) in reports {
            report::write(path, &report::render(&view, &incident, *format))?;
        }
        let written = if args.json {
            view.lanes.iter().try_for_each(|lane| {
                let mut line = serde_json::to_value(&lane.report).unwrap_or_default();
                line["moments"] = serde_json::to_value(&lane.moments).unwrap_or_default();
                out::json(&line)
            })
        } else {
            out::text(&report::render(&view, &incident, Format::Markdown))
        };
        Ok::<_, Error>(match written {
            Err(error) => out::unwritten(&error),
            Ok(()) if view.lanes.iter().all(|lane| lane.report.whole) => Exit::Done,
            Ok(()) => Exit::Failed,
        })
    })?;
    // Closing the library waits for its last write.
    drop(runtime);
    engine.library().clone().close()?;
    Ok(exit)
}

/// The name of each recipe that is asked for.
fn names(fault: &str) -> impl Iterator<Item = &str> {
    fault.split(',').map(|spec| spec.split([';', '=']).next().unwrap_or_default().trim())
}

/// The first recipe that is none. `status` and `stall-after` are the header's own forms of recipes.
fn unknown(fault: &str) -> Option<&str> {
    let known = |name: &str| matches!(name, "" | "none" | "status" | "stall-after") || catalogue().iter().any(|recipe| recipe.id == name);
    names(fault).find(|name| !known(name))
}

/// What the faults stand for in the services of others.
fn incident(fault: &str) -> String {
    let stands = names(fault).filter_map(|name| catalogue().iter().find(|recipe| recipe.id == name));
    stands.map(|recipe| recipe.incident).collect::<Vec<_>>().join("; and ")
}
