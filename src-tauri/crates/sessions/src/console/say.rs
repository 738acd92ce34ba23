//! What the user does on a console's open socket.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use weir_dialects::Outgoing;

use crate::line::Wish;
use crate::view::{ConsoleRule, MessageForm};
use crate::{Error, Session, credentials};

impl Session {
    /// Sends a message in the form it is written in; `text` is its content, or hexadecimal digits (spaces may stand between them), or
    /// Base64.
    ///
    /// # Errors
    /// `bad-hex`, `bad-base64`; `bad-ping` beyond 125 bytes; `not-kept` where stars stand for a key; `closed` where the socket is no longer open.
    pub fn send_as(&self, form: MessageForm, text: &str) -> Result<(), Error> {
        match form {
            MessageForm::Text => {
                credentials::whole(&[], &[], &[], &[text])?;
                self.tell(Outgoing::text(text.to_owned()))
            }
            MessageForm::Ping => self.ping(text),
            MessageForm::Hex => self.ask(Wish::Bytes(hex(text).ok_or_else(|| {
                refused("bad-hex", "These are no bytes in hexadecimal digits.", text, "Write pairs of 0–9 and a–f, like 48 65 6c.")
            })?)),
            MessageForm::Base64 => {
                let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                let bytes = BASE64_STANDARD
                    .decode(digits)
                    .map_err(|why| refused("bad-base64", "This is no Base64.", &why.to_string(), "Write it with padding (RFC 4648 §4)."))?;
                self.ask(Wish::Bytes(bytes))
            }
        }
    }

    /// Begins the closing handshake.
    ///
    /// # Errors
    /// `bad-close` for a code that may not be sent (RFC 6455 §7.4) or a reason beyond 123 bytes; `closed` where it is closed already.
    pub fn close_as(&self, code: u16, reason: &str) -> Result<(), Error> {
        if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) || reason.len() > 123 {
            let seen = format!("code {code}, a reason of {} bytes", reason.len());
            let next = "Use 1000, or a code from 3000 to 4999, and a reason of at most 123 bytes (RFC 6455 §7.4).";
            return Err(refused("bad-close", "A connection cannot be closed with this.", &seen, next));
        }
        self.ask(Wish::Close(code, reason.to_owned()))
    }

    /// Puts echo and rules in force on the running console.
    ///
    /// # Errors
    /// `console-rule` where a rule cannot be read; those in force stay.
    pub fn answer_by(&self, echo: bool, rules: &[ConsoleRule]) -> Result<(), Error> {
        self.reflexes().set(echo, rules)?;
        self.notify();
        Ok(())
    }

    fn ask(&self, wish: Wish) -> Result<(), Error> {
        if self.is_live() && self.line().wish(wish) {
            return Ok(());
        }
        Err(refused("closed", "The connection is closed.", "", "Connect again to open another."))
    }
}

fn refused(code: &str, message: &str, evidence: &str, next: &str) -> Error {
    Error::new("user", code, message, "Nothing was sent.", evidence, next)
}

/// Bytes from pairs of digits.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}
