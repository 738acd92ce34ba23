//! What can go wrong, by whose fault it is.

use std::io;

use serde::{Deserialize, Serialize};

use crate::redact::Patterns;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// The other end broke a rule or refused.
    Peer,
    /// Something between the two ends.
    Network,
    /// This machine or program.
    Local,
    /// Settings: keychain, proxy, roots.
    Configuration,
    /// What the user typed.
    User,
}

/// Why a connection or an exchange failed. It is part of the log, so it serialises, and it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Whose fault it is.
    pub blame: Blame,
    /// Stable code, e.g. `dns`, `refused`, `reset`, `tls-name`, `timeout-connect`.
    pub code: String,
    /// Cause in one sentence.
    pub message: String,
    /// Consequence: what this means for the request (e.g. "Nothing was sent, so no tokens were used.").
    pub consequence: String,
    /// What was seen: addresses, status lines, the library's own words.
    pub evidence: String,
    /// What to do next.
    pub next: String,
}

impl Error {
    /// An error with its cause; the rest is added by the methods below.
    pub(crate) fn new(blame: Blame, code: &str, message: impl Into<String>) -> Self {
        Self {
            blame,
            code: code.to_owned(),
            message: message.into(),
            consequence: String::new(),
            evidence: String::new(),
            next: String::new(),
        }
    }

    pub(crate) fn evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = evidence.into();
        self
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// Says what the failure means for the request, by how far that had got.
    pub(crate) fn at(mut self, stage: Stage) -> Self {
        if self.consequence.is_empty() {
            self.consequence = match stage {
                Stage::Dialling => "Nothing was sent, so no tokens were used.",
                Stage::Sending => "The request was sent in part; the server has most likely not acted on it.",
                Stage::Waiting => "The request was sent; the server may have worked on it and counted its tokens.",
                Stage::Receiving => "What had arrived is kept; the rest of the reply is missing. Its tokens may have been counted.",
            }
            .to_owned();
        }
        self
    }

    /// Replaces every secret in every part.
    pub(crate) fn scrub(mut self, patterns: Option<&Patterns>) -> Self {
        if let Some(patterns) = patterns {
            for text in [&mut self.message, &mut self.consequence, &mut self.evidence, &mut self.next] {
                *text = patterns.scrub(text);
            }
        }
        self
    }

    /// The user stopped it.
    pub(crate) fn cancelled() -> Self {
        Self::new(Blame::User, "cancelled", "You stopped it.")
            .evidence("The connection was closed on your wish.")
            .next("Send it again when you want the rest.")
    }

    /// What a failed read or write on an open connection means. `doing` completes "The connection … while …".
    pub(crate) fn io(error: &io::Error, doing: &str) -> Self {
        let (code, happened) = match error.kind() {
            io::ErrorKind::UnexpectedEof => ("cut", "ended"),
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                ("reset", "was reset by the other side")
            }
            io::ErrorKind::TimedOut => ("timeout-idle", "timed out in the operating system"),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
                ("unreachable", "lost its route")
            }
            _ => ("io", "failed"),
        };
        Self::new(Blame::Network, code, format!("The connection {happened} while {doing}."))
            .evidence(error.to_string())
            .next("Try again; if it happens each time, look for a proxy, firewall or server limit between here and there.")
    }
}

/// How far an exchange had got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nothing of the request has been written.
    Dialling,
    /// Part of it has.
    Sending,
    /// All of it has, and nothing has come back.
    Waiting,
    /// The response has begun.
    Receiving,
}
