//! Secrets in use are starred out of text that leaves the program: test results, crash output.

use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError, TryLockError, Weak};

use zeroize::Zeroizing;

use crate::{Keys, Secret};

/// Below this many bytes a secret is no secret, and starring it out would eat ordinary words.
const SHORTEST: usize = 4;

/// The secrets that are alive somewhere in the process. It holds none of them alive itself.
#[derive(Default)]
pub(crate) struct Live(Mutex<Vec<Weak<Zeroizing<String>>>>);

impl Live {
    /// Remembers a secret for as long as someone else holds it.
    pub(crate) fn add(&self, secret: &Secret) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.strong_count() > 0);
        all.push(secret.watch());
    }

    /// `text` with each live secret replaced by as many stars as it has bytes.
    pub(crate) fn redact(&self, text: &str) -> String {
        stars(&self.0.lock().unwrap_or_else(PoisonError::into_inner), text)
    }

    /// The same, or `None` where waiting could hang: the panicking thread may hold the lock itself.
    fn try_redact(&self, text: &str) -> Option<String> {
        match self.0.try_lock() {
            Ok(all) => Some(stars(&all, text)),
            Err(TryLockError::Poisoned(all)) => Some(stars(&all.into_inner(), text)),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

fn stars(secrets: &[Weak<Zeroizing<String>>], text: &str) -> String {
    let mut secrets: Vec<_> = secrets.iter().filter_map(Weak::upgrade).filter(|secret| secret.len() >= SHORTEST).collect();
    // The longest first: one key may be the beginning of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(text.to_owned(), |text, secret| {
        if text.contains(secret.as_str()) { text.replace(secret.as_str(), &"*".repeat(secret.len())) } else { text }
    })
}

/// Replaces the process's panic hook by one that prints thread, place and message to standard error, with every secret in
/// use starred out. The backtrace (as `RUST_BACKTRACE` asks) names functions only.
pub fn install_panic_redaction(keys: &Keys) {
    let keys = keys.clone();
    std::panic::set_hook(Box::new(move |panic| {
        // Not `eprintln!`: it panics where standard error is closed, and a panic in here aborts.
        let _ = writeln!(std::io::stderr().lock(), "{}", report(keys.live(), panic));
    }));
}

fn report(live: &Live, panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let message = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = message.unwrap_or("a value that is not text");
    let message = live.try_redact(message).unwrap_or_else(|| "(message withheld: the keys were being changed)".to_owned());
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let trace = std::backtrace::Backtrace::capture();
    let trace = if trace.status() == std::backtrace::BacktraceStatus::Captured { format!("\n{trace}") } else { String::new() };
    format!("thread '{thread}' panicked at {place}:\n{message}{trace}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_live_secrets_are_starred_and_the_length_stays() {
        let live = Live::default();
        let (long, short, tiny) = (Secret::new("sk-live-äöü-extended"), Secret::new("sk-live-äöü"), Secret::new("abc"));
        for secret in [&short, &long, &tiny] {
            live.add(secret);
        }
        let text = "abc sk-live-äöü-extended then sk-live-äöü.";
        let starred = live.redact(text);
        assert_eq!(starred, format!("abc {} then {}.", "*".repeat(23), "*".repeat(14)));
        assert_eq!(starred.len(), text.len());
        drop((long, short));
        assert_eq!(live.redact(text), text, "a secret that is gone is not kept to search for it");
    }

    #[test]
    fn a_held_lock_does_not_hang_the_hook() {
        let live = Live::default();
        let held = live.0.lock().unwrap();
        assert_eq!(live.try_redact("x"), None);
        drop(held);
        assert_eq!(live.try_redact("x").as_deref(), Some("x"));
    }
}
