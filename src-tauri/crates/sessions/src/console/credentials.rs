//! Credentials that a user types into a field as they are, not by way of the keychain: kept out of the library all the same.

use weir_secrets::Secret;

use crate::view::HeaderLine;

/// Words in a field's name that say its value is a credential.
const WORDS: [&str; 7] = ["authorization", "cookie", "key", "token", "secret", "password", "signature"];

/// Fields whose names hold such a word and whose values are none: the handshake's own, and what tells of caches.
const INNOCENT: [&str; 3] = ["sec-websocket-key", "surrogate-key", "idempotency-key"];

/// Whether a field of this name carries a credential.
pub fn is_credential(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    !INNOCENT.contains(&name.as_str()) && WORDS.iter().any(|word| name.contains(word))
}

/// The secret part of each credential among `headers`: of `Bearer X` the `X`, of a cookie each value. Values that stand for the stored
/// key (`{key}`) hold none.
pub fn secrets(headers: &[HeaderLine]) -> Vec<Secret> {
    let typed = headers.iter().filter(|line| is_credential(&line.name) && !line.value.contains("{key"));
    typed.flat_map(|line| parts(&line.name, line.value.trim())).filter(|part| !part.is_empty()).map(Secret::new).collect()
}

fn parts<'a>(name: &str, value: &'a str) -> Vec<&'a str> {
    let name = name.trim().to_ascii_lowercase();
    if name == "cookie" {
        return value.split(';').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.trim().trim_matches('"')).collect();
    }
    match value.split_once(' ') {
        Some((_, rest)) if name.ends_with("authorization") => vec![rest.trim()],
        _ => vec![value],
    }
}

/// `text` with stars for every one of `secrets`.
pub fn starred(text: String, secrets: &[Secret]) -> String {
    // The longest first: one may be a part of another.
    let mut sorted: Vec<&str> = secrets.iter().map(Secret::expose).collect();
    sorted.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    sorted.into_iter().fold(text, |text, secret| text.replace(secret, &"*".repeat(secret.chars().count())))
}

/// Whether a value is what [`starred`] left of a credential: it was not kept and cannot be sent.
pub fn is_starred(line: &HeaderLine) -> bool {
    is_credential(&line.name) && parts(&line.name, line.value.trim()).iter().any(|part| !part.is_empty() && part.bytes().all(|b| b == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, value: &str) -> HeaderLine {
        HeaderLine { name: name.into(), value: value.into() }
    }

    #[test]
    fn the_secret_part_is_found_and_starred() {
        let headers = [
            line("Authorization", "Bearer abc-123"),
            line("X-Api-Key", "k42k42"),
            line("Cookie", "sid=s3ss10n; theme=dark"),
            line("Accept", "text/event-stream"),
            line("Proxy-Authorization", "{key}"),
            line("Idempotency-Key", "again"),
        ];
        let secrets = secrets(&headers);
        assert_eq!(secrets.iter().map(Secret::expose).collect::<Vec<_>>(), ["abc-123", "k42k42", "s3ss10n", "dark"]);
        assert_eq!(starred("Bearer abc-123 again".into(), &secrets), "Bearer ******* again");
        assert!(is_starred(&line("authorization", "Bearer *******")));
        assert!(!is_starred(&line("authorization", "Bearer x")));
        assert!(!is_starred(&line("X-Stars", "***")));
    }
}
