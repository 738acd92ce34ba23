//! A kept reply once more, as it came.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use weir_sessions::{Engine, Error};

use crate::out::Exit;
use crate::send::{self, Output, Printer};

/// Play a kept reply as it came: every delta at its time. Nothing is sent; send-again asks the server once more.
#[derive(clap::Args)]
pub struct Args {
    /// Session.
    id: String,
    /// So many times as fast as it came; max does not wait at all.
    #[arg(long, value_name = "N|max", default_value = "1", value_parser = speed)]
    speed: f64,
    /// Print every delta as a line of JSON, the summary last.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print the summary alone, without text and reasoning.
    #[arg(long)]
    quiet: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    if text == "max" {
        return Ok(f64::INFINITY);
    }
    let speed = text.parse::<f64>().ok().filter(|speed| *speed > 0.0 && speed.is_finite());
    speed.ok_or_else(|| "it is a number above 0, or max".into())
}

/// Prints what the run printed, and ends as it ended.
pub fn run(engine: &Engine, args: &Args) -> Exit {
    let output = Output::of(args.json, args.quiet);
    send::told(play(engine, args, output), output)
}

fn play(engine: &Engine, args: &Args, output: Output) -> Result<Exit, Error> {
    let session = engine.session(&args.id)?;
    let printer = Printer::new(output);
    let mut tell = printer.tell();
    let began = Instant::now();
    session.retell(&mut |told| {
        // Where nothing is printed before the end, nothing is waited for.
        if !args.quiet {
            let due = Duration::from_secs_f64(told.t as f64 / 1e9 / args.speed);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
        tell(told);
        if printer.is_heard() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    send::conclude(&session, &printer)
}
