use super::body::{Survey, Text};

/// The JSON string that pieces of `bytes` cut at `cuts` give, and whether in Base64.
fn string(pieces: &[&[u8]]) -> (String, bool) {
    let mut survey = Survey::default();
    pieces.iter().for_each(|piece| survey.push(piece));
    let mut text = Text::new(&survey);
    let base64 = text.is_base64();
    let mut out = vec![b'"'];
    for piece in pieces {
        text.push(piece, &mut out).unwrap();
    }
    text.finish(&mut out).unwrap();
    out.push(b'"');
    (serde_json::from_slice(&out).unwrap(), base64)
}

#[test]
fn text_is_the_same_however_it_is_cut() {
    let text = "a \"quote\", a\nline, naïve 世界 👩‍👩‍👧‍👦 \u{1}\u{2028} end";
    let bytes = text.as_bytes();
    for at in 0..=bytes.len() {
        assert_eq!(string(&[&bytes[..at], &[], &bytes[at..]]), (text.to_owned(), false), "cut at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(string(&single), (text.to_owned(), false));
}

#[test]
fn what_is_no_text_is_base64_however_it_is_cut() {
    use base64::Engine as _;
    // The first breaks inside, the second ends inside a character.
    for bytes in [b"ab\xff\xc3\xa9cdefg".as_slice(), b"abcd\xe4\xb8"] {
        let whole = base64::engine::general_purpose::STANDARD.encode(bytes);
        for at in 0..=bytes.len() {
            assert_eq!(string(&[&bytes[..at], &bytes[at..]]), (whole.clone(), true), "cut at {at}");
        }
    }
}

#[test]
fn nothing_is_text() {
    assert_eq!(string(&[]), (String::new(), false));
}
