use eventsource_stream::Eventsource;
use futures_util::{FutureExt, StreamExt, stream};
use proptest::prelude::*;

use super::*;

mod ndjson;

fn data(lens: Lens, body: impl AsRef<[u8]>) -> Vec<String> {
    lens.read(body.as_ref(), &[]).into_iter().map(|event| event.data).collect()
}

fn difference(lens: Lens, body: impl AsRef<[u8]>, reads: &[u64]) -> Option<(Kind, usize, Vec<u8>)> {
    let body = body.as_ref();
    let found = first_difference(body, &Lens::Standard.read(body, reads), &lens.read(body, reads))?;
    assert!(!found.message.is_empty());
    Some((found.kind, found.index, body[found.span.start as usize..found.span.end as usize].to_vec()))
}

#[test]
fn a_plain_stream_looks_the_same_to_all() {
    let body = "data: {\"text\":\"grüße\"}\n\nevent: add\ndata: two\ndata: lines\n\n";
    for &lens in Format::Sse.lenses() {
        assert_eq!(difference(lens, body, &[]), None, "{}", lens.name());
        assert_eq!(lens.read(body.as_bytes(), &[]).len(), 2);
        assert_eq!(Format::Sse.find(lens.name()), Some(lens));
        assert!(!lens.about().is_empty());
    }
    assert_eq!(Format::Sse.find("other"), None);
    for &lens in Format::Sse.lenses() {
        assert!(lens.read(b"", &[]).is_empty());
    }
}

#[test]
fn split_at_blank_lines() {
    let lens = Lens::SplitBlankLine;
    assert_eq!(difference(lens, "data: a\r\n\r\ndata: b\r\n\r\n", &[]), Some((Kind::Missing, 0, b"data: a\r\n\r\n".to_vec())));
    assert_eq!(difference(lens, "data: a\r\n\r\ndata: b\n\n", &[]), Some((Kind::Data, 0, b"\r".to_vec())));
    assert_eq!(difference(lens, "\u{feff}data: a\n\n", &[]), Some((Kind::Missing, 0, b"data: a\n\n".to_vec())));
    assert_eq!(difference(lens, "data\n\n", &[]).map(|found| found.0), Some(Kind::Missing));
    assert_eq!(difference(lens, ": ping\n\nid: 3\ndata: a\n\n\ndata: b\n\n", &[]), None);
}

#[test]
fn each_read_decoded_by_itself() {
    let body = "data: aéb\n\ndata: 🎉\n\n".as_bytes();
    let standard = Lens::Standard.read(body, &[]);
    for at in 0..=body.len() as u64 {
        let inside_e = at == 8;
        let inside_party = (19..=21).contains(&at);
        let found = difference(Lens::ChunkUtf8, body, &[at]);
        match (inside_e, inside_party) {
            (true, _) => assert_eq!(found, Some((Kind::Data, 0, "é".into()))),
            (_, true) => assert_eq!(found, Some((Kind::Data, 1, "🎉".into()))),
            _ => assert_eq!(found, None, "read ends at {at}"),
        }
        let seen = Lens::ChunkUtf8.read(body, &[at]);
        assert!(seen.iter().map(|event| event.span).eq(standard.iter().map(|event| event.span)), "{at} {seen:?}");
    }
    let seen = Lens::ChunkUtf8.read(body, &[8]);
    assert_eq!((seen[0].data.as_str(), seen[0].lines[0]), ("a\u{fffd}\u{fffd}b", Span::new(6, 10)));
}

#[test]
fn lines_split_as_python_splits_them() {
    for (end, bytes) in [("\u{2028}", 3), ("\u{2029}", 3), ("\u{85}", 2), ("\u{b}", 1), ("\u{c}", 1), ("\u{1c}", 1), ("\u{1e}", 1)] {
        let body = format!("data: {{\"a\":\"b{end}c\"}}\n\n");
        let found = difference(Lens::SplitLines, &body, &[]).unwrap();
        assert_eq!((found.0, found.1, found.2), (Kind::Data, 0, end.as_bytes().to_vec()));
        assert_eq!(end.len(), bytes);
    }
    assert_eq!(difference(Lens::SplitLines, "\u{feff}id: 1\r\rdata\rdata: \u{1f}x\r\n\r\n:\u{7f}\n", &[]), None);
    // Two of them are a blank line.
    assert_eq!(data(Lens::SplitLines, "data: a\u{2028}\u{2028}b\n\n"), ["a"]);
}

#[test]
fn fetch_event_source() {
    let lens = Lens::FetchEventSource;
    assert_eq!(difference(lens, ": ping\n\ndata: a\n\n", &[]), Some((Kind::Extra, 0, b": ping\n\n".to_vec())));
    assert_eq!(difference(lens, "data: a\n\n\n", &[]), Some((Kind::Extra, 1, b"\n".to_vec())));
    assert_eq!(difference(lens, "data\n\n", &[]), None, "an event without data by another way");
    assert_eq!(difference(lens, "data\ndata\n\n", &[]).map(|found| found.0), Some(Kind::Data));
    assert_eq!(difference(lens, "id: 1\ndata: a\n\ndata: b\n\n", &[]), Some((Kind::Id, 1, b"data: b\n\n".to_vec())));
}

