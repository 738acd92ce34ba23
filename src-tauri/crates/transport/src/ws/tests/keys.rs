//! Keys in the places that browsers are left with: subprotocols, the query, the first message. They reach the server and no log.

use super::*;

/// As a key looks that can be a subprotocol (RFC 9110, section 5.6.2).
const TOKEN: &str = "sk-Canary_0123.456789~";

fn with_key(address: SocketAddr, key: &str, query: &str) -> Target {
    Target { key: Some(Secret::new(key)), ..target(format!("ws://{address}/v1{query}")) }
}

/// A server that accepts with `more` in its answer; gives the request once the client has hung up.
async fn accepting(more: &'static str) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    serve(move |mut stream| async move {
        let request = String::from_utf8(read_request(&mut stream).await).unwrap();
        let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap().lines().next().unwrap();
        let accept = derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}\r\n"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
        request
    })
    .await
}

#[tokio::test]
async fn a_key_in_a_subprotocol_is_sent_and_starred_in_the_log() {
    for offered in [
        ["realtime", "openai-insecure-api-key.{key}"].as_slice(),
        &["xai-client-secret.{key}"],
        // Deepgram's: the key is a subprotocol of its own.
        &["token", "{key}"],
        &["bearer", "{key}"],
    ] {
        let (address, server) = accepting("").await;
        let recording = record();
        let names: Vec<Value> = offered
            .iter()
            .map(|name| if name.contains("{key}") { Value::Keyed((*name).into()) } else { Value::Plain((*name).into()) })
            .collect();
        let target = with_key(address, TOKEN, "");
        let socket = open(&target, &[], &names, recording.journal.clone(), 0, &Control::new()).await.unwrap();
        drop(socket);
        let line = format!("Sec-WebSocket-Protocol: {}\r\n", offered.join(", "));
        assert!(server.await.unwrap().contains(&line.replace("{key}", TOKEN)), "the wire has it");
        let log = recording.finish();
        assert!(log.text(Dir::Out).contains(&line.replace("{key}", &"*".repeat(TOKEN.len()))), "{}", log.text(Dir::Out));
        assert!(!format!("{:?}", log.marks()).contains(TOKEN));
    }
}

#[tokio::test]
async fn a_key_that_is_no_token_is_not_offered_as_a_subprotocol() {
    for key in ["sk-Canary/0123", "sk-Canary0123==", "sk:Canary0123", "sk Canary0123", "sk,Canary0123", "sk-Canaryé0123"] {
        let recording = record();
        let names = [Value::Plain("realtime".into()), Value::Keyed("openai-insecure-api-key.{key}".into())];
        // Nobody listens: it is refused before anything is dialled.
        let target = with_key("127.0.0.1:1".parse().unwrap(), key, "");
        let error = open(&target, &[], &names, recording.journal.clone(), 0, &Control::new()).await.err().unwrap();
        assert_eq!((error.code.as_str(), error.blame), ("bad-subprotocol", Blame::User), "{key}: {error:?}");
        assert!(error.message.contains("number 2") && error.next.contains("header"), "{error:?}");
        assert!(!format!("{error:?}").contains("anary"), "{error:?}");
        assert!(recording.finish().bytes(Dir::Out).is_empty());
    }
    for name in ["", "a b", "a/b", "a,b"] {
        let recording = record();
        let target = with_key("127.0.0.1:1".parse().unwrap(), TOKEN, "");
        let error = open(&target, &[], &[Value::Plain(name.into())], recording.journal.clone(), 0, &Control::new()).await.err().unwrap();
        assert_eq!(error.code, "bad-subprotocol", "{name:?}");
    }
}

#[tokio::test]
async fn a_key_in_the_query_is_starred_under_every_name() {
    for name in ["key", "api-key", "access_token", "token", "Authorization=Bearer%20"] {
        let name = name.trim_end_matches('=');
        let (address, server) = accepting("").await;
        let recording = record();
        let query = if name.contains('=') { format!("?{name}{{key}}") } else { format!("?model=m&{name}={{key}}") };
        drop(open(&with_key(address, CANARY, &query), &[], &[], recording.journal.clone(), 0, &Control::new()).await.unwrap());
        let encoded = CANARY.replace('/', "%2F").replace('+', "%2B");
        assert!(server.await.unwrap().contains(&format!("{} HTTP/1.1", query.replace("{key}", &encoded))), "the wire has it");
        let log = recording.finish();
        log.assert_clean();
        assert!(log.text(Dir::Out).contains(&query.replace("{key}", &"*".repeat(encoded.len()))), "{}", log.text(Dir::Out));
    }
}

