//! How a command ends, and how it speaks on standard output and standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;
use weir_sessions::view::Problem;

/// How a command ended; the numbers are part of the public surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The stream completed; for other commands: done.
    Done = 0,
    /// It ended otherwise.
    Failed = 1,
    /// The command line cannot be followed as it is.
    Usage = 2,
    /// No connection came about: DNS, TCP, TLS.
    NoConnection = 3,
}

impl Exit {
    /// As the process tells it.
    pub fn code(self) -> ExitCode {
        ExitCode::from(self as u8)
    }

    /// For an error before anything was sent.
    pub fn of(problem: &Problem) -> Self {
        if problem.blame == "user" { Self::Usage } else { Self::Failed }
    }
}

/// Writes an error on standard error: cause, consequence, evidence, next step.
pub fn problem(problem: &Problem) {
    let mut text = format!("weir-cli: {}\n", printable(&problem.message));
    if !problem.consequence.is_empty() {
        text.push_str(&format!("  {}\n", printable(&problem.consequence)));
    }
    for line in problem.evidence.lines().filter(|line| !line.trim().is_empty()) {
        text.push_str(&format!("  | {}\n", printable(line)));
    }
    if !problem.next.is_empty() {
        text.push_str(&format!("  {}\n", printable(&problem.next)));
    }
    note(text.trim_end());
}

/// Writes a problem and tells the exit that goes with it.
pub fn refuse(error: &weir_sessions::Error) -> Exit {
    problem(&error.0);
    Exit::of(&error.0)
}

/// Wrong usage that clap could not see.
pub fn usage(message: impl AsRef<str>) -> Exit {
    note(&format!("error: {}\n\nFor more information, try '--help'.", message.as_ref()));
    Exit::Usage
}

/// Writes a line on standard error. That it cannot be written is nothing anybody could be told.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes one JSON object as a line, and out it goes.
pub fn json(value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

/// Writes text as it stands, and out it goes.
pub fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The exit for a failed write: a reader that went away, as `head` does, is no error of ours.
pub fn unwritten(error: &io::Error) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Done;
    }
    note(&format!("weir-cli: Standard output cannot be written.\n  | {error}"));
    Exit::Failed
}

/// Text for a terminal: what a peer sent must not move its cursor or set its title. Line feed and tab stay.
pub fn printable(text: &str) -> std::borrow::Cow<'_, str> {
    let safe = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if text.chars().all(safe) {
        return text.into();
    }
    text.chars().map(|c| if safe(c) { c } else { char::REPLACEMENT_CHARACTER }).collect::<String>().into()
}
