//! JSON that stands bare in an event stream, where only fields may stand.
//!
//! Google's servers write an error so when it happens in the middle of a stream: pretty-printed, without `data:`. To an SSE parser these are
//! lines of unknown fields, a block that says nothing.

use std::ops::Range;

use crate::json::Source;

/// Where the JSON object or array stands in a block in which an SSE parser found no data, or which the stream's end cut off. `None` where the
/// block holds anything else. What is found is to be decoded as [`crate::Payload::Body`].
pub fn json(block: &[u8]) -> Option<Range<usize>> {
    let text = std::str::from_utf8(block).ok()?;
    let source = Source::new(text);
    let found = source.text.trim_matches([' ', '\t', '\r', '\n']);
    if !found.starts_with(['{', '[']) {
        return None;
    }
    crate::json::value(found).ok()?;
    Some(source.at(found))
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_json_alone_is_found() {
        let block = "\u{feff}{\r\n  \"error\": {\r\n    \"code\": 503\r\n  }\r\n}\r\n\r\n";
        let at = super::json(block.as_bytes()).unwrap();
        assert_eq!(&block[at.clone()], block[3..].trim());
        assert!(super::json(b"[{\"error\": {}}]\n").is_some());
        for other in ["", "\n", ": comment\n", "id: 1\n\n", "{\n  \"error\": {\n", "{}\ndata: {}\n", "retry: 1\n{}\n", "\"text\"\n"] {
            assert_eq!(super::json(other.as_bytes()), None, "{other}");
        }
        assert_eq!(super::json(b"{\"a\":\"\xff\"}"), None);
    }
}
