//! `weir-cli drill`: what a fault costs each way of streaming, and with `--memory` what a connection costs both of its ends.

mod memory;
mod resilience;

pub use memory::child;

use std::path::PathBuf;

use clap::ArgAction;
use weir_sessions::drill::report::Format;

use crate::out::{self, Exit};

/// Drill streams against the built-in server: under a fault, or with --memory by the hundred.
///
/// Under a fault (--fault) every lane gets the same reply, whose words are numbered: told is the time to notice and to recover, words lost and
/// repeated, comebacks, and bytes that crossed twice. A POST is never sent again. With --memory the server and its client run as processes of
/// their own: told is what one more connection of each kind costs each of them. Prints Markdown.
///
/// Exit code 1 where a lane did not get all of its words, or the memory drill did not come to its end.
#[derive(clap::Args)]
pub struct Args {
    /// The fault, as x-lab-fault takes it: a name with its value and options, several by commas, e.g. `deploy=20` or `stall,idle-timeout=1`.
    #[arg(long, value_name = "NAME", required_unless_present = "memory", conflicts_with = "memory")]
    fault: Option<String>,
    /// A lane: events, reply, responses, responses-ws, live, ai-sdk, mcp, http; again for another. All where none is given.
    #[arg(long = "lane", value_name = "ID", action = ArgAction::Append, conflicts_with = "memory")]
    lanes: Vec<String>,
    /// Milliseconds without a byte after which a lane gives its connection up.
    #[arg(long, value_name = "MS", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(50..=3_600_000))]
    patience: u32,
    /// Words of the reply.
    #[arg(long, value_name = "N", default_value_t = 60)]
    tokens: u32,
    /// Words a second.
    #[arg(long, value_name = "N", default_value_t = 50)]
    rate: u32,
    /// HTTP version of the lanes over HTTP.
    #[arg(long, value_name = "V", default_value = "1.1", value_parser = ["1.1", "2"])]
    http: String,
    /// The fault meets every connection of a lane, not only the first.
    #[arg(long)]
    always: bool,
    /// Measure what connections cost in memory and CPU, on both ends.
    #[arg(long)]
    memory: bool,
    /// A kind of connection: sse, sse-h2, ndjson, poll, ws, ws-deflate; again for another. All where none is given.
    #[arg(long = "kind", value_name = "ID", action = ArgAction::Append, requires = "memory")]
    kinds: Vec<String>,
    /// Numbers of connections, at most 1000 each.
    #[arg(long, value_name = "N,N…", value_delimiter = ',', default_values_t = [1, 10, 100, 1000], requires = "memory")]
    series: Vec<u32>,
    /// How often the series is gone through, each time with new processes.
    #[arg(long, value_name = "N", default_value_t = 2, requires = "memory")]
    rounds: u32,
    /// Seconds for which CPU time is counted at each number.
    #[arg(long, value_name = "S", default_value_t = 1.0, requires = "memory")]
    window: f64,
    /// Write a report, in the format of the file's extension; again for another.
    #[arg(long = "report", value_name = "FILE.md|.csv|.json", action = ArgAction::Append)]
    reports: Vec<PathBuf>,
    /// One JSON object a lane, or with --memory one a kind.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(args: &Args) -> Exit {
    let mut reports = Vec::new();
    for path in &args.reports {
        match format_of(path) {
            Some(format) => reports.push((path.as_path(), format)),
            None => return out::usage(format!("{}: a report is .md, .csv or .json", path.display())),
        }
    }
    let ran = if args.memory { memory::go(args, &reports) } else { resilience::go(args, &reports) };
    ran.unwrap_or_else(|error| out::refuse(&error))
}

fn format_of(path: &std::path::Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "md" | "markdown" => Some(Format::Markdown),
        "csv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        _ => None,
    }
}
