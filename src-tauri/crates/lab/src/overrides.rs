//! What a single request may change for itself: `x-lab-*` headers, or query parameters of the same names for clients that
//! cannot set headers (a browser's WebSocket).

use http::HeaderMap;

use crate::fault::Faults;
use crate::pace::Shape;
use crate::rejection::Rejection;
use crate::settings::{MAX_REPLY_TOKENS, Reply, Settings};

/// Settings and faults of one request.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub settings: Settings,
    pub faults: Faults,
}

impl Terms {
    /// The settings the connection began under, as changed by the request.
    pub(crate) fn of(settings: &Settings, headers: &HeaderMap, query: &str) -> Result<Terms, Rejection> {
        let mut settings = settings.clone();
        let mut faults = Faults::of(&settings.faults).map_err(|e| bad("x-lab-fault", &e.to_string()))?;
        for (name, value) in asked(headers, query) {
            apply(&mut settings, &mut faults, &name, &value)?;
        }
        if settings.pace.reply_tokens > MAX_REPLY_TOKENS {
            return Err(bad("x-lab-tokens", &format!("a reply has at most {MAX_REPLY_TOKENS} tokens")));
        }
        Ok(Terms { settings, faults })
    }
}

/// Every `x-lab-*` of the query, then of the headers, which win. Several `x-lab-fault` headers add up.
fn asked(headers: &HeaderMap, query: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = pairs(query).filter(|(name, _)| name.starts_with("x-lab-")).collect();
    for name in headers.keys().filter(|n| n.as_str().starts_with("x-lab-")) {
        let values: Vec<&str> = headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
        found.push((name.as_str().into(), values.join(",")));
    }
    found
}

fn apply(settings: &mut Settings, faults: &mut Faults, name: &str, value: &str) -> Result<(), Rejection> {
    fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Rejection> {
        value.trim().parse().map_err(|_| bad(name, &format!("`{value}` is not a number")))
    }
    let pace = &mut settings.pace;
    match name {
        "x-lab-ttft-ms" => pace.ttft_ms = number(name, value)?,
        "x-lab-rate" => {
            pace.tokens_per_second = number(name, value)?;
            if !(pace.tokens_per_second.is_finite() && pace.tokens_per_second >= 0.0) {
                return Err(bad(name, "a rate is 0 or more tokens a second"));
            }
        }
        "x-lab-tokens" => pace.reply_tokens = number(name, value)?,
        "x-lab-seed" => pace.seed = number(name, value)?,
        "x-lab-jitter" => pace.jitter_percent = number(name, value)?,
        "x-lab-tokens-per-event" => pace.tokens_per_event = number::<u32>(name, value)?.max(1),
        "x-lab-shape" => {
            pace.shape = match value {
                "steady" => Shape::Steady,
                "bursty" => Shape::Bursty,
                _ => return Err(bad(name, "a shape is steady or bursty")),
            }
        }
        "x-lab-reply" => {
            settings.reply = match value {
                "lesson" => Reply::Lesson,
                "echo" => Reply::Echo,
                "unicode" => Reply::Unicode,
                _ => return Err(bad(name, "a reply is lesson, echo or unicode")),
            }
        }
        "x-lab-fault" => *faults = Faults::parse(value).map_err(|e| bad(name, &e.to_string()))?,
        _ => return Err(bad(name, "there is no such override")),
    }
    Ok(())
}

fn bad(name: &str, why: &str) -> Rejection {
    Rejection::invalid(Some(name), format!("{name}: {why}."))
}

/// The names and values of a query, percent-decoded.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|p| !p.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(name, true), unescape(value, true))
    })
}

/// Percent-decoding; what is not an escape stays as it is. In a `form` (`application/x-www-form-urlencoded`) a plus is a space.
pub(crate) fn unescape(text: &str, form: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| (*b as char).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) if form => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_win_over_the_query_and_both_over_the_settings() {
        let mut headers = HeaderMap::new();
        headers.insert("x-lab-tokens", "9".parse().unwrap());
        headers.append("x-lab-fault", "cr-only".parse().unwrap());
        headers.append("x-lab-fault", "drop-after=3".parse().unwrap());
        let terms = Terms::of(&Settings::default(), &headers, "x-lab-tokens=5&x-lab-seed=11&x-lab-reply=ec%68o").unwrap();
        assert_eq!((terms.settings.pace.reply_tokens, terms.settings.pace.seed), (9, 11));
        assert_eq!(terms.settings.reply, Reply::Echo);
        assert_eq!((terms.faults.cr_only, terms.faults.drop_after), (true, Some(3)));
    }

    #[test]
    fn mistakes_are_named() {
        for query in ["x-lab-rate=-1", "x-lab-seed=x", "x-lab-tokns=1", "x-lab-tokens=1000001", "x-lab-fault=boom", "x-lab-shape=round"] {
            let error = Terms::of(&Settings::default(), &HeaderMap::new(), query).unwrap_err();
            assert_eq!(error.status, 400, "{query}");
            assert!(error.param.is_some());
        }
    }
}
