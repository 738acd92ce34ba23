//! WebSockets in HTTP/2 streams, from scripted bytes cut everywhere.

use bytes::Bytes;
use weir_dialects::{Transport, dialect};
use weir_frames::ws::deflate::Agreement;
use weir_frames::ws::{Encoder, Side};
use weir_transport::{Dir, Entry};

use crate::analysis::{Analysis, Kind, Layer, RowId};
use crate::inspect;
use crate::view::BlockKind;

/// A log in memory.
struct Held([Vec<u8>; 2]);

impl inspect::Bytes for Held {
    fn read(&self, _: u32, out: bool, start: u64, len: usize) -> Result<Vec<u8>, crate::Error> {
        let all = &self.0[usize::from(out)];
        let start = (start as usize).min(all.len());
        Ok(all[start..(start + len).min(all.len())].to_vec())
    }
}

/// An HTTP/2 frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes()[..], payload].concat()
}

/// Fields as HPACK literals without indexing (RFC 7541 §6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

const ASK: [(&str, &str); 6] = [
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "https"),
    (":path", "/v1/responses"),
    (":authority", "x"),
    ("sec-websocket-version", "13"),
];

const EVENTS: [&str; 4] = [
    r#"{"type":"response.created","response":{"id":"resp_1"}}"#,
    r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hel"}"#,
    r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"lo"}"#,
    r#"{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[],"usage":{"input_tokens":2,"output_tokens":3,"total_tokens":5}}}"#,
];

/// What is sent before the answer, the answer, what is sent behind it, and all that is received then.
fn script(deflate: bool) -> [(Dir, Vec<u8>); 4] {
    script_of(deflate, &EVENTS)
}

