//! `connect`: what is typed goes out, frames of both directions come out, and a server that breaks the rules is told so.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use weir_frames::Limits;
use weir_frames::ws::deflate::Agreement;
use weir_frames::ws::{Dissector, Encoder, Item, Side, accept_key};

use crate::program::{Home, Ran};
use crate::server::request;

/// What the client said: its handshake, and its messages and control frames as (opcode, payload).
struct Heard {
    asked: String,
    frames: Vec<(u8, Vec<u8>)>,
}

impl Heard {
    fn field(&self, name: &str) -> Option<&str> {
        self.asked.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Accepts one client, says `frames` (raw), and listens until the client has closed or hung up.
fn serve(frames: Vec<u8>, deflate: bool) -> (SocketAddr, JoinHandle<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = Heard { asked: request(&mut stream), frames: Vec::new() };
        let offered = heard.field("Sec-WebSocket-Extensions").unwrap_or_default();
        let agreed = Agreement::answer(offered).filter(|_| deflate).map(|(answer, _)| answer);
        switch(&mut stream, &heard, agreed.as_deref());
        stream.write_all(&frames).unwrap();
        let mut dissector = Dissector::new(Side::Client, agreed.as_deref().unwrap_or_default(), Limits::default());
        let mut piece = [0; 4096];
        let mut closed = false;
        while !closed {
            let Ok(length @ 1..) = stream.read(&mut piece) else { break };
            dissector.push(&piece[..length], &mut |item| match item {
                Item::Message { opcode, data, .. } => heard.frames.push((opcode, data.to_vec())),
                Item::Frame(frame) if frame.opcode >= 8 => {
                    closed |= frame.opcode == 8;
                    heard.frames.push((frame.opcode, frame.payload.to_vec()));
                }
                Item::Frame(_) => {}
                other => panic!("{other:?}"),
            });
        }
        heard
    });
    (address, heard)
}

fn switch(stream: &mut TcpStream, heard: &Heard, extensions: Option<&str>) {
    let accept = accept_key(heard.field("Sec-WebSocket-Key").unwrap().as_bytes());
    let mut answer =
        format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n");
    if let Some(value) = extensions {
        answer.push_str(&format!("Sec-WebSocket-Extensions: {value}\r\n"));
    }
    if let Some(name) = heard.field("Sec-WebSocket-Protocol").and_then(|names| names.split(", ").next()) {
        answer.push_str(&format!("Sec-WebSocket-Protocol: {name}\r\n"));
    }
    stream.write_all(format!("{answer}\r\n").as_bytes()).unwrap();
}

fn rows(ran: &Ran, dir: &str, kind: &str) -> Vec<Value> {
    ran.lines().into_iter().filter(|line| line["dir"] == dir && line["kind"] == kind).collect::<Vec<Value>>()
}

