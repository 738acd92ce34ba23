//! Client lenses: no lens leaves its body, the standard lens sees what the dissector sees, and a first difference is told where
//! there is one and only there, by the readers of a stream as by those of a whole body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::Span;
use weir_frames::lens::{Comparison, Format, Verdict, first_difference};
use weir_frames_fuzz::Case;

fuzz_target!(|data: &[u8]| {
    let Some(case) = Case::new(data) else { return };
    let mut reads: Vec<u64> = case.pieces().iter().scan(0, |end, piece| {
        *end += piece.len() as u64;
        Some(*end)
    }).collect();
    if case.choice & 2 != 0 {
        reads.pop();
    }
    let format = if case.choice & 4 == 0 { Format::Sse } else { Format::Ndjson };
    let standard = format.standard().read(case.input, &reads);
    assert_eq!(first_difference(case.input, &standard, &standard), None);
    let streamed = compare(&case, format, &reads, usize::MAX);
    assert_eq!(compare(&case, format, &reads, 1), streamed);
    for (at, &lens) in format.lenses().iter().enumerate() {
        let events = lens.read(case.input, &reads);
        let mut end = 0;
        for event in &events {
            assert!(!case.at(event.span).is_empty() && event.span.start >= end, "{lens:?} {events:?}");
            end = event.span.end;
            for &line in &event.lines {
                case.at(line);
            }
        }
        let found = first_difference(case.input, &standard, &events);
        match &streamed[at] {
            Verdict::Same => assert_eq!(found, None, "{lens:?}"),
            Verdict::Differs(streamed) => assert_eq!(found.as_ref(), Some(&streamed.difference), "{lens:?}"),
            Verdict::Unsettled { .. } => panic!("nothing is long here"),
        }
        match found {
            Some(found) => {
                case.at(found.span);
                assert!(!found.message.is_empty());
                assert_ne!(lens, format.standard());
            }
            None => {
                let alike = standard.iter().zip(&events).all(|(one, other)| (&one.event, &one.data) == (&other.event, &other.data));
                assert!(alike && standard.len() == events.len(), "{lens:?}");
            }
        }
    }
});

/// What comes of each lens when the body comes in these reads, each handed on in parts of `part` bytes.
fn compare(case: &Case<'_>, format: Format, reads: &[u64], part: usize) -> Vec<Verdict> {
    let mut comparison = Comparison::new(format, format.lenses());
    let mut body = |span: Span| case.at(span).to_vec();
    let mut start = 0;
    for end in reads.iter().map(|&end| end as usize).chain([case.input.len()]) {
        let mut parts = case.input[start..end].chunks(part).peekable();
        while let Some(part) = parts.next() {
            comparison.push(part, parts.peek().is_none(), &mut body);
        }
        start = end;
    }
    comparison.finish(&mut body);
    comparison.verdicts().map(|(_, _, verdict)| verdict.clone()).collect()
}