fn script_of(deflate: bool, events: &[&str]) -> [(Dir, Vec<u8>); 4] {
    let agreed = || deflate.then(|| Agreement::answer("permessage-deflate").expect("agreed").1);
    let mut asked = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    asked.extend(frame(4, 0, 0, &[]));
    asked.extend(frame(1, 4, 1, &block(&ASK)));
    let mut answered = frame(4, 0, 0, &[0, 8, 0, 0, 0, 1]);
    let extension = [(":status", "200"), ("sec-websocket-extensions", "permessage-deflate")];
    answered.extend(frame(1, 4, 1, &block(&extension[..1 + usize::from(deflate)])));
    let mut said = Vec::new();
    Encoder::new(Side::Client, agreed()).message(1, br#"{"type":"response.create"}"#, false, [1, 2, 3, 4], &mut said);
    let mut sent = Vec::new();
    for piece in said.chunks(11) {
        sent.extend(frame(0, 0, 1, piece));
    }
    let mut encoder = Encoder::new(Side::Server, agreed());
    let mut spoken = Vec::new();
    for event in events {
        encoder.message(1, event.as_bytes(), false, [0; 4], &mut spoken);
    }
    encoder.control(9, b"still there", [0; 4], &mut spoken);
    encoder.control(8, &[3, 232], [0; 4], &mut spoken);
    let mut received = Vec::new();
    for (n, piece) in spoken.chunks(37).enumerate() {
        // Some frames are padded, and another frame stands between.
        if n % 3 == 1 {
            let padded = [&[2], piece, &[0, 0]].concat();
            received.extend(frame(0, 8, 1, &padded));
            received.extend(frame(6, 0, 0, &[0; 8]));
        } else {
            received.extend(frame(0, 0, 1, piece));
        }
    }
    received.extend(frame(0, 1, 1, &[]));
    [(Dir::Out, asked), (Dir::In, answered), (Dir::Out, sent), (Dir::In, received)]
}

/// Folds the script; the part `cut` comes in two pieces, parted at `at`.
fn folded(script: &[(Dir, Vec<u8>)], cut: usize, at: usize) -> Analysis {
    let mut analysis = Analysis::new(dialect::find("openai-responses").expect("known"), Transport::Websocket);
    for (n, (dir, bytes)) in script.iter().enumerate() {
        let (one, two) = bytes.split_at(if n == cut { at } else { 0 });
        for piece in [one, two] {
            if !piece.is_empty() {
                let entry = Entry::Segment { conn: 0, dir: *dir, t: 1 + n as u64, bytes: Bytes::copy_from_slice(piece) };
                analysis.push(&entry, &mut |_| {});
            }
        }
    }
    analysis.end(&mut |_| {});
    analysis
}

fn held(script: &[(Dir, Vec<u8>)]) -> Held {
    let of = |dir| script.iter().filter(|(of, _)| *of == dir).flat_map(|(_, bytes)| bytes.clone()).collect();
    Held([of(Dir::In), of(Dir::Out)])
}

/// Stream, start, length, layer and kind of a row.
type Place = (u16, u64, u32, Layer, Kind);

#[test]
fn a_socket_in_an_http2_stream_reads_like_any_other_wherever_it_is_cut() {
    for deflate in [false, true] {
        let script = script(deflate);
        let received: usize = script.iter().filter(|(dir, _)| *dir == Dir::In).map(|(_, bytes)| bytes.len()).sum();
        let mut first: Option<Vec<Place>> = None;
        for (cut, (_, part)) in script.iter().enumerate() {
            for at in 0..part.len() {
                let analysis = folded(&script, cut, at);
                let fold = &analysis.fold;
                assert_eq!(fold.reply_text(BlockKind::Text), "Hello", "part {cut} cut at {at}");
                assert!(analysis.upgraded() && analysis.settled());
                assert_eq!(analysis.http(), Some("2"));
                assert_eq!(fold.close, Some((Some(1000), String::new())));
                assert_eq!(fold.violation, None);
                let outcome = analysis.outcome().expect("over");
                assert_eq!(outcome.kind, crate::view::OutcomeKind::Complete, "{:?}", outcome.problem);
                let layers = analysis.metrics().layers;
                assert_eq!(layers.iter().map(|(_, bytes)| bytes).sum::<u64>(), received as u64, "{layers:?}");
                let rows = [&fold.rows, &fold.carriers];
                let rows = rows.iter().flat_map(|rows| rows.iter_from(0)).map(|r| (r.stream, r.start, r.len, r.layer, r.kind)).collect();
                assert_eq!(first.get_or_insert_with(|| Vec::clone(&rows)), &rows, "part {cut} cut at {at}");
            }
        }
        let rows = first.expect("folded");
        let of = |layer, kind| rows.iter().filter(|row| row.3 == layer && row.4 == kind).count();
        assert_eq!((of(Layer::Ws, Kind::Text), of(Layer::Ws, Kind::Request)), (2, 1));
        // The ping, the close, and the message that only says that a reply was begun.
        assert_eq!((of(Layer::Ws, Kind::Control), of(Layer::Ws, Kind::Frame)), (3, 5));
    }
}

#[test]
fn a_message_in_data_frames_opens_down_to_its_delta() {
    let script = script(false);
    let analysis = folded(&script, 0, 0);
    let (fold, bytes) = (&analysis.fold, held(&script));
    let row = (0..fold.rows.len()).find(|at| fold.rows.get(*at).is_some_and(|row| row.kind == Kind::Text)).expect("a delta");
    let detail = inspect::open(fold, &bytes, RowId(row as u32)).expect("opens");
    assert_eq!(detail.nodes[detail.focus as usize].label, "Hel");
    let labels: Vec<&str> = detail.nodes.iter().map(|node| node.label.as_str()).collect();
    assert!(labels.contains(&"HTTP/2 DATA") && labels.contains(&"WebSocket text message") && labels.contains(&"delta"), "{labels:?}");
    // The delta's bytes are the delta, whatever DATA frames cut it.
    let window = &bytes.0[0][detail.start as usize..detail.end as usize];
    let text: Vec<u8> =
        detail.nodes[detail.focus as usize].spans.iter().flat_map(|&(from, to)| window[from as usize..to as usize].to_vec()).collect();
    assert_eq!(text, b"Hel");
    assert_eq!(detail.owners.iter().map(|owner| owner.end - owner.start).sum::<u64>(), detail.end - detail.start);
    assert!(detail.owners.iter().any(|owner| owner.layer == "h2") && detail.owners.iter().any(|owner| owner.layer == "ws"));
}

#[test]
fn events_that_add_no_text_say_their_name_and_what_matters() {
    let done = r#"{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hello"}"#;
    let part = r#"{"type":"response.content_part.added","output_index":0,"content_index":0,"part":{"type":"output_text","text":""}}"#;
    let over = r#"{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hello"}]}],"usage":{"input_tokens":2,"output_tokens":3,"total_tokens":5}}}"#;
    let cut =
        over.replace("completed", "incomplete").replace(r#""usage""#, r#""incomplete_details":{"reason":"max_output_tokens"},"usage""#);
    for (last, said) in [
        (over, "response.completed · completed, in 2, out 3, total 5"),
        (&cut, "response.incomplete · max_output_tokens, in 2, out 3, total 5"),
    ] {
        let script = script_of(false, &[EVENTS[0], part, EVENTS[1], EVENTS[2], done, last]);
        let analysis = folded(&script, 0, 0);
        let (fold, bytes) = (&analysis.fold, held(&script));
        let said = ["response.created", "response.content_part.added", "Hel", "lo", "response.output_text.done · Hello", said];
        let rows = (0..fold.rows.len()).filter_map(|at| Some((at, fold.rows.get(at)?))).map(|(at, row)| (at, *row));
        let rows = rows.filter(|(_, row)| row.layer == Layer::Ws && !matches!(row.kind, Kind::Request));
        let lines: Vec<String> = rows.map(|(at, row)| inspect::summary::of(fold, &bytes, RowId(at as u32), &row)).collect();
        assert_eq!(lines[..said.len()], said);
    }
}

#[test]
fn a_refused_socket_is_an_ordinary_response_and_a_wrong_request_is_told() {
    let mut asked = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    asked.extend(frame(4, 0, 0, &[]));
    asked.extend(frame(1, 4, 1, &block(&ASK[..5])));
    let mut answered = frame(4, 0, 0, &[]);
    answered.extend(frame(1, 4, 1, &block(&[(":status", "403"), ("content-type", "application/json")])));
    answered.extend(frame(0, 1, 1, br#"{"error":{"message":"not here","code":"no"}}"#));
    let script = [(Dir::Out, asked), (Dir::In, answered)];
    for at in 0..script[1].1.len() {
        let analysis = folded(&script, 1, at);
        assert!(!analysis.upgraded());
        let outcome = analysis.outcome().expect("over");
        assert!(outcome.problem.is_some_and(|problem| problem.message.contains("not here") || problem.evidence.contains("not here")));
        let (code, message) = analysis.fold.violation.clone().expect("no version");
        assert!(code == "websocket" && message.contains("RFC 8441 §5"), "{message}");
    }
}

/// A GET whose response's window is 100 bytes: used up at 3, opened at 7, used up at 8, the response over at 9.
fn stalled() -> Vec<(u64, Dir, Vec<u8>)> {
    let mut asked = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    asked.extend(frame(4, 0, 0, &[0, 4, 0, 0, 0, 100]));
    asked.extend(frame(1, 5, 1, &block(&[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x")])));
    let mut answered = frame(4, 0, 0, &[]);
    answered.extend(frame(4, 1, 0, &[]));
    answered.extend(frame(1, 4, 1, &block(&[(":status", "200"), ("content-type", "text/event-stream")])));
    answered.extend(frame(0, 0, 1, &[b'\n'; 40]));
    // 60 bytes of the window, of which 10 are padding and one says so.
    let padded = [&[10][..], &[b'\n'; 49], &[0; 10]].concat();
    vec![
        (1, Dir::Out, asked),
        (2, Dir::In, answered),
        (3, Dir::In, frame(0, 8, 1, &padded)),
        (7, Dir::Out, frame(8, 0, 1, &60_u32.to_be_bytes())),
        (8, Dir::In, frame(0, 0, 1, &[b'\n'; 60])),
        (9, Dir::In, frame(3, 0, 1, &[0; 4])),
    ]
}

fn timed(script: &[(u64, Dir, Vec<u8>)], step: usize) -> Analysis {
    let mut analysis = Analysis::new(dialect::find("raw").expect("known"), Transport::Sse);
    for (t, dir, bytes) in script {
        for piece in bytes.chunks(step) {
            let entry = Entry::Segment { conn: 0, dir: *dir, t: *t * 1_000_000, bytes: Bytes::copy_from_slice(piece) };
            analysis.push(&entry, &mut |_| {});
        }
    }
    analysis.end(&mut |_| {});
    analysis
}

#[test]
fn a_window_that_is_used_up_is_a_stall_until_it_is_opened() {
    let script = stalled();
    for step in [1, 2, 5, 11, usize::MAX] {
        let analysis = timed(&script, step);
        let fold = &analysis.fold;
        assert_eq!(fold.violation, None);
        let stalls: Vec<_> =
            fold.windows.stalls().iter().map(|s| (s.from / 1_000_000, s.to.map(|t| t / 1_000_000), s.stream, s.out)).collect();
        assert_eq!(stalls, [(3, Some(7), 1, false), (8, Some(9), 1, false)], "step {step}");
        let totals = analysis.metrics().flow.expect("HTTP/2");
        assert_eq!((totals.stalls_down, totals.down_ms, totals.stalls_up), (2, 5.0, 0));
        // Ten bins of a millisecond.
        let ribbon = inspect::ribbon(&analysis, 10_000_000, 0.0, Some(10.0), 10);
        let lanes = ribbon.stalls.expect("HTTP/2");
        assert_eq!(lanes[0].bins, [0, 0, 0, 1000, 1000, 1000, 1000, 0, 1000, 0]);
        assert_eq!(lanes[1].bins, [0; 10]);
        // Forward and backward through the frames that used it up.
        let mut told = Vec::new();
        let mut at = None;
        while let Some(next) = inspect::next_row(fold, at, false, crate::view::Landmark::Stall) {
            told.push(inspect::row(fold, next).expect("there").t / 1_000_000);
            at = Some(next);
        }
        assert_eq!(told, [3, 8]);
        let back = inspect::next_row(fold, at, true, crate::view::Landmark::Stall).expect("the first");
        let bytes =
            Held([Dir::In, Dir::Out].map(|of| script.iter().filter(|(_, dir, _)| *dir == of).flat_map(|(_, _, b)| b.clone()).collect()));
        let detail = inspect::open(fold, &bytes, back).expect("opens");
        let windows: Vec<_> =
            detail.nodes.iter().filter(|n| n.label.starts_with("window of")).map(|n| (n.label.as_str(), n.value.as_str())).collect();
        assert_eq!(
            windows,
            [
                ("window of stream 1, receiving", "60 → 0 B: used up, nothing more may be sent"),
                ("window of the connection, receiving", "65495 → 65435 B")
            ]
        );
        let mut selection = inspect::Selection::new(inspect::parse("window<=0 dir:in").expect("a filter"));
        selection.update(fold, &bytes);
        assert_eq!(selection.len(fold), 2);
    }
    // Without HTTP/2 there is no such thing.
    let plain = [(1, Dir::Out, b"GET / HTTP/1.1\r\n\r\n".to_vec()), (2, Dir::In, b"HTTP/1.1 204 No\r\n\r\n".to_vec())];
    let analysis = timed(&plain, 7);
    assert_eq!(analysis.metrics().flow, None);
    assert_eq!(inspect::ribbon(&analysis, 10, 0.0, None, 10).stalls, None);
}

#[test]
fn a_window_past_the_largest_is_an_error_that_names_its_rule() {
    let mut script = stalled();
    script.push((10, Dir::In, frame(8, 0, 0, &0x7fff_ffff_u32.to_be_bytes())));
    let analysis = timed(&script, 3);
    let (code, message) = analysis.fold.violation.clone().expect("too wide");
    assert_eq!(code, "FLOW_CONTROL_ERROR");
    assert!(message.contains("RFC 9113 §6.9.1"), "{message}");
}

#[test]
fn every_byte_of_a_selection_is_owned_once() {
    for (deflate, owner) in [(false, "json"), (true, "content-coding")] {
        let script = script(deflate);
        let bytes = held(&script);
        let analysis = folded(&script, 3, 50);
        let fold = &analysis.fold;
        assert_eq!(fold.layers().total(), bytes.0[0].len() as u64);
        let shares = |filter: &str| {
            let mut selection = inspect::Selection::new(inspect::parse(filter).expect("a filter"));
            selection.update(fold, &bytes);
            selection.shares(fold)
        };
        let messages = shares("layer:ws dir:in");
        let named = messages.named();
        assert!(named.iter().any(|(layer, _)| layer == owner) && named.iter().all(|(layer, _)| layer != "h2"), "{named:?}");
        if !deflate {
            assert!(named.contains(&("text".to_owned(), 5)), "{named:?}");
        }
        // The socket's bytes are its messages'; frames of HTTP/2 are the rest.
        let mut all = shares("layer:h2");
        all.add(&messages);
        assert_eq!(all, fold.layers());
        let mut parts = shares("time:..3ns");
        parts.add(&shares("time:4ns.."));
        assert_eq!(parts, fold.layers());
    }
}

/// Messages under permessage-deflate on a socket of its own (HTTP/1.1), none of which compresses well.
fn long(messages: usize) -> (Vec<(Dir, Vec<u8>)>, Vec<String>) {
    let mut seed = 1_u64;
    let mut noise = || {
        let mut text = String::new();
        for _ in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text += &format!("{:08x}", seed >> 32);
        }
        text
    };
    let texts: Vec<String> =
        (0..messages).map(|n| format!(r#"{{"type":"response.in_progress","sequence_number":{n},"noise":"{}"}}"#, noise())).collect();
    let agreed = Agreement::answer("permessage-deflate").expect("agreed").1;
    let mut encoder = Encoder::new(Side::Server, Some(agreed));
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let asked = format!("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n\r\n");
    let accept = weir_frames::ws::accept_key(key.as_bytes());
    let fields = format!("Upgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n");
    let mut script = vec![(Dir::Out, asked.into_bytes()), (Dir::In, format!("HTTP/1.1 101 Switching\r\n{fields}\r\n").into_bytes())];
    for (n, text) in texts.iter().enumerate() {
        let mut bytes = Vec::new();
        // One in a hundred goes uncompressed, as a peer may send it.
        encoder.message(1, text.as_bytes(), n % 100 == 99, [0; 4], &mut bytes);
        script.push((Dir::In, bytes));
    }
    (script, texts)
}

/// As [`Held`], and counts what is read.
struct Counted(Held, std::sync::atomic::AtomicUsize);

impl inspect::Bytes for Counted {
    fn read(&self, conn: u32, out: bool, start: u64, len: usize) -> Result<Vec<u8>, crate::Error> {
        let bytes = self.0.read(conn, out, start, len)?;
        self.1.fetch_add(bytes.len(), std::sync::atomic::Ordering::Relaxed);
        Ok(bytes)
    }
}

#[test]
fn a_compressed_message_opens_wherever_it_stands_and_is_found_by_what_it_says() {
    let (script, texts) = long(5000);
    let analysis = folded(&script, 0, 0);
    let fold = &analysis.fold;
    assert_eq!(fold.violation, None);
    let bytes = Counted(held(&script), Default::default());
    let size = bytes.0.0[0].len();
    assert!(size > 400_000, "{size}");
    let row_of =
        |n: usize| (0..fold.rows.len()).filter(|at| fold.rows.get(*at).is_some_and(|row| row.layer == Layer::Ws)).nth(n).expect("a row");
    for n in [4321, 17, 99, 0, 4999, 2600] {
        bytes.1.store(0, std::sync::atomic::Ordering::Relaxed);
        let detail = inspect::open(fold, &bytes, RowId(row_of(n) as u32)).expect("opens");
        let noise = detail.nodes.iter().find(|node| node.label == "noise").expect("its JSON");
        assert!(texts[n].contains(&noise.value.trim_matches('"').to_owned()), "message {n}: {}", noise.value);
        assert_eq!(noise.path.as_deref(), Some("$.noise"));
        let read = bytes.1.load(std::sync::atomic::Ordering::Relaxed);
        assert!(read < 140 << 10, "{read} bytes were read for message {n}");
    }
    let found = |filter: &str| {
        let mut selection = inspect::Selection::new(inspect::parse(filter).expect("a filter"));
        selection.update(fold, &bytes);
        (0..selection.len(fold)).map(|at| selection.id(fold, at).expect("there").index()).collect::<Vec<_>>()
    };
    for n in [4321, 17, 99, 0, 4999] {
        let noise = &texts[n][texts[n].len() - 40..texts[n].len() - 4];
        assert_eq!(found(noise), [row_of(n)], "message {n}");
        // Searched in a part only: what lies before is passed over, or read without being asked about.
        assert_eq!(found(&format!("id>={} {noise}", row_of(n))), [row_of(n)]);
    }
    assert_eq!(found("json:$.sequence_number>4990").len(), 9);
    assert_eq!(found("/\"noise\":\"[0-9a-f]+\"/").len(), 5000);
    assert_eq!(found("-/noise/ layer:ws").len(), 0);
}
