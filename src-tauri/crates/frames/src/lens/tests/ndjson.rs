use proptest::prelude::*;

use super::super::*;

/// Three lines: a character of two bytes, one of three that ends lines in Python, and no line end at the end.
const BODY: &str = "{\"a\":\"é\"}\n{\"b\":\"x\u{2028}y\"}\r\n\n{\"c\":1}";

fn texts(lens: Lens, body: impl AsRef<[u8]>, reads: &[u64]) -> Vec<String> {
    lens.read(body.as_ref(), reads).into_iter().map(|line| line.data).collect()
}

/// Kind, index, and the bytes of the first difference.
fn difference(lens: Lens, body: impl AsRef<[u8]>, reads: &[u64]) -> Option<(Kind, usize, Vec<u8>)> {
    let body = body.as_ref();
    let found = first_difference(body, &Lens::Lines.read(body, reads), &lens.read(body, reads))?;
    assert!(!found.message.is_empty());
    Some((found.kind, found.index, body[found.span.start as usize..found.span.end as usize].to_vec()))
}

#[test]
fn a_line_a_read_looks_the_same_to_all() {
    let body = "{\"a\":\"grüße\"}\n [1, 2] \r\n\n\"x\"\n";
    let reads: Vec<u64> = body.match_indices('\n').map(|(at, _)| at as u64 + 1).collect();
    for &lens in Format::Ndjson.lenses() {
        assert_eq!(texts(lens, body, &reads), ["{\"a\":\"grüße\"}", "[1, 2]", "\"x\""], "{}", lens.name());
        assert_eq!(difference(lens, body, &reads), None, "{}", lens.name());
        assert_eq!(Format::Ndjson.find(lens.name()), Some(lens));
        assert!(![lens.about(), lens.rule(), lens.clients()].contains(&""));
        assert!(lens.read(b"", &[]).is_empty());
    }
    assert_eq!(Format::Ndjson.find("openai-python"), None);
    assert_ne!(Format::Ndjson.find("chunk-utf8"), Format::Sse.find("chunk-utf8"));
}

/// Where the text of each line of `BODY` stands.
fn lines() -> Vec<Span> {
    let place = |text: &str| BODY.find(text).map(|at| Span::new(at as u64, (at + text.len()) as u64)).unwrap();
    vec![place("{\"a\":\"é\"}"), place("{\"b\":\"x\u{2028}y\"}"), place("{\"c\":1}")]
}

/// Every way to cut the body into up to three reads; what each client makes of it is reckoned from where the cuts lie.
#[test]
fn every_split_of_the_body() {
    let (end, lines) = (BODY.len() as u64, lines());
    // Cuts strictly within a stretch.
    let inside = |span: Span, cuts: &[u64]| cuts.iter().any(|&cut| span.start < cut && cut < span.end);
    let character = |text: &str| BODY.find(text).map(|at| Span::new(at as u64, (at + text.len()) as u64)).unwrap();
    for one in 0..=end {
        for other in one..=end {
            let cuts = [one, other];
            let told = |lens| difference(lens, BODY, &cuts);
            assert_eq!(texts(Lens::Lines, BODY, &cuts), texts(Lens::Lines, BODY, &[]), "the standard sees no reads");

            let first = lines.iter().position(|&line| inside(line, &cuts));
            let found = told(Lens::SplitEachRead);
            assert_eq!(found.as_ref().map(|(_, index, _)| *index), first, "{cuts:?} {found:?}");
            if let (Some(line), Some((kind, _, bytes))) = (first, found) {
                assert_eq!(kind, Kind::Data, "{cuts:?}");
                // The bytes that the client is without: the character that its first half ends before.
                let cut = cuts.into_iter().find(|&cut| inside(lines[line], &[cut])).unwrap();
                let whole = (cut..).find(|&at| BODY.is_char_boundary(at as usize)).unwrap();
                let start = if whole == cut { cut } else { (0..cut).rev().find(|&at| BODY.is_char_boundary(at as usize)).unwrap() };
                let next = BODY[start as usize..].chars().next().unwrap().to_string();
                assert_eq!(bytes, next.as_bytes(), "{cuts:?}");
            }

            let halves = ["é", "\u{2028}"].iter().position(|text| inside(character(text), &cuts));
            let found = told(Lens::LinesChunkUtf8);
            assert_eq!(found.as_ref().map(|(kind, index, _)| (*kind, *index)), halves.map(|n| (Kind::Data, n)), "{cuts:?}");
            if let (Some(n), Some((_, _, bytes))) = (halves, found) {
                assert_eq!(bytes, ["é", "\u{2028}"][n].as_bytes(), "{cuts:?}");
            }

            // A read that is one line, whole, or nothing at all.
            let read = |from: u64, to: u64| lines.iter().filter(|line| line.start < to && from < line.end).count();
            let right = first.is_none() && [(0, one), (one, other), (other, end)].iter().all(|&(from, to)| read(from, to) <= 1);
            assert_eq!(told(Lens::ParseEachRead).is_none(), right, "{cuts:?}");

            assert_eq!(told(Lens::LinesSplitLines), Some((Kind::Data, 1, "\u{2028}".into())), "{cuts:?}");
            assert_eq!(told(Lens::LastLineLost), Some((Kind::Missing, 2, b"{\"c\":1}".to_vec())), "{cuts:?}");
        }
    }
}

