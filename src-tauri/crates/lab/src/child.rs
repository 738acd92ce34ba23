//! A Lab as a process of its own, for whoever wants to measure it apart from what asks it.

use std::io::{Read, Write};
use std::process::ExitCode;

use crate::{Lab, LabConfig};

/// Serves on any free port, tells `listening on URL` on standard output, and ends with its standard input: whoever started it need only go
/// away, however that happens.
pub fn serve_until_input_ends() -> ExitCode {
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::FAILURE };
    let lab = runtime.block_on(Lab::start(LabConfig { port: 0, ..LabConfig::default() }));
    let Ok(lab) = lab else { return ExitCode::FAILURE };
    let mut out = std::io::stdout().lock();
    if writeln!(out, "listening on {}", lab.url()).and_then(|()| out.flush()).is_err() {
        return ExitCode::FAILURE;
    }
    // However its input ends, that is the end.
    let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
    lab.close_all();
    // A connection that does not close is none worth waiting for.
    runtime.shutdown_background();
    ExitCode::SUCCESS
}
