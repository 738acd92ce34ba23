//! How a key is sent: a header line with `{key}` where the key goes, e.g. `Authorization: Bearer {key}`.
//!
//! Sources: field names and values RFC 9110 §5.1, §5.5, §5.6.2; credentials §11.4.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::{Blame, Error, Secret};

/// What stands for the key.
const KEY: &str = "{key}";

/// Fields that frame or route the message; a key in one of them would break the request, not authenticate it.
const NOT_FOR_KEYS: [&str; 9] =
    ["connection", "content-length", "content-type", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"];

/// A header line with a place for the key. `Display` gives the line it was parsed from, spaces tidied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderTemplate {
    name: String,
    before: String,
    after: String,
}

impl HeaderTemplate {
    /// Parses `Name: text {key} text`.
    ///
    /// # Errors
    /// `header-template`, blame user: no colon, a name that is no token, `{key}` not exactly once, a character no value may
    /// hold, an `Authorization` whose scheme is not one token and a space, or a field that frames the message.
    pub fn parse(line: &str) -> Result<Self, Error> {
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("There is no colon."))?;
        let (name, value) = (name.trim(), value.trim_matches([' ', '\t']));
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(malformed("The name before the colon is empty or has a character that header names cannot have."));
        }
        if NOT_FOR_KEYS.iter().any(|one| name.eq_ignore_ascii_case(one)) {
            return Err(malformed(&format!("{name} frames or routes the request and cannot carry a key.")));
        }
        let (before, after) = value.split_once(KEY).ok_or_else(|| malformed("There is no {key} after the colon."))?;
        if after.contains(KEY) {
            return Err(malformed("{key} stands in it more than once."));
        }
        for part in [before, after] {
            if let Some((at, what)) = illegal(part) {
                return Err(malformed(&format!("Character {at} {} {{key}} is {what}.", if part == before { "before" } else { "after" })));
            }
        }
        let template = Self { name: name.to_owned(), before: before.to_owned(), after: after.to_owned() };
        if template.is_authorization() && !before.is_empty() && template.scheme().is_none() {
            return Err(malformed("An Authorization value is a scheme, one space and the key: `Bearer {key}`."));
        }
        Ok(template)
    }

    /// The field's name as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The authentication scheme, `Bearer` in `Authorization: Bearer {key}`; `None` where there is none.
    pub fn scheme(&self) -> Option<&str> {
        // RFC 9110 §11.4: auth-scheme [ 1*SP ( token68 / auth-param … ) ]. `Digest username="x", token="{key}"` has more before the key.
        let (scheme, rest) = self.before.split_once(' ')?;
        let fine = self.is_authorization() && !scheme.is_empty() && scheme.bytes().all(is_token) && !rest.starts_with(' ');
        fine.then_some(scheme)
    }

    /// The field's value with the key in it.
    ///
    /// # Errors
    /// `key-empty`, `key-characters`, as [`check_key`].
    pub fn value(&self, key: &Secret) -> Result<Secret, Error> {
        check_key(key)?;
        let mut value = Zeroizing::new(String::with_capacity(self.before.len() + key.expose().len() + self.after.len()));
        for part in [self.before.as_str(), key.expose(), self.after.as_str()] {
            value.push_str(part);
        }
        Ok(Secret::new(&value))
    }

    /// Where in the value the key stands, in bytes: what to redact when the key has `length` bytes.
    pub fn key_range(&self, length: usize) -> std::ops::Range<usize> {
        self.before.len()..self.before.len() + length
    }

    /// The use to put on record: `Authorization → api.openai.com:443`.
    pub fn used_for(&self, authority: &str) -> String {
        format!("{} → {authority}", self.name)
    }

    fn is_authorization(&self) -> bool {
        self.name.eq_ignore_ascii_case("authorization") || self.name.eq_ignore_ascii_case("proxy-authorization")
    }
}

impl FromStr for HeaderTemplate {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        Self::parse(line)
    }
}

impl fmt::Display for HeaderTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{KEY}{}", self.name, self.before, self.after)
    }
}

/// Whether a header can carry the key: visible ASCII only. RFC 9110 §5.5 lets a value hold spaces, tabs and bytes above
/// 0x7F too, but no provider's key has them: they come from a text that was pasted along, or from a word processor's dashes.
///
/// # Errors
/// By blame of the user, naming the place and never the content: `key-empty`, `key-characters`.
pub fn check_key(key: &Secret) -> Result<(), Error> {
    if key.is_empty() {
        return Err(Error::empty());
    }
    let bad = key.expose().chars().enumerate().find(|(_, one)| !one.is_ascii_graphic());
    let Some((at, one)) = bad else { return Ok(()) };
    Err(Error {
        blame: Blame::User,
        code: "key-characters",
        message: "The key has a character that cannot be sent in a header.".into(),
        consequence: "Nothing was sent, so no tokens were used.".into(),
        evidence: format!("Character {} of {} is {}.", at + 1, key.expose().chars().count(), class(one)),
        next: "Copy the key again from the provider's page, the key alone.".into(),
    })
}