#[tokio::test]
async fn the_server_chooses_one_that_was_offered_or_none() {
    let names = [Value::Plain("realtime".into()), Value::Plain("json".into())];
    for (more, chosen) in
        [("", Some(None)), ("Sec-WebSocket-Protocol: json\r\n", Some(Some("json"))), ("Sec-WebSocket-Protocol: xml\r\n", None)]
    {
        let (address, _server) = accepting(more).await;
        let recording = record();
        let opened = open(&target(format!("ws://{address}/")), &[], &names, recording.journal.clone(), 0, &Control::new()).await;
        match (opened, chosen) {
            (Ok(socket), Some(chosen)) => assert_eq!(socket.accepted().subprotocol.as_deref(), chosen, "{more}"),
            (Err(error), None) => assert!(error.code == "ws-protocol" && error.evidence.contains("xml"), "{error:?}"),
            (opened, _) => panic!("{more}: {:?}", opened.err()),
        }
    }
}

#[tokio::test]
async fn a_secret_that_turns_up_on_an_open_socket_is_starred_both_ways() {
    let (address, server) = serve(|mut stream| async move {
        accept(&mut stream).await;
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let mut heard = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                heard.push(message.to_text().unwrap().to_owned());
                socket.send(message).await.unwrap();
            }
        }
        heard
    })
    .await;
    let recording = record();
    let target = Target { key: None, hides_later: true, ..target(format!("ws://{address}/")) };
    let mut socket = open(&target, &[], &[], recording.journal.clone(), 0, &Control::new()).await.unwrap();
    let sender = socket.sender();
    let first = format!("{{\"text\":\" \",\"xi_api_key\":\"{TOKEN}\"}}");
    for text in ["before", &first, "after"] {
        if text == first {
            sender.hide(&Secret::new(TOKEN));
        }
        sender.send_text(text).await.unwrap();
        assert_eq!(socket.next().await, Some(Ok(Message::Text(text.to_owned().into()))), "the wire has it");
    }
    drop((socket, sender));
    assert_eq!(server.await.unwrap()[1], first);
    let log = recording.finish();
    let starred = first.replace(TOKEN, &"*".repeat(TOKEN.len()));
    assert!(log.text(Dir::In).contains(&starred) && log.text(Dir::In).contains("before"), "{}", log.text(Dir::In));
    let sent = log.bytes(Dir::Out);
    let frames = &sent[sent.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4..];
    let mut said = Vec::new();
    weir_frames::ws::Dissector::new(weir_frames::ws::Side::Client, "", weir_frames::Limits::default()).push(frames, &mut |item| {
        if let weir_frames::ws::Item::Message { data, .. } = item {
            said.push(String::from_utf8(data.to_vec()).unwrap());
        }
    });
    assert_eq!(said, ["before", &starred, "after"]);
}

/// Sound in Base64 is soon larger than the mebibyte at which some clients stop.
#[tokio::test]
async fn messages_of_megabytes_are_read() {
    let sound = format!("{{\"type\":\"response.output_audio.delta\",\"delta\":\"{}\"}}", "AAAA".repeat(1 << 20));
    let frame = [&[0x81, 127][..], &(sound.len() as u64).to_be_bytes(), sound.as_bytes()].concat();
    let (messages, failure, _) = session(move |mut stream| async move {
        stream.write_all(&frame).await.unwrap();
        stream.write_all(b"\x88\x02\x03\xe8").await.unwrap();
        let _ = stream.read(&mut [0; 100]).await;
    })
    .await;
    assert!(matches!(&messages[0], Message::Text(text) if text.len() == sound.len()), "{failure:?}");
    assert_eq!(failure, None);
}