#[test]
fn openai_python() {
    let lens = Lens::OpenaiPython;
    assert_eq!(difference(lens, "id: 1\n\ndata: a\n\n", &[]), Some((Kind::Extra, 0, b"id: 1\n\n".to_vec())));
    assert_eq!(difference(lens, "event: ping\n\ndata: a\n\n", &[]).map(|found| found.0), Some(Kind::Extra));
    assert_eq!(difference(lens, "id: 1\ndata: a\n\n: ping\n\n", &[]), Some((Kind::Extra, 1, b"\n".to_vec())));
    assert_eq!(difference(lens, "retry: 1_000\n\ndata: a\n\n", &[]).map(|found| found.0), Some(Kind::Extra));
    assert_eq!(difference(lens, "retry: soon\n\n: ping\n\ndata: a\n\n", &[]), None);
    assert_eq!(difference(lens, "\u{feff}data: a\n\n", &[]).map(|found| found.0), Some(Kind::Missing));
}

#[test]
fn the_end_dispatches() {
    for body in ["data: a\n\ndata: b", "data: a\n\ndata: b\n", "data: a\r\rdata: b\r", "data: a\r\n\r\ndata: b\r\n"] {
        let found = difference(Lens::Unterminated, body, &[]).unwrap();
        assert_eq!((found.0, found.1), (Kind::Extra, 1), "{body:?}");
        assert_eq!(found.2, &body.as_bytes()[body.find("data: b").unwrap()..]);
    }
    assert_eq!(difference(Lens::Unterminated, "data: a\n\n: x", &[]), None);
}

#[test]
fn differences_stand_at_the_bytes_that_made_them() {
    // Behind an ill-formed byte, and on the second of two lines.
    let body = b"data: \xff\ndata: a\xe2\x80\xa8b\n\n";
    assert_eq!(difference(Lens::SplitLines, body, &[]), Some((Kind::Data, 0, b"\xe2\x80\xa8".to_vec())));
    assert_eq!(difference(Lens::EventsourceStream, body, &[]), Some((Kind::Missing, 0, body.to_vec())));
    assert_eq!(difference(Lens::EventsourceStream, b"data: a\n\n\xffdata: b\n\ndata: c\n\n", &[]).map(|found| found.1), Some(1));
}

/// What @microsoft/fetch-event-source 2.0.1, httpx-sse 0.4.3 and `str.splitlines` of Python 3.11 made of a hundred streams.
#[test]
fn the_clients_themselves_saw_the_same() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(include_str!("clients.json")).unwrap();
    for case in &cases {
        let hex = case["hex"].as_str().unwrap().as_bytes();
        let body: Vec<u8> = hex.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
        for lens in [Lens::FetchEventSource, Lens::OpenaiPython, Lens::SplitLines] {
            let seen: Vec<_> =
                lens.read(&body, &[]).into_iter().map(|event| serde_json::json!([event.event, event.data, event.id])).collect();
            assert_eq!(seen, *case[lens.name()].as_array().unwrap(), "{}: {}", lens.name(), String::from_utf8_lossy(&body));
        }
    }
    assert_eq!(cases.len(), 100);
}

fn compared(body: impl Iterator<Item = Vec<u8>>) -> Comparison {
    let mut comparison = Comparison::new(Format::Sse, &Format::Sse.lenses()[1..]);
    for piece in body {
        // Differences are looked for in the bytes around them; these tests look at kinds alone.
        comparison.push(&piece, true, &mut |span| vec![b'x'; span.len() as usize]);
    }
    comparison
}

#[test]
fn what_never_comes_is_told_long_before_the_end() {
    // A client that waits for LF LF keeps nothing of a CRLF stream without end.
    let event = b"data: 0123456789abcdef\r\n\r\n".repeat(200);
    let mut comparison = Comparison::new(Format::Sse, &[Lens::SplitBlankLine]);
    let mut pushed = 0;
    while !comparison.settled() {
        comparison.push(&event, true, &mut |_| Vec::new());
        pushed += event.len();
        assert!(pushed < 4 << 20, "it is told after a megabyte");
    }
    let (_, _, verdict) = comparison.verdicts().next().unwrap();
    assert!(matches!(verdict, Verdict::Differs(found) if found.difference.kind == Kind::Missing && found.difference.index == 0));
}

