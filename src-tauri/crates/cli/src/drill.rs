//! `weir-cli drill`: what a fault costs a stream, on the built-in server.

use std::fmt::Write;
use std::time::Duration;

use weir_lab::{Lab, LabConfig, catalogue};
use weir_sessions::drill::{self, LaneReport};

use crate::out::{self, Exit};

/// Run the same text over a resumable event stream and over a POST under one of the Lab's faults, and tell what it cost.
///
/// Tells per lane: time to notice, time to recover, tokens lost and repeated, reconnects, bytes that came twice. A POST is never sent again.
#[derive(clap::Args)]
pub struct Args {
    /// The fault, as x-lab-fault takes it: a name with its value and options, several by commas, e.g. `deploy=20` or `stall,idle-timeout=1`.
    #[arg(long, value_name = "NAME")]
    fault: String,
    /// Milliseconds without a byte after which a lane gives its connection up.
    #[arg(long, value_name = "MS", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    patience: u64,
    /// One JSON object a lane.
    #[arg(long)]
    json: bool,
}

/// Exit 1 where a lane did not get all of its tokens.
pub fn run(args: &Args) -> Exit {
    if let Some(name) = unknown(&args.fault) {
        let names: Vec<&str> = catalogue().iter().map(|recipe| recipe.id).collect();
        return out::usage(format!("there is no fault `{name}`; there are: {}", names.join(", ")));
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::note(&format!("weir-cli: The system gives no threads to run on.\n  | {error}"));
            return Exit::Failed;
        }
    };
    let lanes = runtime.block_on(async {
        let lab = Lab::start(LabConfig { port: 0, ..LabConfig::default() }).await?;
        let lanes = drill::run(&lab.url(), &args.fault, Duration::from_millis(args.patience)).await;
        lab.stop().await;
        Ok::<_, weir_lab::Error>(lanes)
    });
    let lanes = match lanes {
        Ok(lanes) => lanes,
        Err(error) => {
            out::note(&format!("weir-cli: The Lab did not start: {error}."));
            return Exit::Failed;
        }
    };
    let written = if args.json { lanes.iter().try_for_each(out::json) } else { out::text(&table(&lanes)) };
    match written {
        Err(error) => out::unwritten(&error),
        Ok(()) if lanes.iter().all(|lane| lane.whole) => Exit::Done,
        Ok(()) => Exit::Failed,
    }
}

/// The first recipe that is none. `status` and `stall-after` are the header's own forms of recipes.
fn unknown(fault: &str) -> Option<&str> {
    let names = fault.split(',').map(|spec| spec.split([';', '=']).next().unwrap_or_default().trim());
    let known = |name: &str| matches!(name, "" | "none" | "status" | "stall-after") || catalogue().iter().any(|recipe| recipe.id == name);
    names.into_iter().find(|name| !known(name))
}

fn table(lanes: &[LaneReport]) -> String {
    let mut text = String::new();
    let ms = |time: Option<f64>| time.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.0} ms"));
    for lane in lanes {
        // Writing into a String does not fail.
        let _ = writeln!(text, "{}: {}", lane.lane, lane.resumes);
        for (name, value) in [
            ("time to notice", ms(lane.notice_ms)),
            ("time to recover", ms(lane.recover_ms)),
            ("longest silence", ms(lane.silence_ms)),
            ("tokens lost", lane.lost.to_string()),
            ("tokens repeated", lane.repeated.to_string()),
            ("reconnects", lane.reconnects.to_string()),
            ("bytes twice", lane.bytes_twice.to_string()),
            ("ended", lane.error.clone().unwrap_or_else(|| if lane.whole { "whole" } else { "too early" }.to_owned())),
        ] {
            let _ = writeln!(text, "  {name:<16} {value}");
        }
    }
    text
}