#[test]
fn what_is_typed_goes_out_and_both_directions_are_printed() {
    let home = Home::new();
    let (address, heard) = serve(b"\x01\x02Gr\x89\x01p\x80\x05\xc3\xbc\xc3\x9fe\x82\x02\x00\xff".to_vec(), false);
    let input = "hallo\r\n/ping yo\n/binary 00 FF\n/nothing special\n/binary 0\n/close 4001 bye bye";
    let url = format!("ws://{address}/socket");
    let ran = home.run_with(&["connect", &url, "--subprotocol", "one", "--subprotocol", "two", "--header", "X-Own: 1"], input.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let heard = heard.join().unwrap();
    assert!(heard.asked.contains("X-Own: 1\r\n") && heard.field("Sec-WebSocket-Protocol") == Some("one, two"));
    let said: Vec<(u8, Vec<u8>)> = heard.frames.iter().filter(|frame| frame.0 != 10).cloned().collect();
    let expected: [(u8, &[u8]); 5] = [(1, b"hallo"), (9, b"yo"), (2, b"\x00\xff"), (1, b"/nothing special"), (8, b"\x0f\xa1bye bye")];
    assert_eq!(said, expected.map(|(opcode, payload)| (opcode, payload.to_vec())));
    assert!(ran.err.contains("subprotocol one") && ran.err.contains("hexadecimal"), "{}", ran.err);
    // What came is printed as dissect prints it, with the direction.
    let mut dissected = home.run_with(&["dissect", "--as", "ws"], b"\x01\x02Gr\x89\x01p\x80\x05\xc3\xbc\xc3\x9fe\x82\x02\x00\xff").lines();
    dissected.iter_mut().for_each(|line| drop(line.as_object_mut().unwrap().insert("dir".into(), "in".into())));
    let came: Vec<Value> = ran.lines().into_iter().filter(|line| line["dir"] == "in").collect();
    assert_eq!(came, dissected);
    assert_eq!(rows(&ran, "in", "message")[0]["text"], "Grüße");
    let out = rows(&ran, "out", "frame");
    assert!(out.iter().all(|line| line["masked"] == true));
    let close = out.iter().find(|line| line["opcode"] == 8).unwrap();
    assert_eq!((&close["close_code"], &close["close_reason"]), (&json!(4001), &json!("bye bye")));
}

#[test]
fn the_end_of_input_closes_only_where_that_is_wished() {
    let home = Home::new();
    let (address, heard) = serve(Vec::new(), false);
    let ran = home.run_with(&["connect", &format!("ws://{address}/"), "--close-on-eof"], b"hi\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(heard.join().unwrap().frames, [(1, b"hi".to_vec()), (8, vec![3, 232])]);
    let (address, heard) = serve(b"\x89\x01p".to_vec(), false);
    let ran = home.run_with(&["connect", &format!("ws://{address}/"), "--timeout", "0.3"], b"hi\n");
    assert_eq!(ran.code, 1, "{}", ran.err);
    let mut frames = heard.join().unwrap().frames;
    assert_eq!(frames.pop(), Some((8, vec![3, 232])));
    // The pong and what was typed go out in any order; where a close is typed at once, the ping may come too late for one.
    frames.sort();
    assert_eq!(frames, [(1, b"hi".to_vec()), (10, b"p".to_vec())]);
}

#[test]
fn echo_sends_messages_back_whole() {
    let home = Home::new();
    for deflate in [false, true] {
        let mut said = Vec::new();
        let mut encoder = Encoder::new(Side::Server, deflate.then(|| Agreement::answer("permessage-deflate").unwrap().1));
        encoder.message(1, "ein Satz, der sich wiederholt ".repeat(20).as_bytes(), false, [0; 4], &mut said);
        encoder.message(2, &[7; 70_000], false, [0; 4], &mut said);
        said.extend(b"\x01\x00\x89\x04ping\x00\x02\xc3\xa9\x80\x00\x88\x02\x03\xe8");
        let (address, heard) = serve(said, deflate);
        let url = format!("ws://{address}/");
        let ran = home.run(&[&["connect", &url, "--echo"][..], if deflate { &["--deflate"] } else { &[] }].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let heard = heard.join().unwrap();
        let messages: Vec<usize> = heard.frames.iter().filter(|frame| frame.0 <= 2).map(|frame| frame.1.len()).collect();
        // The server's close may overtake the last echoes; what is echoed is whole and in order.
        assert!([600, 70_000, 2].starts_with(&messages), "{messages:?}");
        assert_eq!(heard.frames.last(), Some(&(8, vec![3, 232])));
        assert_eq!(heard.field("Sec-WebSocket-Extensions"), deflate.then_some("permessage-deflate; client_max_window_bits"));
        let came = rows(&ran, "in", "message");
        assert_eq!(came[0]["deflated"].is_number(), deflate);
        assert_eq!((came.len(), &came[2]["text"]), (3, &json!("é")));
        if deflate {
            assert!(ran.err.contains("permessage-deflate"), "{}", ran.err);
            assert_eq!(rows(&ran, "in", "frame")[0]["rsv"], 4);
        }
    }
}

#[test]
fn breaches_are_answered_with_their_close_codes() {
    let home = Home::new();
    let breaches: [(&[u8], bool, u16); 9] = [
        (b"\x81\x02\xff\xff", false, 1007),
        (b"\x81\x02\xff\xff", true, 1007),
        (b"\xc1\x02\xff\xff", true, 1007),
        (b"\xc1\x01x", false, 1002),
        (b"\x83\x00", false, 1002),
        (b"\x80\x01x", true, 1002),
        (b"\x09\x00", true, 1002),
        (b"\x81\x81abcdx", false, 1002),
        (b"\x88\x02\x03\xed", true, 1002),
    ];
    for (bytes, deflate, code) in breaches {
        // Whole messages behind the breach must not keep the server from reading why.
        let said = [bytes, &b"\x81\x02hi".repeat(100)].concat();
        let (address, heard) = serve(said, deflate);
        let ran = home.run(&["connect", &format!("ws://{address}/"), "--deflate", "--echo"]);
        let heard = heard.join().unwrap();
        if bytes == b"\x88\x02\x03\xed" && !deflate {
            continue;
        }
        assert_eq!(ran.code, 1, "{bytes:x?}: {}", ran.err);
        assert_eq!(heard.frames, [(8, code.to_be_bytes().to_vec())], "{bytes:x?} {deflate}");
        assert!(!rows(&ran, "in", "error").is_empty());
    }
}

#[test]
fn exit_codes_tell_how_it_ended() {
    let home = Home::new();
    for (close, code) in [(&b"\x88\x00"[..], 0), (b"\x88\x02\x03\xe8", 0), (b"\x88\x02\x03\xe9", 0), (b"\x88\x02\x03\xf3", 1)] {
        let (address, heard) = serve(close.to_vec(), false);
        let ran = home.run(&["connect", &format!("ws://{address}/")]);
        assert_eq!(ran.code, code, "{close:x?} {}", ran.err);
        heard.join().unwrap();
    }
    let refusing =
        crate::server::Server::start(crate::server::plain("401 Unauthorized", "application/json", "", "{\"error\":\"no key\"}"), false);
    let ran = home.run(&["connect", &format!("ws://{}/", refusing.address)]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("401") && ran.err.contains("no key"), "{}", ran.err);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(home.run(&["connect", &format!("ws://{free}/")]).code, 3);
    let wrong: [&[&str]; 4] = [
        &["connect"],
        &["connect", "http://127.0.0.1:1/"],
        &["connect", "ws://127.0.0.1:1/", "--deflate=x"],
        &["connect", "ws://127.0.0.1:1/", "--header", "x"],
    ];
    for args in wrong {
        assert_eq!(home.run(args).code, 2, "{args:?}");
    }
}
