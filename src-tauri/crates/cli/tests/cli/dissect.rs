//! `dissect`: exact rows, the same however the input is cut.

use serde_json::{Value, json};

use crate::program::Home;

/// The rows of `input`, which must not depend on how it is fed.
fn rows(args: &[&str], input: &[u8]) -> Vec<Value> {
    let home = Home::new();
    let whole = home.run_with(&[&["dissect", "--as"], args].concat(), input);
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert!(!whole.out.contains('\r'));
    for split in ["1", "2", "7", "100000"] {
        let cut = home.run_with(&[&["dissect", "--as"], args, &["--split", split]].concat(), input);
        assert_eq!(cut.out, whole.out, "--split {split}");
    }
    let file = home.path("input");
    std::fs::write(&file, input).unwrap();
    assert_eq!(home.run(&[&["dissect", "--as"], args, &[&file]].concat()).out, whole.out);
    let rows = whole.lines();
    for row in &rows {
        let span = row["span"].as_array().unwrap();
        assert!(span.len() == 2 && span[0].as_u64() <= span[1].as_u64() && span[1].as_u64().unwrap() <= input.len() as u64, "{row}");
    }
    rows
}

#[test]
fn sse() {
    let input = "\u{feff}: hi\r\nretry: 3000\r\nid: 4\u{7d}1\r\nevent: tick\r\ndata: one\r\ndata:two\r\n\r\nid: 42\n\ndata\n\ndata: ünd\u{2028}\n\ndata: lost".as_bytes();
    let base =
        [json!({"layer":"sse","kind":"comment","span":[3,9],"text":"hi"}), json!({"layer":"sse","kind":"retry","span":[9,22],"ms":3000})];
    let found = rows(&["sse"], input);
    assert_eq!(found[..2], base);
    let kinds: Vec<&str> = found.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["comment", "retry", "event", "event", "event", "incomplete"]);
    assert_eq!((&found[2]["event"], &found[2]["data"], &found[2]["id"]), (&json!("tick"), &json!("one\ntwo"), &json!("4}1")));
    assert_eq!((&found[3]["event"], &found[3]["data"], &found[3]["id"]), (&json!("message"), &json!(""), &json!("42")));
    assert_eq!(found[4]["data"], "ünd\u{2028}");
    assert_eq!(found[5]["span"], json!([input.len() - 10, input.len()]));
    assert_eq!(
        rows(&["sse", "--last-event-id", "7"], b"data: x\n\n"),
        [json!({"layer":"sse","kind":"event","span":[0,9],"event":"message","data":"x","id":"7"})]
    );
    assert_eq!(rows(&["sse", "--all"], b"id: 1\n\n").len(), 1);
}

#[test]
fn ndjson() {
    let found = rows(&["ndjson"], b"{\"a\":1}\r\n\n[tru\n 2\n{\"b\"");
    let kinds: Vec<&str> = found.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["line", "error", "line", "line", "incomplete"]);
    assert_eq!(found[0], json!({"layer":"ndjson","kind":"line","span":[0,9],"data":[0,7],"text":"{\"a\":1}","terminated":true}));
}

