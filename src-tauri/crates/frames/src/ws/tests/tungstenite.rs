//! tungstenite as the judge: what it writes must read equal, and what it refuses must be an error here.

use std::io::{self, Cursor, Read, Write};

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, error::ProtocolError};

use super::*;

/// A connection whose other end has said all it will, and does not care for answers.
struct Said(Cursor<Vec<u8>>, Vec<u8>);

impl Said {
    fn new(bytes: &[u8]) -> Self {
        Self(Cursor::new(bytes.to_vec()), Vec::new())
    }
}

impl Read for Said {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        any::<String>().prop_map(|text| Message::Text(text.into())),
        prop::collection::vec(any::<u8>(), 0..70_000).prop_map(|bytes| Message::Binary(bytes.into())),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Message::Binary(bytes.into())),
        prop::collection::vec(any::<u8>(), 0..125).prop_map(|bytes| Message::Ping(bytes.into())),
        prop::collection::vec(any::<u8>(), 0..125).prop_map(|bytes| Message::Pong(bytes.into())),
    ]
}

/// Messages and control frames as tungstenite would give them.
fn read(side: Side, pieces: &[&[u8]]) -> (Vec<Message>, bool) {
    let mut dissector = Dissector::new(side, "", Limits::default());
    let mut messages = Vec::new();
    let mut failed = false;
    let mut sink = |item: Item<'_>| match item {
        Item::Message { opcode: 1, data, after_error: false, .. } => {
            messages.push(Message::Text(String::from_utf8(data.to_vec()).expect("checked text").into()));
        }
        Item::Message { data, after_error: false, .. } => messages.push(Message::Binary(data.to_vec().into())),
        Item::Frame(Frame { opcode: 9, payload, after_error: false, .. }) => messages.push(Message::Ping(payload.to_vec().into())),
        Item::Frame(Frame { opcode: 10, payload, after_error: false, .. }) => messages.push(Message::Pong(payload.to_vec().into())),
        Item::Frame(Frame { opcode: 8, close_code, close_reason, after_error: false, .. }) => {
            let close = close_code.map(|code| match code {
                // Registered, but tungstenite does not know it and puts its own words in place.
                1014 => CloseFrame { code: CloseCode::Protocol, reason: "Protocol violation".into() },
                _ => CloseFrame { code: CloseCode::from(code), reason: close_reason.unwrap_or_default().as_ref().into() },
            });
            messages.push(Message::Close(close));
        }
        Item::Error { .. } => failed = true,
        _ => {}
    };
    for piece in pieces {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    (messages, failed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_tungstenite_writes_reads_equal(
        mut messages in prop::collection::vec(message(), 0..6),
        client in any::<bool>(),
        close in prop::option::of(prop::option::of((1000u16..1004, "[a-zé]{0,20}"))),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        if let Some(close) = close {
            messages.push(Message::Close(close.map(|(code, reason)| CloseFrame { code: code.into(), reason: reason.into() })));
        }
        let (role, side) = if client { (Role::Client, Side::Client) } else { (Role::Server, Side::Server) };
        let mut socket = WebSocket::from_raw_socket(Said::new(b""), role, None);
        for message in &messages {
            socket.send(message.clone()).expect("sends");
        }
        let bytes = socket.into_inner().1;
        let (read, failed) = read(side, &cut(&bytes, cuts));
        prop_assert!(!failed);
        prop_assert_eq!(read, messages);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn what_tungstenite_refuses_is_an_error(bytes in frames(), server in any::<bool>()) {
        let (role, side) = if server { (Role::Client, Side::Server) } else { (Role::Server, Side::Client) };
        let mut socket = WebSocket::from_raw_socket(Said::new(&bytes), role, None);
        let mut theirs = Vec::new();
        let refused = loop {
            match socket.read() {
                Ok(message) => theirs.push(message),
                Err(Error::ConnectionClosed | Error::Io(_) | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => break None,
                Err(error) => break Some(error),
            }
        };
        let (ours, failed) = read(side, &[&bytes]);
        if let Some(error) = refused {
            prop_assert!(failed, "tungstenite: {error}");
        }
        if failed {
            // tungstenite answers a bad close code instead of failing, so it may have read on.
            prop_assert_eq!(&ours[..], &theirs[..ours.len()]);
        } else {
            prop_assert_eq!(ours, theirs);
        }
    }
}
