//! What hyper's errors mean, and whose fault they are.

use std::error::Error as _;
use std::io;
use std::sync::atomic::Ordering::Relaxed;

use crate::progress::Progress;
use crate::{Blame, Error};

/// Why an exchange over HTTP/1.1 failed, by the errors in the order they came.
pub(super) fn over_http1(errors: &[hyper::Error], progress: &Progress) -> Error {
    if !progress.opens_as_http2() {
        return tell(errors, progress);
    }
    other_version("The server speaks HTTP/2 alone here; it was asked over HTTP/1.1.", errors, "Send it over HTTP/2.")
}

/// Why an exchange over HTTP/2 failed, by the errors in the order they came.
pub(super) fn over_http2(errors: &[hyper::Error], progress: &Progress) -> Error {
    if !progress.opens_as_http1() {
        return tell(errors, progress);
    }
    other_version("The server answered over HTTP/1; it does not speak HTTP/2 here.", errors, "Send it over HTTP/1.1.")
}

fn other_version(message: &str, errors: &[hyper::Error], next: &str) -> Error {
    let words = errors.first().map(chain).unwrap_or_default();
    let error = Error::new(Blame::Configuration, "http-version", message).evidence(words).next(next);
    Error { consequence: "The server did not understand the request, so no tokens were used.".into(), ..error }
}

/// The most telling of several errors of one exchange, the first of them first.
fn tell(errors: &[hyper::Error], progress: &Progress) -> Error {
    let telling = errors.iter().find(|error| !(error.is_canceled() || error.is_closed() || says_nothing(error)));
    telling.or(errors.first()).map_or_else(|| cut(progress, ""), |error| classify(error, progress))
}

/// "channel closed" and its kin tell that the connection is gone, not why.
fn says_nothing(error: &hyper::Error) -> bool {
    error.source().is_none() && !error.is_parse() && !error.is_incomplete_message() && !error.is_user()
}

pub(super) fn classify(error: &hyper::Error, progress: &Progress) -> Error {
    let words = chain(error);
    if error.is_parse() {
        return broken(words);
    }
    if error.is_incomplete_message() {
        return cut(progress, &words);
    }
    if error.is_user() {
        return Error::new(Blame::User, "bad-request", "The request cannot be sent as it is.")
            .evidence(words)
            .next("Check its headers against what the protocol allows.");
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<h2::Error>() {
            return http2(error, progress, words);
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return from_io(error, progress, words);
        }
        source = cause.source();
    }
    if error.is_canceled() || error.is_closed() { cut(progress, &words) } else { broken(words) }
}

fn from_io(error: &io::Error, progress: &Progress, words: String) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) && error.kind() != io::ErrorKind::UnexpectedEof {
        return Error::new(Blame::Peer, "tls", "The TLS connection broke.")
            .evidence(words)
            .next("Try again; if it happens each time, something between may be altering the traffic.");
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => cut(progress, &words),
        // hyper reports a malformed body so.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => broken(words),
        _ => Error::io(error, "the exchange was under way").evidence(words),
    }
}

fn http2(error: &h2::Error, progress: &Progress, words: String) -> Error {
    if let Some(io) = error.get_io() {
        // The codec reports the end of the stream inside a frame so.
        return if matches!(io.kind(), io::ErrorKind::Other | io::ErrorKind::BrokenPipe) {
            cut(progress, &words)
        } else {
            from_io(io, progress, words)
        };
    }
    if error.is_remote() {
        let reason = error.reason().map_or_else(|| "no reason".to_owned(), |reason| reason.to_string());
        let what = if error.is_go_away() { "closed the connection" } else { "reset the stream" };
        return Error::new(Blame::Peer, "stream-reset", format!("The server {what}: {reason}."))
            .evidence(words)
            .next("Try again, or with HTTP/1.1.");
    }
    broken(words)
}

fn broken(words: String) -> Error {
    Error::new(Blame::Peer, "http-protocol", "The response breaks the rules of HTTP.")
        .evidence(words)
        .next("Look at the bytes; the server or a proxy before it is at fault.")
}

fn cut(progress: &Progress, words: &str) -> Error {
    let read = progress.read.load(Relaxed);
    let error = if read == 0 {
        Error::new(Blame::Peer, "empty-reply", "The server closed the connection without a word.")
            .next("Check that the port speaks HTTP, and whether it wants https.")
    } else {
        Error::new(Blame::Network, "cut", "The response ended before it was complete.")
            .next("Try again; a proxy or server limit may end long replies.")
    };
    error.evidence(if words.is_empty() { format!("{read} bytes came.") } else { format!("{words} ({read} bytes came)") })
}

/// An error with its causes, in the library's words.
fn chain(error: &hyper::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        if !words.ends_with(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        source = cause.source();
    }
    words
}