#[test]
fn websocket() {
    // RFC 6455 §5.7: a fragmented "Hello" with a ping between, then a close with a code.
    let input = [&b"\x01\x03Hel"[..], b"\x89\x05Hello", b"\x80\x02lo", b"\x88\x04\x03\xe8ok", b"\x81\x01x"].concat();
    let found = rows(&["ws"], &input);
    assert_eq!(
        found[0],
        json!({"layer":"ws","kind":"frame","span":[0,5],"fin":false,"rsv":0,"opcode":1,"masked":false,"mask_key":null,"header_len":2,"payload_len":3,"payload_hex":"48656c"})
    );
    assert_eq!(found[3], json!({"layer":"ws","kind":"message","span":[0,16],"opcode":1,"frames":2,"text":"Hello","deflated":null}));
    assert_eq!((&found[4]["close_code"], &found[4]["close_reason"]), (&json!(1000), &json!("ok")));
    assert_eq!((found[5]["kind"].as_str(), &found[6]["after_error"]), (Some("error"), &json!(true)), "bytes after a close frame");
    // Its masked form, from a client.
    let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    let found = rows(&["ws", "--side", "client"], masked);
    assert_eq!(
        (&found[0]["masked"], &found[0]["mask_key"], &found[0]["payload_hex"], &found[1]["text"]),
        (&json!(true), &json!("37fa213d"), &json!("48656c6c6f"), &json!("Hello"))
    );
    assert_eq!(rows(&["ws"], masked)[0]["kind"], "error", "a server must not mask");
    // RFC 7692 §7.2.3.1.
    let found = rows(&["ws", "--deflate", "permessage-deflate"], b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
    assert_eq!(
        (&found[0]["rsv"], &found[0]["payload_hex"], &found[1]["text"], &found[1]["deflated"]),
        (&json!(4), &json!("f248cdc9c90700"), &json!("Hello"), &json!(7))
    );
    let found = rows(&["ws"], b"\x82\x02\x00\xff\x82\x7e\x01");
    assert_eq!((&found[1]["hex"], found[2]["kind"].as_str()), (&json!("00ff"), Some("incomplete")));
}

#[test]
fn http1() {
    let input = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: \xe4\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: 1\r\n\r\nHTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab";
    let found = rows(&["http1"], input);
    let kinds: Vec<&str> = found.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["head", "chunk", "last-chunk", "trailers", "head", "head", "body", "head", "incomplete"]);
    assert_eq!((&found[0]["status"], &found[0]["headers"]), (&json!(200), &json!([["Transfer-Encoding", "chunked"], ["X", "\u{fffd}"]])));
    assert_eq!((&found[1]["size"], &found[1]["ext"]), (&json!(5), &json!(";a=b")));
    let data = found[1]["data"].as_array().unwrap();
    let at = data[0].as_u64().unwrap() as usize;
    assert_eq!(&input[at..at + data[1].as_u64().unwrap() as usize], b"hello");
    assert_eq!(found[3]["headers"], json!([["T", "1"]]));
    let found = rows(
        &["http1", "--side", "client"],
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\naGET /y HTTP/1.1\r\nHost: h\r\n\r\n",
    );
    assert_eq!((&found[0]["method"], &found[0]["target"], &found[2]["target"]), (&json!("POST"), &json!("/x"), &json!("/y")));
    let found = rows(&["http1"], b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01x and more");
    assert_eq!((found.len(), found[1]["kind"].as_str(), &found[1]["span"]), (2, Some("upgraded"), &json!([56, 68])));
    let found = rows(&["http1"], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nxyz\r\n");
    assert_eq!(
        found.iter().map(|row| row["kind"].as_str().unwrap()).filter(|kind| *kind == "warning" || *kind == "error").collect::<Vec<_>>(),
        ["warning", "error"]
    );
}

#[test]
fn http2() {
    let mut input = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    input.extend_from_slice(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64");
    // RFC 7541 C.4.1 with END_STREAM and END_HEADERS.
    input.extend_from_slice(b"\0\0\x11\x01\x05\0\0\0\x01\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff");
    input.extend_from_slice(b"\0\0\x03\0\x01\0\0\0\x01abc\0\0\x05\0\0\0\0\0\x01ab");
    let found = rows(&["http2", "--side", "client"], &input);
    let kinds: Vec<&str> = found.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["preface", "frame", "frame", "frame", "incomplete"]);
    assert_eq!((&found[1]["type"], &found[1]["settings"]), (&json!("SETTINGS"), &json!([["MAX_CONCURRENT_STREAMS", 100]])));
    assert_eq!(found[2]["headers"], json!([[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "www.example.com"]]));
    assert_eq!((&found[3]["flags"], &found[3]["stream"], &found[3]["length"]), (&json!(1), &json!(1), &json!(3)));
    let at = found[3]["data"][0].as_u64().unwrap() as usize;
    assert_eq!(&input[at..at + 3], b"abc");
    let found = rows(&["http2"], b"\0\0\x05\x04\0\0\0\0\0abcde");
    assert!(found.iter().any(|row| row["kind"] == "error" && row["code"] == "FRAME_SIZE_ERROR"), "{found:?}");
}

#[test]
fn eventstream() {
    assert_eq!(rows(&["eventstream"], b"\0\0\0"), [json!({"layer":"eventstream","kind":"incomplete","span":[0,3]})]);
    // An empty message with its two checksums, from the format's own test vectors.
    let found = rows(&["eventstream"], b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff");
    assert_eq!(
        found,
        [json!({"layer":"eventstream","kind":"message","span":[0,16],"headers":[],"payload":[12,0],"text":"","intact":true})]
    );
}

#[test]
fn json_values() {
    let input = br#" {"a":[1.50,{"b c":"\u00e9"}],"n":null} "#;
    let found = rows(&["json"], input);
    let told: Vec<(&str, &str)> = found.iter().map(|row| (row["kind"].as_str().unwrap(), row["path"].as_str().unwrap())).collect();
    assert_eq!(
        told,
        [("object", "$"), ("array", "$.a"), ("number", "$.a[0]"), ("object", "$.a[1]"), ("string", "$.a[1][\"b c\"]"), ("null", "$.n"),]
    );
    assert_eq!((&found[2]["value"], &found[4]["value"]), (&json!("1.50"), &json!(r#""\u00e9""#)));
    let key = found[1]["key_span"].as_array().unwrap();
    assert_eq!(&input[key[0].as_u64().unwrap() as usize..key[1].as_u64().unwrap() as usize], b"\"a\"");
    let found = rows(&["json"], b"{} [1, \"x");
    assert_eq!(found.last().unwrap(), &json!({"layer":"json","kind":"incomplete","span":[3,9]}));
    assert_eq!(rows(&["json"], b"{]")[1]["kind"], "error");
    // A JSON text is one value; a second one is told and read all the same.
    let found = rows(&["json"], b"[] true 1");
    let kinds: Vec<_> = found.iter().map(|row| (row["kind"].as_str().unwrap(), row["span"][0].as_u64().unwrap())).collect();
    assert_eq!(kinds, [("array", 0), ("error", 3), ("bool", 3), ("number", 8)]);
    // Nesting without bound does not make rows without bound.
    let deep = home_rows(&vec![b'['; 20_000]);
    assert!(deep.len() < 20_000 * 900, "{}", deep.len());
}

fn home_rows(input: &[u8]) -> String {
    Home::new().run_with(&["dissect", "--as", "json"], input).out
}

#[test]
fn wrong_usage_and_a_reader_that_goes_away() {
    let home = Home::new();
    let wrong: [&[&str]; 6] = [
        &["dissect"],
        &["dissect", "--as", "x"],
        &["dissect", "--as", "sse", "--split", "0"],
        &["dissect", "--as", "sse", "--side", "client"],
        &["dissect", "--as", "sse", "--deflate", "x"],
        &["dissect", "--as", "sse", "/nonexistent"],
    ];
    for args in wrong {
        let ran = home.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
    }
    let file = home.path("long");
    std::fs::write(&file, "data: x\n\n".repeat(200_000)).unwrap();
    let mut child = home.command(&["dissect", "--as", "sse", &file]).spawn().unwrap();
    crate::program::read_until(child.stdout.as_mut().unwrap(), "event");
    drop(child.stdout.take());
    let ended = crate::program::finish(child);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn lenses_show_what_other_clients_see() {
    let home = Home::new();
    let body = "id: 1\ndata: é\n\n: ping\n\ndata: a\u{2028}b\n\ndata: cut".as_bytes();
    let told = |args: &[&str]| home.run_with(&[&["dissect", "--as", "sse", "--lens"], args].concat(), body).lines();
    let all = told(&["all"]);
    assert_eq!(all.len(), 8);
    let of = |name: &str| all.iter().find(|line| line["lens"] == name).unwrap();
    assert_eq!(of("standard")["first_difference"], Value::Null);
    assert_eq!(
        of("standard")["events"],
        json!([
            { "span": [0, 16], "event": "message", "data": "é", "id": "1" },
            { "span": [24, 37], "event": "message", "data": "a\u{2028}b", "id": "1" },
        ])
    );
    let first = |name: &str| (of(name)["first_difference"]["kind"].clone(), of(name)["first_difference"]["span"].clone());
    assert_eq!(first("splitlines"), (json!("data"), json!([31, 34])));
    assert_eq!(first("fetch-event-source"), (json!("extra"), json!([16, 24])));
    assert_eq!(first("openai-python"), (json!("extra"), json!([23, 24])));
    assert_eq!(first("unterminated"), (json!("extra"), json!([37, 46])));
    assert_eq!(first("chunk-utf8"), (Value::Null, Value::Null));
    // Reads of one byte cut the é.
    let cut = told(&["chunk-utf8", "--split", "1"]);
    assert_eq!((cut.len(), &cut[0]["first_difference"]["span"]), (1, &json!([12, 14])));
    for wrong in [&["dissect", "--as", "sse", "--lens", "other"][..], &["dissect", "--as", "ws", "--lens", "all"]] {
        assert_eq!(home.run_with(wrong, b"").code, 2);
    }
}

#[test]
fn lenses_show_which_lines_other_clients_see() {
    let home = Home::new();
    let body = "{\"a\":\"é\"}\n{\"b\":\"x\u{2028}y\"}\n{\"c\":1}".as_bytes();
    let told = |args: &[&str]| home.run_with(&[&["dissect", "--as", "ndjson", "--lens"], args].concat(), body).lines();
    let all = told(&["all"]);
    assert_eq!(all.len(), 6);
    let of = |name: &str| all.iter().find(|line| line["lens"] == name).unwrap();
    assert_eq!(of("standard")["lines"][2], json!({ "span": [25, 32], "data": "{\"c\":1}", "json": true }));
    let first = |name: &str| {
        let found = &of(name)["first_difference"];
        (found["kind"].clone(), found["line"].clone(), found["span"].clone())
    };
    assert_eq!(first("split-each-read"), (Value::Null, Value::Null, Value::Null));
    assert_eq!(first("parse-each-read"), (json!("data"), json!(0), json!([10, 11])));
    assert_eq!(first("splitlines"), (json!("data"), json!(1), json!([18, 21])));
    assert_eq!(first("last-line-lost"), (json!("missing"), json!(2), json!([25, 32])));
    // Reads of eight bytes cut the first line, behind its é.
    let cut = told(&["split-each-read", "--split", "8"]);
    assert_eq!((&cut[0]["first_difference"]["span"], &cut[0]["lines"][0]["json"]), (&json!([8, 9]), &json!(false)));
    assert_eq!(home.run_with(&["dissect", "--as", "ndjson", "--lens", "openai-python"], b"").code, 2);
}
