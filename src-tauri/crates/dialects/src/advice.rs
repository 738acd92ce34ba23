//! What a provider's own error code means, and what to do about it.
//!
//! Codes come first, those of the dialect before those that many share; where the code says nothing (`400`, `invalid_request_error`,
//! or none at all) the message is searched for what providers are known to write.

mod causes;
mod codes;
#[cfg(test)]
mod tests;
mod words;

pub use causes::Cause;

/// What an error means, and the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What the error is, whoever tells it.
    pub cause: Cause,
    /// What it means, one sentence.
    pub means: &'static str,
    /// What to do, one sentence or two.
    pub next: &'static str,
}

impl Advice {
    /// What there is to say about a cause.
    pub const fn of(cause: Cause) -> Self {
        Self { cause, means: cause.means(), next: cause.next() }
    }
}

/// Advice for an error of `dialect` (its id). `status` is the HTTP status, 0 where it is not known; `code` and `message` are the provider's
/// own, "" where it gave none. `None` where nothing more can be said than the provider says.
pub fn advice(dialect: &str, status: u16, code: &str, message: &str) -> Option<Advice> {
    let cause = codes::sharp(dialect, code)
        .or_else(|| words::cause(dialect, message))
        .or_else(|| codes::blunt(code))
        .or_else(|| by_status(status))?;
    Some(Advice::of(cause))
}

/// What a status says that is but for one cause.
fn by_status(status: u16) -> Option<Cause> {
    match status {
        401 => Some(Cause::WrongKey),
        402 => Some(Cause::Quota),
        451 => Some(Cause::Region),
        529 => Some(Cause::Overloaded),
        _ => None,
    }
}
