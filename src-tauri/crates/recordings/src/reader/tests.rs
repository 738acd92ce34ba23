use std::collections::HashMap;
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;
use crate::pack::tests::any_record;
use crate::{Finished, NewSession};

fn all(reader: &Reader) -> Vec<Record> {
    let mut records = Vec::new();
    reader
        .records(&mut |record| {
            records.push(record);
            ControlFlow::Continue(())
        })
        .unwrap();
    records
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn any_records_and_any_range(
        batches in prop::collection::vec((prop::collection::vec(any_record(), 0..40), any::<bool>()), 0..90),
        ranges in prop::collection::vec((0..3u32, 0..3u8, 0..3000u64, 0..3000usize), 20),
        finish: bool,
    ) {
        let library = Library::in_memory().unwrap();
        let recorder = library.create(NewSession::default()).unwrap();
        let mut expected = Vec::new();
        for (batch, flush) in batches {
            expected.extend(batch.iter().cloned());
            recorder.append(batch).unwrap();
            if flush {
                recorder.flush().unwrap();
            }
        }
        if finish {
            recorder.finish(Finished::default()).unwrap();
        }
        let reader = library.reader(recorder.id()).unwrap();
        let mut streams: HashMap<(u32, RecordKind), Vec<u8>> = HashMap::new();
        for record in &expected {
            streams.entry((record.conn, record.kind)).or_default().extend_from_slice(&record.bytes);
        }
        for (conn, kind, start, len) in ranges {
            let kind = RecordKind::from_number(kind).unwrap();
            let stream = streams.get(&(conn, kind)).map_or(&[][..], |all| all);
            let from = stream.len().min(start as usize);
            let to = stream.len().min(from + len);
            prop_assert_eq!(reader.read(conn, kind, start, len).unwrap(), &stream[from..to]);
        }
        prop_assert_eq!(all(&reader), expected);
        for ((conn, kind), stream) in &streams {
            prop_assert_eq!(reader.len(*conn, *kind), stream.len() as u64);
            prop_assert_eq!(&reader.read(*conn, *kind, 0, usize::MAX).unwrap(), stream);
        }
        let listed = reader.streams().unwrap();
        prop_assert_eq!(listed.len(), streams.values().filter(|stream| !stream.is_empty()).count());
    }
}

#[test]
fn a_live_read_gets_what_was_appended_just_now() {
    let library = Library::in_memory().unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    let by_id = library.reader(recorder.id()).unwrap();
    for n in 0..200u64 {
        let record = Record { conn: 0, kind: RecordKind::In, t: n, bytes: vec![n as u8].into() };
        recorder.append(vec![record]).unwrap();
        let reader = if n % 2 == 0 { recorder.reader() } else { by_id.clone() };
        assert_eq!(reader.read(0, RecordKind::In, n, 1).unwrap(), [n as u8]);
    }
    assert_eq!(all(&by_id).len(), 200);
}

#[test]
fn merging_under_a_reader_neither_repeats_nor_skips() {
    let library = Library::in_memory().unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    let record = |n: u64| Record { conn: 0, kind: RecordKind::In, t: n, bytes: n.to_string().into() };
    for n in 0..40 {
        recorder.append(vec![record(n)]).unwrap();
        recorder.flush().unwrap();
    }
    let mut seen = Vec::new();
    recorder
        .reader()
        .records(&mut |read| {
            seen.push(read.t);
            if read.t == 20 {
                // Everything becomes one block, of which this reader has seen half.
                recorder.append(vec![record(40)]).unwrap();
                recorder.finish(Finished::default()).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, (0..=40).collect::<Vec<_>>());
}

#[test]
fn a_reader_may_stop() {
    let library = Library::in_memory().unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    let record = Record { conn: 0, kind: RecordKind::In, t: 0, bytes: "x".into() };
    recorder.append(vec![record; 10]).unwrap();
    let mut seen = 0;
    recorder
        .reader()
        .records(&mut |_| {
            seen += 1;
            if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(seen, 3);
}
