//! How a secret may be spelt.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
#[cfg(test)]
use memchr::memmem;
use memchr::memmem::Finder;

use super::huffman::{self, Coded};

/// What stands in the log for each byte of a secret.
pub(super) const STAR: u8 = b'*';

/// Below this many bytes a key is a placeholder that local servers ask for (`x`, `none`), and replacing each of its occurrences
/// would damage the log (chunk sizes, JSON). Such a key is replaced where a request usually carries it: `Bearer KEY`, `Token KEY`, the value of a
/// field `…key` or `…token`, `key=KEY` and `token=KEY` in the query, `…key.KEY` and `token, KEY` as subprotocols.
const SHORT: usize = 6;

/// Everything to look for: each secret as it is and in each encoding that differs.
///
/// By default nothing. Who shares it may [`Patterns::add`] secrets as they turn up.
#[derive(Default)]
pub struct Patterns(RwLock<Arc<Sets>>);

/// What to look for at one moment.
#[derive(Clone, Default)]
pub(super) struct Sets {
    /// For bodies and messages.
    pub(super) payload: Set,
    /// For heads, chunk lines and whatever else is text around a payload.
    pub(super) line: Set,
    /// For HPACK blocks.
    coded: Vec<Coded>,
}

impl Patterns {
    /// Patterns for `secrets`. With `basic` also for what HTTP's Basic authentication makes of them. `None` when there is
    /// nothing to look for.
    pub fn new(secrets: &[&str], basic: bool) -> Option<Self> {
        let mut sets = Sets::default();
        secrets.iter().for_each(|secret| sets.add(secret, basic));
        (!sets.is_empty()).then_some(Self(RwLock::new(Arc::new(sets))))
    }

    /// From here on looks for `secret` too; what was logged before stays as it is.
    pub fn add(&self, secret: &str) {
        let mut sets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut sets).add(secret, false);
    }

    /// What to look for now.
    pub(super) fn sets(&self) -> Arc<Sets> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// `text` with every secret replaced.
    pub fn scrub(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.sets().line.find(text.as_bytes(), |secret| bytes[secret].fill(STAR));
        // A secret is text, so what is left of a text around it is text as well; lossy for the compiler's sake.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether a secret stands in `payload`.
    pub fn occurs(&self, payload: &[u8]) -> bool {
        let sets = self.sets();
        [&sets.payload, &sets.line].iter().any(|set| set.patterns.iter().any(|pattern| pattern.finder.find(payload).is_some()))
    }
}

