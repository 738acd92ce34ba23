//! Lenses on what crossed a socket: the borders are those that came, live and reopened; and a frame tells which characters were cut.

use weir_dialects::Transport;
use weir_sessions::view::{LensFormat, LensVerdict, LensView, Lenses};
use weir_sessions::{Engine, Session};
use weir_tests::desk::{Desk, draft};
use weir_tests::flood::{Chunks, Server, events};
use weir_tests::peer::{Peer, Step};

/// Asks until nothing more can change; gives how often it asked, too.
fn read(session: &Session, row: Option<u32>) -> (Lenses, usize) {
    let mut last = None;
    for asked in 1..2_000 {
        let lenses = session.lenses(row).expect("the log can be read").expect("a body for lenses");
        assert!(last.is_none_or(|read| lenses.read >= read), "it goes on where it was");
        if lenses.done {
            return (lenses, asked);
        }
        last = Some(lenses.read);
    }
    panic!("it comes to no end");
}

fn of<'a>(lenses: &'a Lenses, name: &str) -> &'a LensView {
    lenses.lenses.iter().find(|lens| lens.name == name).expect("the lens")
}

fn chunk(bytes: &[u8]) -> Step {
    Step::Write([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

fn delta(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_character_that_two_chunks_share_leads_to_their_border() {
    let (first, second) = (delta("plain"), delta("a你b"));
    let inside = second.find('你').expect("it is there") + 1;
    let (one, other) = second.as_bytes().split_at(inside);
    let script = vec![
        Step::Read,
        Step::text(HEAD),
        chunk(first.as_bytes()),
        chunk(one),
        Step::Pause(20),
        chunk(other),
        chunk(b"data: [DONE]\n\n"),
        Step::text("0\r\n\r\n"),
        Step::End,
    ];
    let peer = Peer::play(script).await;
    let desk = Desk::new();
    let session = desk.run(&draft(&peer.url("http", "/v1/chat/completions"), "openai-chat", Transport::Sse)).await;
    let check = |session: &Session| {
        let (lenses, _) = read(session, None);
        assert_eq!(lenses.lenses.len(), 7);
        assert_eq!((lenses.read, lenses.total), (lenses.total, (first.len() + second.len() + 14) as u64));
        for lens in &lenses.lenses {
            let right = if lens.name == "chunk-utf8" { LensVerdict::Differs } else { LensVerdict::Same };
            assert_eq!(lens.verdict, right, "{}: {:?}", lens.name, lens.difference);
        }
        let found = of(&lenses, "chunk-utf8").difference.clone().expect("it differs");
        assert_eq!((found.event, found.kind.as_str()), (1, "data"));
        let (standard, client) = (found.standard.expect("both see it"), found.client.expect("both see it"));
        assert!(standard.before.ends_with('a') && standard.from.starts_with("你b"), "{standard:?}");
        assert!(client.from.starts_with("\u{fffd}\u{fffd}\u{fffd}b"), "{client:?}");

        // The bytes: one of the character, the border between two chunks, two of the character.
        let (from, to) = found.border.expect("a chunk's border cuts it");
        let border = session.bytes().read(lenses.conn, false, from, (to - from) as usize).expect("its bytes");
        assert_eq!(border, format!("\r\n{:x}\r\n", other.len()).into_bytes());
        assert_eq!(found.spans, [(from - 1, from), (to, to + 2)]);

        // The frame that holds them says the same.
        let frame = session.frame(found.row.expect("a frame holds it")).expect("it opens");
        let [split] = &frame.splits[..] else { panic!("{:?}", frame.splits) };
        assert_eq!((split.text.as_str(), split.halves.as_str()), ("你", "e4 | bd a0"));
        assert_eq!(frame.nodes[split.node as usize].spans, [(from - frame.start, to - frame.start)]);
        let plain = session.frame(found.row.expect("a frame") - 1).expect("it opens");
        assert!(plain.splits.is_empty());
        lenses.read
    };
    let live = check(&session);
    let id = session.id().to_owned();
    drop(session);
    let again = Engine::open(desk.home()).expect("a second engine on the same home");
    assert_eq!(check(&again.session(&id).expect("the session opens")), live);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_of_one_chunk_are_borders_too() {
    let body = delta("a你b");
    let inside = body.find('你').expect("it is there") + 2;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n", body.len());
    let (one, other) = body.as_bytes().split_at(inside);
    let peer =
        Peer::play(vec![Step::Read, Step::text(&head), Step::Write(one.to_vec()), Step::Pause(50), Step::Write(other.to_vec()), Step::End])
            .await;
    let desk = Desk::new();
    let session = desk.run(&draft(&peer.url("http", "/v1/chat/completions"), "openai-chat", Transport::Sse)).await;
    let found = of(&read(&session, None).0, "chunk-utf8").difference.clone().expect("it differs");
    let (from, to) = found.border.expect("two reads share it");
    assert_eq!(from, to, "nothing stands between two reads of one chunk");
    assert_eq!(found.spans, [(from - 2, from + 1)]);
}

/// A line that two chunks share: who keeps no buffer has two halves, and the border between them is shown, live and reopened.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_two_chunks_share_leads_to_their_border() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (first, second) = ("{\"n\":1}\n", "{\"text\":\"你\"}\n");
    let inside = second.find('你').expect("it is there");
    let (one, other) = second.as_bytes().split_at(inside);
    let script = vec![
        Step::Read,
        Step::text(head),
        chunk(first.as_bytes()),
        Step::Pause(20),
        chunk(one),
        Step::Pause(20),
        chunk(other),
        Step::text("0\r\n\r\n"),
        Step::End,
    ];
    let peer = Peer::play(script).await;
    let desk = Desk::new();
    let session = desk.run(&draft(&peer.url("http", "/"), "raw", Transport::Ndjson)).await;
    let check = |session: &Session| {
        let (lenses, _) = read(session, None);
        assert_eq!((lenses.format, lenses.lenses.len()), (LensFormat::Ndjson, 5));
        for lens in &lenses.lenses {
            let by_reads = matches!(lens.name.as_str(), "split-each-read" | "parse-each-read");
            let right = if by_reads { LensVerdict::Differs } else { LensVerdict::Same };
            assert_eq!(lens.verdict, right, "{}: {:?}", lens.name, lens.difference);
        }
        let found = of(&lenses, "split-each-read").difference.clone().expect("it differs");
        assert_eq!((found.event, found.kind.as_str()), (1, "data"));
        let (standard, client) = (found.standard.expect("both see it"), found.client.expect("both see it"));
        assert_eq!((standard.event.as_str(), standard.from.as_str()), ("JSON", "你\"}"));
        assert_eq!((client.event.as_str(), client.before.as_str(), client.from.as_str()), ("not JSON", "{\"text\":\"", ""));
        // Its first byte that the client is without, and the border it stopped at.
        let (from, to) = found.border.expect("a chunk's border cuts the line");
        let border = session.bytes().read(lenses.conn, false, from, (to - from) as usize).expect("its bytes");
        assert_eq!(border, format!("\r\n{:x}\r\n", other.len()).into_bytes());
        assert_eq!(found.spans, [(to, to + 3)]);
        found.row.expect("a frame holds it")
    };
    let live = check(&session);
    let id = session.id().to_owned();
    drop(session);
    let again = Engine::open(desk.home()).expect("a second engine on the same home");
    assert_eq!(check(&again.session(&id).expect("the session opens")), live);
}

/// Thirty megabytes: an answer comes after a moment, and what it read is not read again.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_is_read_in_steps() {
    let server = Server::start(events(100_000, 330, Chunks::Event)).expect("a port");
    let desk = Desk::new();
    let session = desk.run(&draft(&server.url(), "openai-chat", Transport::Sse)).await;
    let (lenses, asked) = read(&session, None);
    assert!(asked > 1, "it is not read at one go");
    for lens in &lenses.lenses {
        assert_eq!((lens.verdict, lens.same), (LensVerdict::Same, 100_002), "{}", lens.name);
    }
}