#[test]
fn what_a_read_holds_is_what_is_parsed() {
    let body = "{\"a\":1}\n{\"b\":2}\n";
    assert_eq!(texts(Lens::ParseEachRead, body, &[]), [body.trim()]);
    assert_eq!(difference(Lens::ParseEachRead, body, &[]), Some((Kind::Data, 0, b"\n".to_vec())));
    assert_eq!(difference(Lens::SplitEachRead, body, &[]), None);
    // The LF in a read of its own is nobody's value.
    assert_eq!(difference(Lens::ParseEachRead, body, &[7, 8, 15]), None);
    let halves = first_difference(b"{\"a\":1}\n", &Lens::Lines.read(b"{\"a\":1}\n", &[]), &Lens::SplitEachRead.read(b"{\"a\":1}\n", &[4]));
    assert_eq!(
        halves.unwrap().message,
        "where the standard has «:1}», the client has nothing more: what it has is not JSON, and its parser throws"
    );
}

#[test]
fn half_a_line_at_the_end_is_handed_on_by_who_keeps_none_back() {
    let body = "{\"a\":1}\n{\"b\"";
    for &lens in Format::Ndjson.lenses() {
        let expected = match lens {
            Lens::SplitEachRead => Some((Kind::Extra, 1, b"{\"b\"".to_vec())),
            Lens::ParseEachRead => Some((Kind::Data, 0, b"\n".to_vec())),
            _ => None,
        };
        assert_eq!(difference(lens, body, &[]), expected, "{}", lens.name());
    }
}

fn compared(pieces: impl Iterator<Item = Vec<u8>>) -> Comparison {
    let mut comparison = Comparison::new(Format::Ndjson, &Format::Ndjson.lenses()[1..]);
    for piece in pieces {
        comparison.push(&piece, true, &mut |span| vec![b'x'; span.len() as usize]);
    }
    comparison
}

fn verdict(comparison: &Comparison, lens: Lens) -> &Verdict {
    comparison.verdicts().find(|(other, ..)| *other == lens).unwrap().2
}

/// Three megabytes in one line, a read at a time: nobody is said to see too much before the line is over.
#[test]
fn a_long_line_is_waited_for() {
    let line = [b"\"".to_vec(), vec![b'x'; 3 << 20], b"\"\n".to_vec()].concat();
    let mut comparison = compared(line[..line.len() - 1].chunks(100).map(<[u8]>::to_vec));
    assert!(comparison.verdicts().all(|(_, _, verdict)| *verdict == Verdict::Same));
    comparison.push(b"\n", true, &mut |span| line[span.start as usize..span.end as usize].to_vec());
    for lens in [Lens::SplitEachRead, Lens::ParseEachRead] {
        let Verdict::Differs(found) = verdict(&comparison, lens) else { panic!("{}", lens.name()) };
        assert_eq!((found.difference.kind, found.difference.span), (Kind::Data, Span::new(100, 101)), "{}", lens.name());
    }
    assert_eq!(*verdict(&comparison, Lens::LinesChunkUtf8), Verdict::Same);
}

#[test]
fn a_line_without_end_is_left_unsettled_in_bounded_memory() {
    let mut comparison = compared((0..64).map(|n| if n == 0 { b"\"".to_vec() } else { vec![b'x'; 1 << 20] }));
    comparison.push(b"\"\n", true, &mut |_| Vec::new());
    comparison.finish(&mut |_| Vec::new());
    for (lens, _, verdict) in comparison.verdicts() {
        assert!(matches!(verdict, Verdict::Unsettled { .. }), "{}: {verdict:?}", lens.name());
    }
}

/// One read of sixteen megabytes of lines: who parses reads is told long before its end, and keeps little of it.
#[test]
fn a_read_of_many_lines_is_told_before_its_end() {
    let lines = b"{\"a\":1}\n".repeat(2 << 20);
    let mut comparison = Comparison::new(Format::Ndjson, &[Lens::ParseEachRead]);
    comparison.push(&lines[..64 << 10], false, &mut |span| lines[span.start as usize..span.end as usize].to_vec());
    let Verdict::Differs(found) = verdict(&comparison, Lens::ParseEachRead) else { panic!("it is known by now") };
    assert_eq!((found.difference.index, found.difference.span), (0, Span::new(7, 8)));
    assert!(found.client.as_ref().unwrap().data.len() < 16 << 10);
}

fn shards() -> impl Strategy<Value = Vec<u8>> {
    let shard = prop::sample::select(vec![
        &b"{\"a\":1}"[..],
        b"{\"a\"",
        b":1}",
        b"1",
        b"\"",
        b"\"x\"",
        b" ",
        b"\t",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
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

fn reads() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(0u64..60, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_body_in_pieces_is_told_like_the_whole(body in shards(), reads in reads(), sizes in prop::collection::vec(1usize..9, 1..5)) {
        super::told_like_the_whole(Format::Ndjson, &body, reads, &sizes)?;
    }

    #[test]
    fn no_lens_leaves_its_body(body in shards(), reads in reads()) {
        let mut reads = reads;
        reads.sort_unstable();
        let standard = Lens::Lines.read(&body, &reads);
        for &lens in Format::Ndjson.lenses() {
            let lines = lens.read(&body, &reads);
            let mut end = 0;
            for line in &lines {
                for span in line.lines.iter().chain([&line.span]) {
                    prop_assert!(span.start <= span.end && span.end <= body.len() as u64, "{} {:?}", lens.name(), line);
                }
                prop_assert!(!line.span.is_empty() && line.span.start >= end, "{} {:?}", lens.name(), lines);
                end = line.span.end;
            }
            if let Some(found) = first_difference(&body, &standard, &lines) {
                prop_assert!(found.span.start <= found.span.end && found.span.end <= body.len() as u64, "{} {:?}", lens.name(), found);
            } else {
                prop_assert_eq!(standard.len(), lines.len());
            }
        }
    }
}