impl Sets {
    /// There is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.line.patterns.is_empty()
    }

    fn add(&mut self, secret: &str, basic: bool) {
        if secret.is_empty() {
            return;
        }
        for text in spellings(secret, basic) {
            if text.len() < SHORT {
                short(&text, &mut self.line, &mut self.coded);
            } else {
                self.payload.add(&[], &text, &[]);
                self.line.add(&[], &text, &[]);
                self.coded.push(Coded::new(b"", b"", &text));
            }
        }
    }

    /// Replaces every secret in an HPACK block, coded or not.
    pub(super) fn redact_block(&self, block: &mut [u8]) {
        let mut plain = Vec::new();
        self.line.find(block, |secret| plain.push(secret));
        for secret in plain {
            block[secret].fill(STAR);
        }
        for coded in &self.coded {
            coded.redact(block);
        }
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// `secret` itself, percent-encoded (as [`percent_encode`] does, and with lower-case digits), as in a JSON string (with and
/// without `\/`, and all ASCII), and in Base64 as a user, as a password and as both.
fn spellings(secret: &str, basic: bool) -> Vec<Vec<u8>> {
    let percent = percent_encode(secret);
    let mut spellings = vec![secret.to_owned(), lower_hex(&percent), percent, json(secret, false), json(secret, true)];
    spellings.push(spellings[3].replace('/', "\\/"));
    if basic {
        for credentials in [secret.to_owned(), format!("{secret}:"), format!(":{secret}")] {
            spellings.push(BASE64_STANDARD.encode(&credentials));
            spellings.push(BASE64_URL_SAFE_NO_PAD.encode(&credentials));
        }
        // The key may be the credentials in Base64 already: then an echo may hold them decoded.
        let decoded = BASE64_STANDARD.decode(secret).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((user, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) {
            spellings.push(if password.is_empty() { user } else { password }.to_owned());
        }
    }
    let mut unique: Vec<Vec<u8>> = Vec::new();
    for spelling in spellings.into_iter().map(String::into_bytes) {
        if !spelling.is_empty() && !unique.contains(&spelling) {
            unique.push(spelling);
        }
    }
    unique
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    use fmt::Write;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn lower_hex(percent: &str) -> String {
    let mut digits = 0;
    percent
        .chars()
        .map(|c| {
            digits = if c == '%' { 2 } else { i32::max(digits - 1, -1) };
            if c != '%' && digits >= 0 { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

fn json(text: &str, ascii: bool) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            c if c < ' ' || ascii && !c.is_ascii() => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")))
            }
            c => escaped.push(c),
        }
        escaped
    })
}

/// Patterns for a short key: it is replaced only in the surroundings that a request gives it.
fn short(key: &[u8], line: &mut Set, coded: &mut Vec<Coded>) {
    for (before, after) in [
        ("Bearer ", "\r\n"),
        ("Token ", "\r\n"),
        ("ey: ", "\r\n"),
        ("oken: ", "\r\n"),
        ("key=", "&"),
        ("key=", " "),
        ("token=", "&"),
        ("token=", " "),
        ("key.", "\r\n"),
        ("key.", ","),
        ("token, ", "\r\n"),
    ] {
        line.add(before.as_bytes(), key, after.as_bytes());
    }
    coded.push(Coded::new(b"", b"Bearer ", key));
    coded.push(Coded::new(b"", b"key=", key));
    // The whole value of a field, by the length that precedes it (RFC 7541, section 5.2; 0x80 says Huffman).
    if let Ok(length @ ..=126) = u8::try_from(huffman::padded(key).len()) {
        coded.push(Coded::new(&[0x80 | length], b"", key));
    }
}

/// Texts to look for together.
#[derive(Clone, Default)]
pub(super) struct Set {
    patterns: Vec<Pattern>,
    longest: usize,
    first: Vec<u8>,
}

#[derive(Clone)]
struct Pattern {
    finder: Finder<'static>,
    /// Which part of the text is secret.
    secret: Range<usize>,
}

impl Set {
    fn add(&mut self, before: &[u8], secret: &[u8], after: &[u8]) {
        let text = [before, secret, after].concat();
        self.longest = self.longest.max(text.len());
        if !self.first.contains(&text[0]) {
            self.first.push(text[0]);
        }
        self.patterns.push(Pattern { finder: Finder::new(&text).into_owned(), secret: before.len()..before.len() + secret.len() });
    }

    /// Tells the secret part of every occurrence, overlapping ones included.
    pub(super) fn find(&self, window: &[u8], mut found: impl FnMut(Range<usize>)) {
        for Pattern { finder, secret } in &self.patterns {
            let mut from = 0;
            while let Some(i) = finder.find(&window[from..]) {
                found(from + i + secret.start..from + i + secret.end);
                from += i + 1;
            }
        }
    }

    /// How many bytes at the window's end may be the beginning of an occurrence.
    pub(super) fn undecided(&self, window: &[u8]) -> usize {
        for start in window.len().saturating_sub(self.longest.saturating_sub(1))..window.len() {
            let rest = &window[start..];
            let begins = |pattern: &Pattern| pattern.finder.needle().len() > rest.len() && pattern.finder.needle().starts_with(rest);
            if self.first.contains(&rest[0]) && self.patterns.iter().any(begins) {
                return rest.len();
            }
        }
        0
    }
}

/// Whether `text` contains `part`; for tests and assertions on logs.
#[cfg(test)]
pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    memmem::find(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(secret: &str, basic: bool) -> Vec<String> {
        spellings(secret, basic).into_iter().map(|text| String::from_utf8(text).unwrap()).collect()
    }

    #[test]
    fn spells_a_plain_key_once() {
        assert_eq!(all("sk-abc_123", false), ["sk-abc_123"]);
    }

    #[test]
    fn spells_each_encoding_that_differs() {
        let spellings = all("a/b\"c+é", false);
        for spelling in ["a/b\"c+é", "a%2Fb%22c%2B%C3%A9", "a%2fb%22c%2b%c3%a9", "a/b\\\"c+é", "a/b\\\"c+\\u00e9", "a\\/b\\\"c+é"] {
            assert!(spellings.contains(&spelling.to_owned()), "{spelling} in {spellings:?}");
        }
    }

    #[test]
    fn spells_basic_credentials() {
        let spellings = all("Aladdin:open sesame", true);
        assert!(spellings.contains(&"QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned()));
        assert!(all("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true).contains(&"open sesame".to_owned()));
    }

    #[test]
    fn a_short_key_is_replaced_only_where_a_request_carries_it() {
        let patterns = Patterns::new(&["1"], false).unwrap();
        assert_eq!(
            patterns.scrub("GET /v1?key=1&n=11 HTTP/1.1\r\nx-key: 1\r\nContent-Length: 1\r\n"),
            "GET /v1?key=*&n=11 HTTP/1.1\r\nx-key: *\r\nContent-Length: 1\r\n"
        );
        assert_eq!(
            patterns.scrub("GET /v1?token=1 HTTP/1.1\r\nAuthorization: Token 1\r\nSec-WebSocket-Protocol: token, 1\r\n"),
            "GET /v1?token=* HTTP/1.1\r\nAuthorization: Token *\r\nSec-WebSocket-Protocol: token, *\r\n"
        );
        let mut hits = 0;
        patterns.sets().payload.find(b"{\"n\": 1}", |_| hits += 1);
        assert_eq!(hits, 0);
    }

    #[test]
    fn a_secret_that_turns_up_later_is_looked_for_from_then_on() {
        let patterns = Patterns::default();
        assert!(patterns.sets().is_empty() && patterns.scrub("sk-late-1") == "sk-late-1");
        patterns.add("sk-late-1");
        patterns.add("sk-later");
        assert_eq!(patterns.scrub("sk-late-1, sk-later"), "*********, ********");
        assert!(patterns.occurs(b"{\"key\":\"sk-later\"}"));
    }

    #[test]
    fn no_secret_no_patterns() {
        assert!(Patterns::new(&[], true).is_none() && Patterns::new(&[""], true).is_none());
    }
}
