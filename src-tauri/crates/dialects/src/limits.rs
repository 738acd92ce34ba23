//! Request ids and rate limits as response headers tell them, in every form that providers have for them.
//!
//! Names and formats: OpenAI and those who copied it tell a reset as a Go duration (`1m0s`), Anthropic as an RFC 3339 time, Cohere as a
//! Unix time, others in seconds; a `retry-after` is seconds or an HTTP date (RFC 9110 §10.2.3), `retry-after-ms` milliseconds.

#[cfg(test)]
mod tests;
mod time;

use serde::Serialize;
use ts_rs::TS;

/// A limit and what is left of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RateLimit {
    /// What is counted, as the header names it: `requests`, `tokens`, `input-tokens`, `tokens-minute`, …; `retry` for the wait that a
    /// refusal asks for.
    pub name: String,
    /// At most; `None` where it is not told, or told as −1 (no limit, or none known).
    #[ts(type = "number | null")]
    pub limit: Option<u64>,
    /// Left; `None` as for `limit`.
    #[ts(type = "number | null")]
    pub remaining: Option<u64>,
    /// Milliseconds from the response until it is full again (`retry`: until another request may be sent).
    #[ts(type = "number | null")]
    pub reset_ms: Option<u64>,
}

/// Headers that name the request, in the order in which they are believed: the provider's own before a gateway's.
const REQUEST_IDS: &[&str] = &[
    "x-request-id",
    "request-id",
    "x-requestid",
    "apim-request-id",
    "x-amzn-requestid",
    "x-generation-id",
    "x-ds-request-id",
    "x-dashscope-request-id",
    "x-debug-trace-id",
    "x-tt-logid",
    "x-siliconcloud-trace-id",
    "dg-request-id",
    "x-trace-id",
    "x-amz-cf-id",
    "cf-ray",
];

/// What a provider calls the request: its support asks for it. `headers` are name and value, in any case and order.
pub fn request_id(headers: &[(String, String)]) -> Option<&str> {
    let find = |name: &&str| headers.iter().find(|(known, value)| known.eq_ignore_ascii_case(name) && !value.trim().is_empty());
    REQUEST_IDS.iter().find_map(find).map(|(_, value)| value.trim())
}

/// The rate limits that a response's headers tell, in the order they first appear; the wait after a refusal comes last, as `retry`.
/// `now_unix_ms` is when the response came, for headers that tell a time of day.
pub fn rate_limits(headers: &[(String, String)], now_unix_ms: u64) -> Vec<RateLimit> {
    let mut found: Vec<RateLimit> = Vec::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let Some((counted, what)) = parse(&name) else {
            continue;
        };
        let at = found.iter().position(|limit| limit.name == counted).unwrap_or_else(|| {
            found.push(RateLimit { name: counted, ..RateLimit::default() });
            found.len() - 1
        });
        let limit = &mut found[at];
        match what {
            What::Limit => limit.limit = number(value),
            What::Remaining => limit.remaining = number(value),
            What::Reset => limit.reset_ms = time::until(value, now_unix_ms),
        }
    }
    if let Some(wait) = retry_after(headers, now_unix_ms) {
        found.push(RateLimit { name: "retry".to_owned(), reset_ms: Some(wait), ..RateLimit::default() });
    }
    found
}

/// How long a client is asked to wait before it tries again, ms. `retry-after-ms` is the finer, so it goes first, as in the SDKs.
pub fn retry_after(headers: &[(String, String)], now_unix_ms: u64) -> Option<u64> {
    let field = |name: &str| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    let ms = || ["retry-after-ms", "x-ms-retry-after-ms", "x-retry-after-ms"].into_iter().find_map(field).and_then(time::millis);
    let seconds = || ["retry-after", "x-retry-after"].into_iter().find_map(field).and_then(|value| time::until(value, now_unix_ms));
    ms().or_else(seconds)
}

/// What the server says of trying again, over the status: OpenAI and Anthropic send `x-should-retry`.
pub fn should_retry(headers: &[(String, String)]) -> Option<bool> {
    let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-should-retry"))?;
    match value.trim() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Which of the three a header tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Limit,
    Remaining,
    Reset,
}

/// What a rate-limit header counts, and which of the three it tells. `None` for any other header.
fn parse(name: &str) -> Option<(String, What)> {
    let rest = [
        "anthropic-priority-",
        "anthropic-ratelimit-",
        "anthropic-fast-",
        "x-ratelimit-",
        "x-rate-limit-",
        "ratelimit-",
        "x-ms-ratelimit-",
    ]
    .iter()
    .find_map(|start| name.strip_prefix(start).map(|rest| (*start, rest)));
    let (start, rest) = rest?;
    // Anthropic's tiers count the same things beside one another.
    let tier = match start {
        "anthropic-priority-" => "priority-",
        "anthropic-fast-" => "fast-",
        _ => "",
    };
    let words: Vec<&str> = rest.split('-').collect();
    let which = |word: &str| match word {
        "limit" => Some(What::Limit),
        "remaining" => Some(What::Remaining),
        "reset" | "renewalperiod" => Some(What::Reset),
        _ => None,
    };
    // The word stands at the front (OpenAI: remaining-tokens), at the end (Anthropic: tokens-remaining), or alone.
    let at = words.iter().position(|word| which(word).is_some())?;
    let what = which(words[at])?;
    let counted: Vec<&str> = words.iter().enumerate().filter(|(place, _)| *place != at).map(|(_, word)| *word).collect();
    let counted = match counted[..] {
        [] => "requests".to_owned(),
        // Mistral's short names: req-minute, tokens-minute.
        ["req", ref rest @ ..] => std::iter::once(&"requests").chain(rest).copied().collect::<Vec<_>>().join("-"),
        _ => counted.join("-"),
    };
    Some((format!("{tier}{counted}"), what))
}

/// A count. −1 is what Azure sends where there is no limit, or none it can tell. Of `100, 100;w=60` (draft RateLimit headers) the first counts.
fn number(value: &str) -> Option<u64> {
    let first = value.split([',', ';']).next()?.trim();
    first.parse().ok().or_else(|| first.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0).map(|n| n as u64))
}