/// The first character a field value cannot hold: its place counted from 1, and what it is.
fn illegal(part: &str) -> Option<(usize, &'static str)> {
    part.chars().enumerate().find(|(_, one)| !(one.is_ascii_graphic() || matches!(one, ' ' | '\t'))).map(|(at, one)| (at + 1, class(one)))
}

fn class(one: char) -> &'static str {
    match one {
        '\r' | '\n' => "a line break",
        ' ' | '\t' => "white space",
        _ if one.is_ascii_control() => "a control character",
        _ => "not an ASCII character",
    }
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn malformed(evidence: &str) -> Error {
    Error {
        blame: Blame::User,
        code: "header-template",
        message: "This is not a header line that can carry a key.".into(),
        consequence: "Nothing was sent, so no tokens were used.".into(),
        evidence: evidence.to_owned(),
        next: "Write it like `Authorization: Bearer {key}` or `x-api-key: {key}`.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_lines() {
        for (line, name, scheme, value) in [
            ("Authorization: Bearer {key}", "Authorization", Some("Bearer"), "Bearer sk-1"),
            ("x-api-key: {key}", "x-api-key", None, "sk-1"),
            ("authorization:Key {key}", "authorization", Some("Key"), "Key sk-1"),
            // Deepgram takes keys under this scheme alone.
            ("Authorization: Token {key}", "Authorization", Some("Token"), "Token sk-1"),
            ("Authorization: {key}", "Authorization", None, "sk-1"),
            ("  api-key :  {key};v=2 ", "api-key", None, "sk-1;v=2"),
            ("Authorization: Digest token=\"{key}\"", "Authorization", Some("Digest"), "Digest token=\"sk-1\""),
        ] {
            let template = HeaderTemplate::parse(line).unwrap();
            assert_eq!((template.name(), template.scheme()), (name, scheme), "{line}");
            let filled = template.value(&Secret::new("sk-1")).unwrap();
            assert_eq!(filled.expose(), value);
            assert_eq!(&filled.expose()[template.key_range(4)], "sk-1");
            assert_eq!(HeaderTemplate::parse(&template.to_string()).unwrap(), template, "printing and parsing agree");
        }
        let template: HeaderTemplate = "Authorization: Bearer {key}".parse().unwrap();
        assert_eq!(template.used_for("api.openai.com:443"), "Authorization → api.openai.com:443");
    }

    #[test]
    fn broken_lines() {
        for (line, evidence) in [
            ("Bearer {key}", "no colon"),
            (": {key}", "name"),
            ("X Key: {key}", "name"),
            ("X-Schlüssel: {key}", "name"),
            ("Authorization: Bearer", "no {key}"),
            ("{key}: Bearer", "name"),
            ("X-Key: {key}{key}", "more than once"),
            ("X-Key: a\r\nX-Other: {key}", "Character 2 before {key} is a line break"),
            ("X-Key: {key}\u{0}", "Character 1 after {key} is a control character"),
            ("X-Key: „{key}“", "not an ASCII"),
            ("Authorization: Bearer{key}", "one space"),
            ("Authorization: Bearer  {key}", "one space"),
            ("Authorization: Bea(rer {key}", "one space"),
            ("Content-Length: {key}", "frames"),
            ("HOST: {key}", "frames"),
        ] {
            let error = HeaderTemplate::parse(line).expect_err(line);
            assert_eq!((error.blame, error.code), (Blame::User, "header-template"), "{line}");
            assert!(error.evidence.contains(evidence), "{line:?}: {}", error.evidence);
        }
    }

    #[test]
    fn a_bad_key_is_named_by_place_not_by_content() {
        let template = HeaderTemplate::parse("x-api-key: {key}").unwrap();
        for (key, evidence) in [
            ("sk-CANARY–7f3a", "Character 10 of 14 is not an ASCII character."),
            ("sk-CANARY 7f3a", "Character 10 of 14 is white space."),
            ("sk-CANARY\r\nx: y", "Character 10 of 15 is a line break."),
            ("\u{feff}sk-CANARY7f3a", "Character 1 of 14 is not an ASCII character."),
            ("sk-CANARY\u{7f}7f3a", "Character 10 of 14 is a control character."),
        ] {
            let error = template.value(&Secret::new(key)).expect_err(evidence);
            assert_eq!((error.blame, error.code, error.evidence.as_str()), (Blame::User, "key-characters", evidence));
            assert!(!format!("{error:?}").contains("CANARY"));
        }
        assert_eq!(template.value(&Secret::new(" \n")).unwrap_err().code, "key-empty");
        assert!(check_key(&Secret::new("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~")).is_ok());
    }
}
