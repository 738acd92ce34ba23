//! What can go wrong with a key, by whose fault it is. No text here ever holds a key.

use std::time::Duration;

use serde::Serialize;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// This machine or program: disk, permissions.
    Local,
    /// Settings: the keychain is absent, locked, or refuses; no key was set.
    Configuration,
    /// What the user typed.
    User,
}

/// Why a key could not be kept, read, deleted or sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Whose fault it is.
    pub blame: Blame,
    /// Stable code: `keychain-missing`, `keychain-locked`, `keychain-denied`, `keychain-timeout`, `keychain-failed`,
    /// `key-missing`, `key-empty`, `key-too-long`, `key-characters`, `header-template`, `provider-name`, `keys-file`,
    /// `keys-file-damaged`.
    pub code: &'static str,
    /// Cause in one sentence.
    pub message: String,
    /// Consequence: what this means for what was asked.
    pub consequence: String,
    /// What was seen: the library's or system's own words.
    pub evidence: String,
    /// What to do next.
    pub next: String,
}

/// What was being done, for the consequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Set,
    Read,
    Delete,
    Unlock,
}

impl Act {
    /// What it means that the act did not happen.
    fn undone(self) -> &'static str {
        match self {
            Act::Set => "The key was not stored.",
            Act::Read => "Nothing was sent, so no tokens were used.",
            Act::Delete => "The key was not deleted.",
            Act::Unlock => "Stored keys stay out of reach.",
        }
    }

    /// What it means that nobody knows whether the act happened.
    fn unknown(self) -> &'static str {
        match self {
            Act::Set => "It is not known whether the key was stored.",
            Act::Delete => "It is not known whether the key was deleted.",
            Act::Read | Act::Unlock => self.undone(),
        }
    }
}

/// Why the keychain did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// There is none, or it cannot be talked to.
    Missing(String),
    /// It needs the user's password first.
    Locked(String),
    /// The user or the system said no.
    Denied(String),
    /// No answer in time.
    Timeout(String),
    /// It holds no such item.
    NoEntry,
    /// More than it can hold: its limit in the unit it counts (bytes or characters).
    TooLong(u32),
    /// Anything else.
    Failed(String),
}

impl Obstacle {
    /// The error to show for it.
    pub(crate) fn error(self, store: &str, provider: &str, act: Act) -> Error {
        let keep = match act {
            Act::Set => "or keep the key for this session only",
            Act::Read | Act::Unlock => "or add the key for this session only; the Lab works without one",
            Act::Delete => "and delete the key again",
        };
        let of = |blame, code, message: String, consequence: &str, evidence: String, next: String| Error {
            blame,
            code,
            message,
            consequence: consequence.to_owned(),
            evidence,
            next,
        };
        use Blame::{Configuration, User};
        match self {
            Obstacle::Missing(evidence) => {
                let next = format!("Start a keychain ({}), {keep}.", remedy());
                of(Configuration, "keychain-missing", format!("No {store} could be reached."), act.undone(), evidence, next)
            }
            Obstacle::Locked(evidence) => of(
                Configuration,
                "keychain-locked",
                "The keychain is locked.".into(),
                act.undone(),
                evidence,
                format!("Unlock it, {keep}."),
            ),
            Obstacle::Denied(evidence) => {
                let next = format!("Try again and allow access when {store} asks, {keep}.");
                of(Configuration, "keychain-denied", format!("{store} refused access."), act.undone(), evidence, next)
            }
            Obstacle::Timeout(evidence) => {
                let next = format!("Look for an open {store} prompt, or restart {store}, then try again, {keep}.");
                of(Configuration, "keychain-timeout", format!("{store} did not answer."), act.unknown(), evidence, next)
            }
            Obstacle::NoEntry => Error {
                consequence: act.undone().into(),
                evidence: format!("{store} holds no item of service `weir` for `{provider}`."),
                ..Error::no_key(provider)
            },
            Obstacle::TooLong(limit) => {
                let evidence = format!("Its limit is {limit}.");
                let next = "Check that only the key was pasted, or keep it for this session only.".into();
                of(User, "key-too-long", format!("The key is longer than {store} can hold."), act.undone(), evidence, next)
            }
            Obstacle::Failed(evidence) => of(
                Configuration,
                "keychain-failed",
                format!("{store} reported an error."),
                act.undone(),
                evidence,
                format!("Check that {store} works, {keep}."),
            ),
        }
    }

    /// No answer within `limit`.
    pub(crate) fn timeout(limit: Duration) -> Self {
        Obstacle::Timeout(format!("No answer within {} s.", limit.as_secs_f32()))
    }
}

/// What starts a keychain on this system.
fn remedy() -> &'static str {
    if cfg!(target_os = "macos") {
        "Keychain Access"
    } else if cfg!(windows) {
        "the Credential Manager service"
    } else {
        "GNOME Keyring, KWallet or KeePassXC, in a desktop session"
    }
}

impl Error {
    /// There is no key for the provider, in memory or in the keychain.
    pub(crate) fn no_key(provider: &str) -> Self {
        Self {
            blame: Blame::Configuration,
            code: "key-missing",
            message: format!("There is no key for {provider}."),
            consequence: Act::Read.undone().into(),
            evidence: "Neither the keychain nor this session holds one.".into(),
            next: "Add the key in Keys.".into(),
        }
    }

    /// A key with nothing in it.
    pub(crate) fn empty() -> Self {
        Self {
            blame: Blame::User,
            code: "key-empty",
            message: "The key is empty.".into(),
            consequence: "Nothing was stored.".into(),
            evidence: "After white space at both ends was dropped, nothing was left.".into(),
            next: "Paste the key again.".into(),
        }
    }

    /// A provider id that is not a lower-case name.
    pub(crate) fn provider_name(id: &str) -> Self {
        Self {
            blame: Blame::User,
            code: "provider-name",
            message: "This is not a provider's name.".into(),
            consequence: "Nothing was stored, read or deleted.".into(),
            // The id is not quoted: a key pasted into the wrong field must not end up in an error text.
            evidence: format!("{} characters were given.", id.chars().count()),
            next: "Use 1 to 64 of a to z, 0 to 9, dot, dash and underscore, beginning with a letter or digit.".into(),
        }
    }

    /// The file of what is not secret could not be read or written.
    pub(crate) fn file(path: &std::path::Path, what: &str, cause: &dyn std::fmt::Display, consequence: &str) -> Self {
        Self {
            blame: Blame::Local,
            code: "keys-file",
            message: format!("The list of keys could not be {what}."),
            consequence: consequence.to_owned(),
            evidence: format!("{}: {cause}", path.display()),
            next: "Check the folder's permissions and the free space on its disk.".into(),
        }
    }
}
