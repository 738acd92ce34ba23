use std::future::poll_fn;
use std::thread;

use super::*;

fn bytes(journal: &Journal, length: usize) {
    journal.segment(0, Dir::In, journal.now(), Bytes::from(vec![7; length]));
}

#[test]
fn takes_everything_queued_in_order_in_one_batch() {
    let (journal, mut reader) = channel(1 << 20);
    for length in 1..=100 {
        bytes(&journal, length);
    }
    journal.mark(0, Mark::Sent);
    let mut batch = Vec::new();
    assert_eq!(reader.recv_many(&mut batch), 101);
    let lengths: Vec<_> =
        batch.iter().filter_map(|entry| if let Entry::Segment { bytes, .. } = entry { Some(bytes.len()) } else { None }).collect();
    assert_eq!(lengths, (1..=100).collect::<Vec<_>>());
    assert_eq!(journal.queued(), 0);
    drop(journal);
    assert_eq!(reader.recv_many(&mut batch), 0);
    assert_eq!(reader.recv_batch_blocking(Duration::from_secs(9)), None);
}

#[test]
fn a_full_queue_is_pending_until_it_is_taken() {
    let (journal, mut reader) = channel(1000);
    let mut cx = Context::from_waker(Waker::noop());
    bytes(&journal, 500);
    assert!(journal.poll_ready(&mut cx).is_ready());
    bytes(&journal, 500);
    assert!(journal.poll_ready(&mut cx).is_pending());
    // Full means that nobody reads a socket, not that what was read is lost.
    bytes(&journal, 500);
    assert_eq!(reader.try_recv_many(&mut Vec::new()), 3);
    assert!(journal.poll_ready(&mut cx).is_ready());
}

#[test]
fn tiny_entries_count_with_their_own_size() {
    let (journal, _reader) = channel(10_000);
    for _ in 0..1000 {
        bytes(&journal, 1);
    }
    assert!(journal.poll_ready(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[tokio::test]
async fn a_sleeping_reader_and_a_stalled_writer_wake_each_other() {
    const ROUNDS: usize = 2000;
    let (journal, mut reader) = channel(600);
    let consumer = thread::spawn(move || {
        let (mut batch, mut total) = (Vec::new(), 0);
        while reader.recv_many(&mut batch) > 0 {
            total += batch.drain(..).count();
        }
        total
    });
    for _ in 0..ROUNDS {
        poll_fn(|cx| journal.poll_ready(cx)).await;
        bytes(&journal, 400);
    }
    drop(journal);
    assert_eq!(consumer.join().unwrap(), ROUNDS);
}

#[test]
fn a_batch_may_be_empty_after_its_timeout() {
    let (_journal, mut reader) = channel(10);
    assert_eq!(reader.recv_batch_blocking(Duration::from_millis(5)), Some(Vec::new()));
}

#[test]
fn without_a_reader_nothing_piles_up_and_nobody_waits() {
    let (journal, reader) = channel(10);
    bytes(&journal, 5000);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(journal.poll_ready(&mut cx).is_pending());
    drop(reader);
    assert!(journal.poll_ready(&mut cx).is_ready());
    bytes(&journal, 5000);
    assert_eq!(journal.queued(), 0);
}

#[test]
fn connections_share_the_clock() {
    let clock = Clock::start();
    let (journal, _reader) = channel_on(clock, 10);
    assert_eq!(journal.clock().origin(), clock.origin());
    let before = clock.now();
    assert!(journal.now() >= before);
}