#[test]
fn an_event_without_end_is_left_unsettled_in_bounded_memory() {
    let line = [b"data: ".to_vec(), vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
    let mut comparison = compared((0..64).map(|_| line.clone()));
    for (lens, _, verdict) in comparison.verdicts() {
        let gathers = !matches!(lens, Lens::EventsourceStream | Lens::ChunkUtf8 | Lens::Unterminated);
        assert_eq!(matches!(verdict, Verdict::Unsettled { .. }), gathers, "{}: {verdict:?}", lens.name());
    }
    comparison.push(b"\n", true, &mut |_| Vec::new());
    comparison.finish(&mut |_| Vec::new());
    for (lens, _, verdict) in comparison.verdicts() {
        assert!(matches!(verdict, Verdict::Unsettled { .. }), "{}: {verdict:?}", lens.name());
    }
}

/// What eventsource-stream itself makes of the reads.
fn by_eventsource_stream(reads: Vec<Vec<u8>>) -> Vec<(String, String, String)> {
    let mut events = stream::iter(reads.into_iter().map(Ok::<_, std::io::Error>)).eventsource();
    let mut found = Vec::new();
    // It tells its UTF-8 error at the end.
    while let Some(Some(Ok(event))) = events.next().now_or_never() {
        found.push((event.event, event.data, event.id));
    }
    found
}

fn shards() -> impl Strategy<Value = Vec<u8>> {
    let shard = prop::sample::select(vec![
        &b"data"[..],
        b"data: ",
        b"data:",
        b"event: e",
        b"id: 1",
        b"id",
        b"id: a\0",
        b"retry: 5",
        b"retry: -5",
        b":",
        b": c",
        b"other: x",
        b" ",
        b"a",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b"\xe2\x80\xa8",
        b"\xc2\x85",
        b"\xef\xbb\xbf",
        b"\xf0\x9f\x8e\x89",
        b"\xff",
        b"\xe2\x80",
        b"\x0c",
    ]);
    prop::collection::vec(shard, 0..24).prop_map(|shards| shards.concat())
}

/// A body of `format` that comes in `reads`, each in pieces of `sizes`, is told as all of it at once is.
fn told_like_the_whole(format: Format, body: &[u8], reads: Vec<u64>, sizes: &[usize]) -> Result<(), TestCaseError> {
    let mut reads: Vec<u64> = reads.into_iter().map(|end| end.min(body.len() as u64)).chain([body.len() as u64]).collect();
    reads.sort_unstable();
    let mut comparison = Comparison::new(format, format.lenses());
    let mut bytes = |span: Span| body[span.start as usize..span.end as usize].to_vec();
    let mut start = 0;
    for end in &reads {
        // Pieces of a read are no reads.
        let pieces = crate::cuts::pieces(&body[start..*end as usize], sizes);
        for (n, piece) in pieces.iter().enumerate() {
            comparison.push(piece, n + 1 == pieces.len(), &mut bytes);
        }
        start = *end as usize;
    }
    comparison.finish(&mut bytes);
    let standard = if format == Format::Sse { Lens::Standard } else { Lens::Lines }.read(body, &reads);
    for (lens, same, verdict) in comparison.verdicts() {
        let whole = first_difference(body, &standard, &lens.read(body, &reads));
        match (verdict, whole) {
            (Verdict::Same, None) => prop_assert_eq!(same, standard.len()),
            (Verdict::Differs(found), Some(whole)) => prop_assert_eq!(&found.difference, &whole, "{}", lens.name()),
            (verdict, whole) => prop_assert!(false, "{}: {:?}, of the whole {:?}", lens.name(), verdict, whole),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn eventsource_stream_itself_sees_what_its_lens_sees(body in shards(), sizes in prop::collection::vec(1usize..9, 1..5)) {
        if body.starts_with(b"\xef\xbb\xbf") {
            prop_assert!(Lens::EventsourceStream.read(&body, &[]).is_empty(), "it panics there");
            return Ok(());
        }
        let reads: Vec<Vec<u8>> = crate::cuts::pieces(&body, &sizes).into_iter().map(<[u8]>::to_vec).collect();
        let seen: Vec<_> = Lens::EventsourceStream.read(&body, &[]).into_iter().map(|event| (event.event, event.data, event.id.unwrap_or_default())).collect();
        prop_assert_eq!(seen, by_eventsource_stream(reads));
    }

    #[test]
    fn a_body_in_pieces_is_told_like_the_whole(body in shards(), reads in prop::collection::vec(0u64..60, 0..5), sizes in prop::collection::vec(1usize..9, 1..5)) {
        told_like_the_whole(Format::Sse, &body, reads, &sizes)?;
    }

    #[test]
    fn no_lens_leaves_its_body(body in shards(), reads in prop::collection::vec(0u64..60, 0..5)) {
        let mut reads = reads;
        reads.sort_unstable();
        let standard = Lens::Standard.read(&body, &reads);
        for &lens in Format::Sse.lenses() {
            let events = lens.read(&body, &reads);
            for event in &events {
                for span in event.lines.iter().chain([&event.span]) {
                    prop_assert!(span.start <= span.end && span.end <= body.len() as u64, "{} {:?}", lens.name(), event);
                }
                prop_assert!(!event.span.is_empty());
            }
            if let Some(found) = first_difference(&body, &standard, &events) {
                prop_assert!(found.span.start <= found.span.end && found.span.end <= body.len() as u64, "{} {:?}", lens.name(), found);
            } else {
                prop_assert_eq!(standard.len(), events.len());
            }
        }
        prop_assert_eq!(first_difference(&body, &standard, &standard), None);
    }
}
