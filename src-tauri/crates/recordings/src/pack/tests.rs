use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn record(conn: u32, kind: RecordKind, t: u64, bytes: &[u8]) -> Record {
    Record { conn, kind, t, bytes: Bytes::copy_from_slice(bytes) }
}

fn there_and_back(records: &[Record]) -> Vec<Record> {
    let packed = pack(records);
    let data = packed.parts.concat();
    assert_eq!(data.len() as u64, packed.len);
    assert_eq!(count(&packed.head).unwrap(), records.len() as u64);
    unpack(&packed.head, data.len()).unwrap().into_iter().map(|p| record(p.conn, p.kind, p.t, &data[p.range])).collect()
}

#[test]
fn streams_lie_together() {
    let records = [record(0, RecordKind::In, 5, b"ab"), record(0, RecordKind::Out, 6, b"X"), record(0, RecordKind::In, 7, b"cd")];
    let packed = pack(&records);
    assert_eq!(packed.parts.concat(), b"abcdX");
    assert_eq!(packed.shares[0], Share { conn: 0, kind: RecordKind::In, len: 4, at: 0 });
    assert_eq!(packed.shares[1], Share { conn: 0, kind: RecordKind::Out, len: 1, at: 4 });
    assert_eq!(there_and_back(&records), records);
}

#[test]
fn nothing_is_a_block_too() {
    assert_eq!(there_and_back(&[]), []);
}

#[test]
fn a_small_record_costs_few_bytes() {
    let records: Vec<_> = (0..1000).map(|n| record(0, RecordKind::In, n * 20_000, &[b'x'; 330])).collect();
    assert!(pack(&records).head.len() < 6 * 1000);
}

#[test]
fn every_cut_of_a_head_is_refused() {
    let records = [record(3, RecordKind::Mark, u64::MAX, b"{}"), record(300, RecordKind::In, 1, b"0123456789")];
    let packed = pack(&records);
    for end in 0..packed.head.len() {
        assert!(matches!(unpack(&packed.head[..end], 12), Err(Error::Damaged(_))), "cut at {end}");
    }
    for wrong in [0, 11, 13] {
        assert!(unpack(&packed.head, wrong).is_err());
    }
}

#[test]
fn an_announced_size_allocates_nothing() {
    let mut head = Vec::new();
    put(&mut head, u64::MAX);
    put(&mut head, u64::MAX);
    assert!(unpack(&head, 0).is_err());
    assert!(unpack(&[0xff; 40], 0).is_err());
}

pub fn any_record() -> impl Strategy<Value = Record> {
    let kind = prop_oneof![Just(RecordKind::In), Just(RecordKind::Out), Just(RecordKind::Mark)];
    let t = prop_oneof![any::<u64>(), 0..1_000_000_000u64];
    (prop_oneof![0..3u32, any::<u32>()], kind, t, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(conn, kind, t, bytes)| Record {
        conn,
        kind,
        t,
        bytes: bytes.into(),
    })
}

proptest! {
    #[test]
    fn any_records_come_back(records in prop::collection::vec(any_record(), 0..200)) {
        prop_assert_eq!(there_and_back(&records), records);
    }

    #[test]
    fn any_bytes_are_read_without_panic(head in prop::collection::vec(any::<u8>(), 0..60), len in 0..100usize) {
        if let Ok(places) = unpack(&head, len) {
            prop_assert!(places.iter().all(|p| p.range.end <= len));
        }
    }
}
