//! The processes: the Lab and the client, this program started again.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::Error;

/// How this program is started as one of the two ends.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The program.
    pub exe: PathBuf,
    /// Arguments that make it serve a Lab on any free port until its input ends, telling `listening on URL`.
    pub lab: Vec<String>,
    /// Arguments that make it be [`super::client`].
    pub client: Vec<String>,
}

impl Programs {
    /// This program with these arguments.
    ///
    /// # Errors
    /// `no-program` where the system does not tell which program this is.
    pub fn own(lab: &[&str], client: &[&str]) -> Result<Self, Error> {
        let owned = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect();
        let exe = std::env::current_exe().map_err(|error| unstarted(&error, "the path of this program"))?;
        Ok(Self { exe, lab: owned(lab), client: owned(client) })
    }
}

/// A process that is spoken with in lines. It is ended when this is dropped; should this program be gone first, it ends with its input.
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    what: &'static str,
}

/// What the client answers.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Answer {
    /// Connections that are open.
    pub(super) open: u32,
    /// Sockets they are on.
    pub(super) sockets: u32,
    /// Connections that have ended though they should not.
    pub(super) ended: u32,
    /// Why the last of those did.
    pub(super) why: Option<String>,
}

impl Process {
    /// Starts one; `what` names it in errors.
    pub(super) fn start(exe: &PathBuf, args: &[String], what: &'static str) -> Result<Self, Error> {
        let mut command = Command::new(exe);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| unstarted(&error, &exe.display().to_string()))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| gone(what, "it has no pipes"))?;
        Ok(Self { child, input, lines: BufReader::new(output).lines(), what })
    }

    /// Its id; none once it is gone.
    pub(super) fn pid(&self) -> Result<u32, Error> {
        self.child.id().ok_or_else(|| gone(self.what, "it has ended"))
    }

    /// Its next line.
    pub(super) async fn line(&mut self, patience: Duration) -> Result<String, Error> {
        match timeout(patience, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => Err(gone(self.what, "it ended")),
            Ok(Err(error)) => Err(gone(self.what, &error.to_string())),
            Err(_) => Err(gone(self.what, &format!("no answer for {} s", patience.as_secs()))),
        }
    }

    /// Says a line to it.
    pub(super) async fn say(&mut self, line: &str) -> Result<(), Error> {
        let said = async {
            self.input.write_all(line.as_bytes()).await?;
            self.input.write_all(b"\n").await?;
            self.input.flush().await
        };
        said.await.map_err(|error| gone(self.what, &error.to_string()))
    }

    /// Ends it, and waits until it is gone.
    pub(super) async fn end(mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.child.kill().await;
    }
}

fn unstarted(error: &std::io::Error, evidence: &str) -> Error {
    Error::new(
        "local",
        "no-program",
        "Weir could not start itself as a second process.",
        "Nothing was measured.",
        format!("{evidence}: {error}"),
        "If Weir was updated while it ran, start it anew; else close other programs.",
    )
}

fn gone(what: &str, evidence: &str) -> Error {
    Error::new(
        "local",
        "process-gone",
        format!("The process of {what} does not answer."),
        "What was measured by then is kept.",
        evidence,
        "Try fewer connections; the system may be short of memory.",
    )
}
