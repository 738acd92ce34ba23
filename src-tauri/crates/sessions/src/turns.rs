//! Further turns on a socket that stays open.

use weir_dialects::{Ask, Outgoing};

use crate::line::Wish;
use crate::{Error, Session};

impl Session {
    /// Sends another turn: the newest user message or tool results of `ask`.
    ///
    /// # Errors
    /// `no-turns` where the dialect has none, `closed` where the socket is no longer open, and what the dialect cannot express.
    pub fn say(&self, ask: &Ask) -> Result<(), Error> {
        let plan = self.plan();
        let previous = self.analysis().reply_id().map(str::to_owned);
        let messages = plan.dialect().turn(ask, plan.draft.transport, previous.as_deref())?;
        if messages.is_empty() {
            return Err(Error::new(
                "user",
                "no-turns",
                format!("{} takes one turn on a connection.", plan.dialect().name()),
                "Nothing was sent.",
                "",
                "Send it as a new request.",
            ));
        }
        // All words that are waited for are known before the first message goes: the answer to it may come before the next is queued.
        messages.iter().for_each(|message| self.want(message));
        messages.into_iter().try_for_each(|message| self.wish(message))
    }

    /// Sends one message as it is.
    ///
    /// # Errors
    /// `closed` where the socket is no longer open.
    pub fn tell(&self, message: Outgoing) -> Result<(), Error> {
        self.want(&message);
        self.wish(message)
    }

    /// From now on the word that holds `message` back is listened for; what was heard before does not count.
    fn want(&self, message: &Outgoing) {
        if let Some(word) = &message.after {
            self.line().want(word);
        }
    }

    fn wish(&self, message: Outgoing) -> Result<(), Error> {
        if self.is_live() && self.line().wish(Wish::Say(message)) { Ok(()) } else { Err(closed()) }
    }

    /// Sends a ping; the peer's pong shows among the frames.
    ///
    /// # Errors
    /// `bad-ping` where `payload` has more than the 125 bytes of a control frame (RFC 6455 §5.5), `closed` where the socket is no longer open.
    pub fn ping(&self, payload: &str) -> Result<(), Error> {
        if payload.len() > 125 {
            return Err(Error::new("user", "bad-ping", "A ping carries at most 125 bytes.", "Nothing was sent.", "", "Send less."));
        }
        if self.is_live() && self.line().wish(Wish::Ping(payload.to_owned())) { Ok(()) } else { Err(closed()) }
    }

    /// Closes the socket with 1000, after what was said before.
    ///
    /// # Errors
    /// `closed` where it is closed already.
    pub fn hang_up(&self) -> Result<(), Error> {
        if self.is_live() && self.line().wish(Wish::HangUp) { Ok(()) } else { Err(closed()) }
    }
}

fn closed() -> Error {
    Error::new("user", "closed", "The connection is closed.", "Nothing was sent.", "", "Send the request again to open another.")
}
