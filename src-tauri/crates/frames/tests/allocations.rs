//! Dissection allocates for what must be kept, never for each byte: buffers are used again.

use allocation_counter::{AllocationInfo, measure};
use weir_frames::{Limits, http1, ndjson, sse, ws};

/// Bytes of one read of a socket.
const READ: usize = 16 << 10;

/// Allocations for each megabyte once the buffers have their size.
fn per_megabyte(what: &str, stream: &[u8], mut push: impl FnMut(&[u8])) -> f64 {
    let (warm, rest) = stream.split_at(stream.len() / 8);
    warm.chunks(READ).for_each(&mut push);
    let AllocationInfo { count_total, bytes_total, .. } = measure(|| rest.chunks(READ).for_each(&mut push));
    let megabytes = rest.len() as f64 / 1e6;
    eprintln!("{what}: {:.1} allocations and {:.0} B in each MB", count_total as f64 / megabytes, bytes_total as f64 / megabytes);
    count_total as f64 / megabytes
}

fn event(number: usize) -> String {
    format!("id: {number}\nevent: delta\ndata: {{\"choices\":[{{\"delta\":{{\"content\":\"grüße {number}\"}}}}]}}\n\n")
}

#[test]
fn an_event_stream() {
    let body: String = (0..40_000).map(event).collect();
    let (mut dissector, mut events) = (sse::Dissector::default(), 0);
    let found = per_megabyte("SSE", body.as_bytes(), |read| {
        dissector.push(read, &mut |item| events += usize::from(matches!(item, sse::Item::Event(_))));
    });
    assert_eq!(events, 40_000);
    assert!(found < 1.0, "{found} allocations in each MB of some 14,000 events");
}

#[test]
fn lines() {
    let body: String = (0..40_000).map(|number| format!("{{\"message\":{{\"content\":\"grüße {number}\"}}}}\n")).collect();
    let (mut dissector, mut count) = (ndjson::Dissector::default(), 0);
    let found = per_megabyte("NDJSON", body.as_bytes(), |read| dissector.push(read, &mut |_| count += 1));
    assert_eq!(count, 40_000);
    assert!(found < 1.0, "{found}");
}

#[test]
fn chunks() {
    let body: Vec<u8> = (0..40_000)
        .flat_map(|number| {
            let event = event(number);
            format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
        })
        .collect();
    let mut dissector = http1::Dissector::new(http1::Side::Server, Limits::default());
    dissector.expect(b"POST");
    dissector.push(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &mut |_| {});
    let mut count = 0;
    let found = per_megabyte("HTTP/1.1 chunks", &body, |read| {
        dissector.push(read, &mut |item| count += usize::from(matches!(item, http1::Item::Chunk { .. })))
    });
    assert_eq!(count, 40_000);
    assert!(found < 1.0, "{found}");
}

#[test]
fn frames_masked_and_not() {
    for (side, mask) in [(ws::Side::Server, None), (ws::Side::Client, Some([1_u8, 2, 3, 4]))] {
        let text = event(7).into_bytes();
        let mut one = vec![0x81, text.len() as u8 | if mask.is_some() { 0x80 } else { 0 }];
        one.extend(mask.iter().flatten());
        one.extend(text.iter().enumerate().map(|(at, byte)| byte ^ mask.map_or(0, |key| key[at % 4])));
        assert!(text.len() < 126);
        let body = one.repeat(40_000);
        let (mut dissector, mut count) = (ws::Dissector::new(side, "", Limits::default()), 0);
        let found = per_megabyte("WebSocket", &body, |read| {
            dissector.push(read, &mut |item| count += usize::from(matches!(item, ws::Item::Message { .. })));
        });
        assert_eq!(count, 40_000);
        assert!(found < 1.0, "{found}");
    }
}
