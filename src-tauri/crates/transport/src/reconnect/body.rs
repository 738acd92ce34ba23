//! An event stream's body: its content codings taken off, its items told.

use std::time::Duration;

use ::http::HeaderMap;
use ::http::header::CONTENT_ENCODING;
use weir_frames::coding::{Coding, Decoder, Item};
use weir_frames::{Limits, sse};

use super::{Tell, Told};
use crate::{Blame, Error};

/// A body that is being read.
pub(super) struct Body {
    /// In the order in which they are taken off.
    decoders: Vec<Decoder>,
    events: Events,
}

/// What is left of it without its codings.
struct Events {
    dissector: sse::Dissector,
    retry: Option<Duration>,
}

impl Body {
    /// The body of a response with these fields.
    ///
    /// # Errors
    /// It is under a coding that Weir does not know.
    pub(super) fn new(headers: &HeaderMap, last_event_id: &str) -> Result<Self, Error> {
        let values: Vec<_> = headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let codings = Coding::list(&values.join(",")).map_err(|name| {
            Error::new(Blame::Peer, "content-coding", "The server sends the stream in a coding that Weir does not know.")
                .evidence(format!("Content-Encoding: {name}"))
                .next("Ask for another with a header Accept-Encoding: identity.")
        })?;
        Ok(Self {
            decoders: codings.into_iter().rev().map(Decoder::new).collect(),
            events: Events { dissector: sse::Dissector::new(Limits::default(), last_event_id), retry: None },
        })
    }

    /// The last event id so far.
    pub(super) fn last_event_id(&self) -> &str {
        self.events.dissector.last_event_id()
    }

    /// The reconnection time, where the server has set one since it was last asked for.
    pub(super) fn retry(&mut self) -> Option<Duration> {
        self.events.retry.take()
    }

    /// The next bytes.
    ///
    /// # Errors
    /// They break the rules of their coding.
    pub(super) fn push(&mut self, bytes: &[u8], tell: &mut Tell<'_>) -> Result<(), Error> {
        take_off(&mut self.decoders, bytes, &mut |plain| self.events.push(plain, tell))
    }

    /// The end. What an unfinished coding still holds back is lost, as it is to every client.
    pub(super) fn finish(&mut self, tell: &mut Tell<'_>) {
        let retry = &mut self.events.retry;
        // A line that waited to learn whether an LF follows its CR ends with the body: it may be an event's last.
        self.events.dissector.finish(&mut |item| told(item, retry, tell));
    }
}

impl Events {
    fn push(&mut self, bytes: &[u8], tell: &mut Tell<'_>) {
        let retry = &mut self.retry;
        self.dissector.push(bytes, &mut |item| told(item, retry, tell));
    }
}

fn told(item: sse::Item<'_>, retry: &mut Option<Duration>, tell: &mut Tell<'_>) {
    if let sse::Item::Retry { ms, .. } = item {
        *retry = Some(Duration::from_millis(ms));
    }
    tell(Told::Item(item));
}

/// Takes one coding after the other off.
fn take_off(decoders: &mut [Decoder], bytes: &[u8], plain: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    let Some((decoder, inner)) = decoders.split_first_mut() else {
        plain(bytes);
        return Ok(());
    };
    let mut outcome = Ok(());
    decoder.push(bytes, &mut |item| match item {
        Item::Data { bytes, .. } if outcome.is_ok() => outcome = take_off(inner, bytes, plain),
        Item::Error { code, message, .. } if outcome.is_ok() => {
            let error = Error::new(Blame::Peer, "content-coding", "The stream breaks the rules of its content coding.");
            outcome = Err(error
                .evidence(format!("{code}: {message}"))
                .next("Ask for the stream uncoded, with a header Accept-Encoding: identity."));
        }
        _ => {}
    });
    outcome
}
