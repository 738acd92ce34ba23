use std::ops::ControlFlow;

use bytes::Bytes;

use crate::{Library, NewSession, Record, RecordKind};

fn blocks(library: &Library) -> (i64, i64, i64) {
    library
        .read(|db| {
            let sql = "SELECT count(*), coalesce(sum(length(head)), 0), coalesce(sum(length(data)), 0) FROM block";
            Ok(db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
        })
        .unwrap()
}

#[test]
fn tiny_records_share_blocks_and_large_ones_are_whole() {
    let library = Library::in_memory().unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    let tiny = |t| Record { conn: 0, kind: RecordKind::In, t, bytes: Bytes::from_static(&[7; 330]) };
    recorder.append((0..30_000).map(|n| tiny(n * 3_000)).collect()).unwrap();
    recorder.flush().unwrap();
    let (rows, heads, data) = blocks(&library);
    assert_eq!(data, 30_000 * 330);
    assert!(rows <= 12, "{rows} rows");
    assert!(heads * 50 < data, "{heads} bytes of heads");

    let large = Bytes::from(vec![1; 5 << 20]);
    recorder.append(vec![Record { bytes: large.clone(), ..tiny(0) }]).unwrap();
    recorder.finish(crate::Finished::default()).unwrap();
    assert_eq!(blocks(&library).0, rows + 1);
    let mut last = None;
    recorder
        .reader()
        .records(&mut |record| {
            last = Some(record);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(last.unwrap().bytes, large);
}

#[test]
fn a_slow_stream_ends_up_in_few_blocks() {
    let library = Library::in_memory().unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    let kinds = [RecordKind::In, RecordKind::Out, RecordKind::Mark];
    let records: Vec<_> =
        (0..1000u64).map(|n| Record { conn: 0, kind: kinds[n as usize % 3], t: n, bytes: n.to_string().into() }).collect();
    let mut early = Vec::new();
    let reader = recorder.reader();
    for record in &records {
        recorder.append(vec![record.clone()]).unwrap();
        recorder.flush().unwrap();
        // Ranges stay right across merges.
        early.push(reader.len(0, RecordKind::In));
    }
    assert!(early.is_sorted());
    assert!(blocks(&library).0 < 90);
    recorder.finish(crate::Finished::default()).unwrap();
    let (rows, ..) = blocks(&library);
    assert!(rows <= 17, "{rows} rows");
    let mut read = Vec::new();
    reader
        .records(&mut |record| {
            read.push(record);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(read, records);
    let all: String = (0..1000).filter(|n| n % 3 == 0).map(|n| n.to_string()).collect();
    for start in (0..all.len()).step_by(37) {
        let end = all.len().min(start + 101);
        assert_eq!(reader.read(0, RecordKind::In, start as u64, 101).unwrap(), &all.as_bytes()[start..end]);
    }
}
