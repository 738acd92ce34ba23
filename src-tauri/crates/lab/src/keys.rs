//! The one key the Lab does not take, wherever an API wants its key.

use http::HeaderMap;

/// A client that sends this key is refused as the provider would refuse a wrong one.
pub const WRONG_KEY: &str = "lab-wrong-key";

/// Headers that carry a key. In a WebSocket's subprotocols it follows a dot or stands alone.
const HEADERS: &[&str] = &["authorization", "x-api-key", "x-goog-api-key", "api-key", "xi-api-key", "sec-websocket-protocol"];
/// Parameters of the query that carry a key.
const PARAMETERS: &[&str] = &["key", "access_token", "api-key", "api_key", "token", "authorization"];

/// Whether a request carries the wrong key: as a header's value, as its last word (`Bearer …`), or in the query.
pub(crate) fn is_wrong(headers: &HeaderMap, query: &str) -> bool {
    let last = |value: &str| value.split([' ', ',', '.', '=', '/', ':']).any(|word| word == WRONG_KEY);
    let in_headers = HEADERS.iter().flat_map(|name| headers.get_all(*name)).filter_map(|value| value.to_str().ok()).any(last);
    let is_key = |name: &str| PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name));
    in_headers || crate::overrides::pairs(query).any(|(name, value)| is_key(&name) && last(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_wherever_it_stands() {
        for (name, value) in [
            ("authorization", "Bearer lab-wrong-key"),
            ("x-api-key", "lab-wrong-key"),
            ("sec-websocket-protocol", "realtime, openai-insecure-api-key.lab-wrong-key"),
        ] {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
            assert!(is_wrong(&headers, ""), "{name}");
        }
        assert!(is_wrong(&HeaderMap::new(), "alt=sse&key=lab-wrong-key"));
        assert!(is_wrong(&HeaderMap::new(), "Authorization=Bearer%20lab-wrong-key"));
        let right = HeaderMap::from_iter([("authorization".parse().unwrap(), "Bearer lab-wrong-key-not".parse().unwrap())]);
        assert!(!is_wrong(&right, "q=lab-wrong-key"));
    }
}
