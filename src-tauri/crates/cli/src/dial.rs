//! What the consoles, `listen` and `connect`, have in common: whom to call and on what terms.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgAction;
use weir_recordings::Library;
use weir_secrets::Secret;
use weir_sessions::console::Recording;
use weir_sessions::view::{ConsoleDraft, HeaderLine, Problem};
use weir_sessions::{Error, credentials};
use weir_transport::{Blame, Clock, Entry, Header, Limits, Target, Value};

use crate::home;
use crate::out::{self, Exit};
use crate::send::{environment, header};

/// Address, fields and key.
#[derive(clap::Args)]
pub struct Dial {
    /// Where to.
    #[arg(value_name = "URL")]
    pub url: String,
    /// A field of the request, again and again; {key} in it stands for the key.
    #[arg(long = "header", value_name = "K: V", action = ArgAction::Append)]
    headers: Vec<String>,
    /// Where the key comes from that stands in place of {key}; it is never printed.
    #[arg(long, value_name = "env:NAME|none", default_value = "none")]
    key: String,
    /// Accept any certificate.
    #[arg(long)]
    insecure: bool,
    /// Seconds that all of it may take.
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// Record the session into this file, which is made or added to.
    #[arg(long, value_name = "FILE.weir")]
    record: Option<PathBuf>,
}

/// A time limit.
pub fn seconds(text: &str) -> Result<Duration, String> {
    // A year: beyond that a limit is none.
    let fits = |seconds: &f64| *seconds > 0.0 && *seconds <= 31_536_000.0;
    text.parse().ok().filter(fits).map(Duration::from_secs_f64).ok_or_else(|| "a time limit is a number of seconds above 0".to_owned())
}

impl Dial {
    /// Whom to call. Nothing but dialling and the wait for an answer has a limit of its own: a console may be silent for hours.
    pub fn target(&self) -> Result<Target, Error> {
        let key = match self.key.strip_prefix("env:") {
            Some(name) if !name.is_empty() => Some(environment(name)?),
            _ if self.key == "none" => None,
            _ => {
                return Err(Error::new(
                    "user",
                    "key-choice",
                    "--key does not say where the key comes from.",
                    "Nothing was sent.",
                    "",
                    "Write env:NAME or none. A key itself has no place on the command line, where every program can read it.",
                ));
            }
        };
        Ok(Target {
            url: self.url.clone(),
            insecure: self.insecure,
            limits: Limits { idle: None, ..Limits::default() },
            key: key.filter(|key: &Secret| !key.is_empty()),
            // What is typed as it is must not reach a recording either.
            hidden: [credentials::of_headers(&self.lines()?), credentials::of_url(&self.url)].concat(),
            ..Target::default()
        })
    }

    /// The recording that is asked for, of what `draft` asks; its address, fields and certificates are these.
    pub fn recording(&self, draft: ConsoleDraft, clock: Clock) -> Result<Option<Recording>, Error> {
        let Some(file) = &self.record else { return Ok(None) };
        let draft = ConsoleDraft { url: self.url.clone(), headers: self.lines()?, insecure: self.insecure, ..draft };
        let engine = home::beside(Library::open(file)?)?;
        Recording::begin(&engine, &draft, clock).map(Some)
    }

    /// Whether it is.
    pub fn is_recorded(&self) -> bool {
        self.record.is_some()
    }

    fn lines(&self) -> Result<Vec<HeaderLine>, Error> {
        self.headers.iter().map(|text| header(text)).collect()
    }

    /// The fields as the transport takes them.
    pub fn headers(&self) -> Result<Vec<Header>, Error> {
        let line = |text: &String| {
            let line = header(text)?;
            Ok(Header { name: line.name, value: value(line.value) })
        };
        self.headers.iter().map(line).collect()
    }
}

/// Keeps the next entries; a disk that takes no more ends the record, and says so.
pub fn keep(recording: Recording, entries: &[Entry]) -> Option<Recording> {
    match recording.push(entries) {
        Ok(()) => Some(recording),
        Err(error) => {
            out::problem(&error.0);
            None
        }
    }
}

/// The record is whole.
pub fn kept(recording: Option<Recording>) {
    if let Some(Err(error)) = recording.map(Recording::finish) {
        out::problem(&error.0);
    }
}

/// A field's value, with the key in it or not.
pub fn value(text: String) -> Value {
    if text.contains("{key") { Value::Keyed(text) } else { Value::Plain(text) }
}

/// Writes an error of the wire on standard error.
pub fn problem(error: &weir_transport::Error) {
    out::problem(&Problem {
        blame: blame(error).into(),
        code: error.code.clone(),
        message: error.message.clone(),
        consequence: String::new(),
        evidence: error.evidence.clone(),
        next: error.next.clone(),
    });
}

/// The exit for an error of the wire; `sent` tells whether a byte of the request was written.
pub fn exit(error: &weir_transport::Error, sent: bool) -> Exit {
    match error.blame {
        _ if sent || error.code == "cancelled" => Exit::Failed,
        Blame::User => Exit::Usage,
        _ => Exit::NoConnection,
    }
}

fn blame(error: &weir_transport::Error) -> &'static str {
    match error.blame {
        Blame::Peer => "peer",
        Blame::Network => "network",
        Blame::Local => "local",
        Blame::Configuration => "configuration",
        Blame::User => "user",
    }
}
