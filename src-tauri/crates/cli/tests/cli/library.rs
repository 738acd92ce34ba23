//! `sessions`: a recording tells what the live run told, and other programs can read it.

use serde_json::{Value, json};

use crate::program::{Home, Lab, Ran};
use crate::server::{Server, chat};

fn sent(home: &Home, lab: &Lab, args: &[&str]) -> (Ran, String) {
    let base = lab.base();
    let ran = home.run(&[&["send", "--base-url", &base, "--prompt", "tell of 世界", "--json"], args].concat());
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    let id = ran.summary()["session"].as_str().unwrap().to_owned();
    (ran, id)
}

fn export(home: &Home, id: &str, format: &str) -> Vec<u8> {
    let to_stdout = home.command(&["sessions", "export", id, "--format", format, "-o", "-"]).output().unwrap();
    let file = home.path(&format!("{id}.{format}"));
    assert_eq!(home.run(&["sessions", "export", id, "--format", format, "-o", &file]).code, 0);
    if format != "weir" {
        assert_eq!(to_stdout.stdout, std::fs::read(&file).unwrap());
    }
    assert!(to_stdout.status.success());
    to_stdout.stdout
}

#[test]
fn shown_again_it_is_what_was_told_live() {
    let home = Home::new();
    let lab = Lab::start(&home, &["--tokens", "20"]);
    let routes: [&[&str]; 5] = [
        &["--model", "lab/reasoner", "--transport", "sse"],
        &["--model", "lab/steady", "--transport", "http"],
        &["--model", "lab/steady", "--transport", "sse", "--http", "2"],
        &["--dialect", "openai-responses", "--model", "lab/reasoner", "--transport", "sse"],
        &["--dialect", "openai-responses", "--model", "lab/steady", "--transport", "websocket"],
    ];
    for args in routes {
        let (ran, id) = sent(&home, &lab, args);
        let again = home.run(&["sessions", "show", &id[..6], "--json", "--deltas"]);
        let (live, mut shown) = (ran.lines(), again.lines());
        let mut last = shown.pop().unwrap();
        assert_eq!(live[..live.len() - 1], shown[..], "{args:?}");
        for (name, value) in live.last().unwrap().as_object().unwrap() {
            assert_eq!(last[name].take(), *value, "{args:?} {name}");
        }
        let frames = home.run(&["sessions", "show", &id, "--frames", "--json"]);
        assert_eq!(frames.lines().len(), ran.summary()["frames"].as_u64().unwrap() as usize);
        let page = home.run(&["sessions", "show", &id]).out;
        assert!(page.contains("complete") && page.contains(ran.summary()["text"].as_str().unwrap().trim_end()), "{page}");
    }
}

#[test]
fn sessions_are_found_renamed_deleted_and_restored() {
    let home = Home::new();
    for text in ["the violet hour", "another thing"] {
        let server = Server::start(chat(&[text], true), false);
        assert_eq!(home.run(&["send", "--base-url", &server.base(), "--prompt", "p"]).code, 0);
    }
    let ids = |args: &[&str]| {
        home.run(&[&["sessions"], args, &["--json"]].concat())
            .lines()
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&["list"]).len(), 2);
    let found = ids(&["search", "viol"]);
    assert_eq!(found.len(), 1);
    let id = found[0].as_str();
    assert_eq!(home.run(&["sessions", "rename", id, "zebra crossing"]).code, 0);
    assert_eq!((ids(&["search", "zebra"]), ids(&["search", "nothing such"])), (found.clone(), vec![]));
    assert_eq!(home.run(&["sessions", "delete", id]).code, 0);
    assert_eq!((ids(&["list"]).len(), ids(&["list", "--deleted"])), (1, found.clone()));
    assert_eq!(home.run(&["sessions", "restore", id]).code, 0);
    assert_eq!((ids(&["list"]).len(), ids(&["list", "--limit", "1"]).len()), (2, 1));
    assert_eq!(home.run(&["sessions", "delete", "--purge", id]).code, 0);
    assert_eq!((ids(&["list"]).len(), ids(&["list", "--deleted"]).len()), (1, 0));
    for args in [
        &["sessions", "show", id][..],
        &["sessions", "delete", id],
        &["sessions", "export", id],
        &["sessions", "--library", "/nonexistent", "list"],
    ] {
        assert_eq!(home.run(args).code, 2, "{args:?}");
    }
}

#[test]
fn a_weir_file_opens_elsewhere_as_the_same_session() {
    let (home, other) = (Home::new(), Home::new());
    let lab = Lab::start(&home, &["--tokens", "12"]);
    let (ran, id) = sent(&home, &lab, &["--model", "lab/steady"]);
    export(&home, &id, "weir");
    let file = home.path(&format!("{id}.weir"));
    for _ in 0..2 {
        assert_eq!(other.run(&["sessions", "import", &file]).out, format!("{id}\n"), "twice is once");
    }
    let shown = other.run(&["sessions", "show", &id, "--json"]).summary();
    for name in ["text", "timings", "bytes", "usage", "frames", "outcome"] {
        assert_eq!(shown[name], ran.summary()[name]);
    }
    assert_eq!(other.run(&["sessions", "import", &home.path("nothing")]).code, 2);
    std::fs::write(home.path("no.weir"), "not a database, but long enough to be looked at as one").unwrap();
    assert_eq!(other.run(&["sessions", "import", &home.path("no.weir")]).code, 2);
}

#[test]
fn exports_hold_what_crossed_the_wire() {
    let home = Home::new();
    let answer = chat(&["Hello ", "世界\n```"], true);
    let server = Server::start(answer.clone(), false);
    let ran = home.run(&["send", "--base-url", &server.base(), "--model", "m", "--prompt", "it's\n```\nfenced", "--json"]);
    let id = ran.summary()["session"].as_str().unwrap().to_owned();
    assert_eq!(export(&home, &id, "raw"), answer.as_bytes());

    let lines: Vec<Value> = export(&home, &id, "jsonl")
        .split(|&b| b == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!((lines[0]["type"].as_str(), lines.len() as u64), (Some("session"), 1 + ran.summary()["frames"].as_u64().unwrap()));
    let deltas: String = lines
        .iter()
        .flat_map(|line| line["deltas"].as_array().cloned().unwrap_or_default())
        .map(|delta| delta["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(deltas, "Hello 世界\n```");
    for line in lines.iter().filter(|line| line["dir"] == "in" && line["data"].is_string()) {
        let wire: String = line["wire"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| &answer[span[0].as_u64().unwrap() as usize..span[1].as_u64().unwrap() as usize])
            .collect();
        assert_eq!(line["data"], json!(wire));
    }

    let markdown = String::from_utf8(export(&home, &id, "markdown")).unwrap();
    assert!(markdown.contains("````\nit's\n```\nfenced\n````") && markdown.contains("## Reply\n\nHello 世界"), "{markdown}");
    let curl = String::from_utf8(export(&home, &id, "curl")).unwrap();
    assert!(curl.starts_with("curl -sN 'http://127.0.0.1:") && curl.contains(r"it'\''s"), "{curl}");

    let har: Value = serde_json::from_slice(&export(&home, &id, "har")).unwrap();
    let entry = checked(&har);
    let body: String = answer.split("data: ").skip(1).map(|event| format!("data: {}\n\n", event.split("\n\n").next().unwrap())).collect();
    assert_eq!(entry["response"]["content"]["text"], json!(body));
    assert_eq!((&entry["response"]["bodySize"], &entry["response"]["content"]["size"]), (&json!(body.len()), &json!(body.len())));
    assert_eq!(entry["response"]["headersSize"], json!(answer.find("\r\n\r\n").unwrap() + 4));
    assert_eq!((entry["request"]["method"].as_str(), entry["serverIPAddress"].as_str()), (Some("POST"), Some("127.0.0.1")));
    let posted = entry["request"]["postData"]["text"].as_str().unwrap();
    assert_eq!(entry["request"]["bodySize"], json!(posted.len()));
    assert_eq!(serde_json::from_str::<Value>(posted).unwrap()["messages"][0]["content"], "it's\n```\nfenced");
}

#[test]
fn a_har_holds_messages_bodies_that_are_no_text_and_dials_that_failed() {
    let home = Home::new();
    let lab = Lab::start(&home, &["--tokens", "8"]);
    let (ran, id) = sent(&home, &lab, &["--dialect", "openai-responses", "--transport", "websocket", "--model", "lab/steady"]);
    let har: Value = serde_json::from_slice(&export(&home, &id, "har")).unwrap();
    let entry = checked(&har);
    assert_eq!((entry["response"]["status"].as_u64(), entry["_resourceType"].as_str()), (Some(101), Some("websocket")));
    let messages = entry["_webSocketMessages"].as_array().unwrap();
    assert_eq!((messages[0]["type"].as_str(), messages[0]["opcode"].as_u64()), (Some("send"), Some(1)));
    let said: String = messages
        .iter()
        .filter(|message| message["type"] == "receive")
        .map(|message| serde_json::from_str::<Value>(message["data"].as_str().unwrap()).unwrap())
        .filter(|event| event["type"] == "response.output_text.delta")
        .map(|event| event["delta"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(json!(said), ran.summary()["text"]);

    let (_, id) = sent(&home, &lab, &["--model", "lab/steady", "--http", "2"]);
    let har: Value = serde_json::from_slice(&export(&home, &id, "har")).unwrap();
    let entry = checked(&har);
    assert_eq!((entry["request"]["httpVersion"].as_str(), entry["response"]["headersSize"].as_i64()), (Some("HTTP/2.0"), Some(-1)));
    assert!(entry["response"]["content"]["text"].as_str().unwrap().ends_with("data: [DONE]\n\n"));
    assert!(entry["request"]["postData"]["text"].as_str().unwrap().contains("tell of 世界"));

    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 4\r\n\r\n".to_vec();
    answer.extend_from_slice(b"a\xff\x00b");
    let server = Server::start(answer, false);
    let url = format!("http://{}/x", server.address);
    let ran = home.run(&["send", "--dialect", "raw", "--url", &url, "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let har: Value = serde_json::from_slice(&export(&home, ran.summary()["session"].as_str().unwrap(), "har")).unwrap();
    let content = &checked(&har)["response"]["content"];
    assert_eq!(
        (content["encoding"].as_str(), content["text"].as_str(), content["size"].as_u64()),
        (Some("base64"), Some("Yf8AYg=="), Some(4))
    );

    let ran = home.run(&["send", "--base-url", "http://127.0.0.1:1/v1", "--prompt", "x", "--json"]);
    let har: Value = serde_json::from_slice(&export(&home, ran.summary()["session"].as_str().unwrap(), "har")).unwrap();
    assert_eq!(checked(&har)["response"]["status"], 0);
}

/// The one entry of an archive, which has what HAR 1.2 asks for.
fn checked(har: &Value) -> &Value {
    let log = &har["log"];
    assert_eq!((log["version"].as_str(), log["creator"]["name"].as_str()), (Some("1.2"), Some("Weir")));
    assert!(log["creator"]["version"].is_string() && log["entries"].as_array().unwrap().len() == 1);
    let entry = &log["entries"][0];
    let started = entry["startedDateTime"].as_str().unwrap();
    assert!(started.len() == 24 && started.ends_with('Z') && started.as_bytes()[10] == b'T', "{started}");
    let (request, response) = (&entry["request"], &entry["response"]);
    assert!(
        ["method", "url", "httpVersion"].iter().all(|name| request[name].is_string())
            && ["cookies", "headers", "queryString"].iter().all(|name| request[name].is_array()),
        "{request}"
    );
    assert!(
        ["statusText", "httpVersion", "redirectURL"].iter().all(|name| response[name].is_string())
            && ["cookies", "headers"].iter().all(|name| response[name].is_array()),
        "{response}"
    );
    assert!(response["status"].is_u64() && response["content"]["size"].is_u64() && response["content"]["mimeType"].is_string());
    assert!([request, response].iter().all(|of| of["headersSize"].is_i64() && of["bodySize"].is_i64()));
    assert_eq!(entry["cache"], json!({}));
    // The spec's own sum: ssl is part of connect, -1 counts as nothing.
    let parts = ["blocked", "dns", "connect", "send", "wait", "receive"].map(|name| entry["timings"][name].as_f64().unwrap().max(0.0));
    assert!((parts.iter().sum::<f64>() - entry["time"].as_f64().unwrap()).abs() < 1e-6, "{}", entry["timings"]);
    entry
}

#[test]
fn a_reply_is_played_again_without_its_server() {
    let home = Home::new();
    let server = Server::start(chat(&["one ", "two ", "\u{4e09}"], true), false);
    let live = home.run(&["send", "--base-url", &server.base(), "--prompt", "p", "--json"]);
    server.asked();
    let id = live.summary()["session"].as_str().unwrap().to_owned();
    // Its lines are the run's own, times included.
    let ran = home.run(&["sessions", "replay", &id, "--json"]);
    assert_eq!((ran.code, ran.lines()), (0, live.lines()), "{}", ran.err);
    let ran = home.run(&["sessions", "replay", &id, "--speed", "max"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "one two \u{4e09}\n"));
    let quiet = home.run(&["sessions", "replay", &id, "--quiet"]).lines();
    assert_eq!((quiet.len(), &quiet[0]["timings"], &quiet[0]["text"]), (1, &live.summary()["timings"], &Value::Null));
    assert_eq!(home.run(&["sessions", "list", "--json"]).lines().len(), 1, "nothing was sent, nothing recorded");
    for wrong in [["nothing", "--speed=1"], [&id, "--speed=0"], [&id, "--speed=-1"], [&id, "--speed=inf"]] {
        assert_eq!(home.run(&["sessions", "replay", wrong[0], wrong[1]]).code, 2);
    }
    // It ends as the run ended.
    let cut = Server::start(chat(&["thi"], false), false);
    let live = home.run(&["send", "--base-url", &cut.base(), "--prompt", "p", "--json"]);
    cut.asked();
    let ran = home.run(&["sessions", "replay", live.summary()["session"].as_str().unwrap(), "--json"]);
    assert_eq!((ran.code, ran.lines()), (1, live.lines()));
}

#[test]
fn a_reply_is_played_at_the_pace_it_came() {
    let home = Home::new();
    let live = home.run(&["send", "--prompt", "p", "--max-tokens", "8", "--json"]);
    let lines = live.lines();
    let last = lines[lines.len() - 2]["t_ms"].as_f64().unwrap();
    let began = std::time::Instant::now();
    assert_eq!(home.run(&["sessions", "replay", live.summary()["session"].as_str().unwrap()]).code, 0);
    assert!(began.elapsed().as_secs_f64() * 1e3 >= last, "the last delta came after {last} ms");
}

#[test]
fn a_session_is_sent_again_byte_for_byte() {
    let home = Home::new();
    let server = Server::start(chat(&["first"], true), false);
    let body = home.path("body.json");
    std::fs::write(&body, b"{\"model\": \"m\",  \"messages\": []}").unwrap();
    let address = server.address;
    let url = format!("http://{address}/v1/chat/completions?x=1");
    let ran = home.run(&["send", "--url", &url, "--body", &body, "--header", "X-Own: 1", "--json"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    let first = server.asked();
    let old = ran.summary()["session"].as_str().unwrap().to_owned();
    let again = Server::at(address, chat(&["second"], true));
    let ran = home.run(&["sessions", "send-again", &old[..8], "--json"]);
    assert_eq!((ran.code, &ran.summary()["text"]), (0, &json!("second")), "{}", ran.err);
    assert_eq!(again.asked(), first);
    // It is another session, and the first stays as it was.
    let new = ran.summary()["session"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    assert_eq!(home.run(&["sessions", "show", &old, "--json"]).lines()[0]["text"], "first");
    assert_eq!(home.run(&["sessions", "show", &new, "--json"]).lines()[0]["text"], "second");
    let cut = Server::at(address, chat(&["thi"], false));
    let ran = home.run(&["sessions", "send-again", &old, "--quiet"]);
    assert_eq!((ran.code, &ran.lines()[0]["outcome"], ran.lines().len()), (1, &json!("cut"), 1));
    cut.asked();
    assert_eq!(home.run(&["sessions", "send-again", &old, "--json"]).code, 3, "nothing listens any more");
    assert_eq!(home.run(&["sessions", "send-again", "nothing"]).code, 2);
}

#[test]
fn a_key_is_given_anew_for_a_session_that_is_sent_again() {
    const KEY: &str = "sk-canary-77aa0c31d9e8";
    let home = Home::new();
    let server = Server::start(chat(&["a"], true), false);
    let address = server.address;
    let typed = [format!("Authorization: Bearer {KEY}"), format!("X-Api-Key: {KEY}-2")];
    let args = ["send", "--base-url", &server.base(), "--prompt", "p", "--json", "--header", &typed[0], "--header", &typed[1]];
    let id = home.run(&args).summary()["session"].as_str().unwrap().to_owned();
    server.asked();
    // The stars that were kept are never sent.
    let ran = home.run(&["sessions", "send-again", &id, "--key", "none"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let again = Server::at(address, chat(&["b"], true));
    let mut command = home.command(&["sessions", "send-again", &id, "--key", "env:WEIR_TEST_KEY", "--header", &typed[1], "--json"]);
    let out = command.env("WEIR_TEST_KEY", KEY).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let asked = again.asked();
    assert!(asked.contains(&typed[0]) && asked.contains(&typed[1]), "{asked}");
    let kept = home.files();
    assert!(!kept.iter().any(|file| file.windows(KEY.len()).any(|window| window == KEY.as_bytes())));
}

#[test]
fn a_session_with_the_lab_is_sent_again_to_the_lab_of_the_day() {
    let home = Home::new();
    let args = ["send", "--prompt", "p", "--dialect", "openai-responses", "--transport", "websocket", "--json"];
    let first = home.run(&args).summary();
    let ran = home.run(&["sessions", "send-again", first["session"].as_str().unwrap(), "--json"]);
    assert_eq!((ran.code, &ran.summary()["text"]), (0, &first["text"]), "{}", ran.err);
}

/// Blocks of a pcapng file: type and body.
fn blocks(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut blocks) = (0, Vec::new());
    while at < bytes.len() {
        let length = word(at + 4) as usize;
        assert_eq!((length % 4, word(at + length - 4) as usize), (0, length), "at {at}");
        blocks.push((word(at), bytes[at + 8..at + length - 4].to_vec()));
        at += length;
    }
    blocks
}

#[test]
fn packets_hold_the_recorded_bytes_in_one_sound_connection() {
    let home = Home::new();
    let answer = chat(&[&"long ".repeat(20_000), "世界"], true);
    let server = Server::start(answer.clone(), false);
    let port = server.address.port();
    let ran = home.run(&["send", "--base-url", &server.base(), "--prompt", "p", "--json"]);
    let asked = server.asked();
    let id = ran.summary()["session"].as_str().unwrap().to_owned();
    let blocks = blocks(&export(&home, &id, "pcapng"));
    assert_eq!((blocks[0].0, blocks[1].0), (0x0a0d_0d0a, 1));
    assert_eq!(blocks[1].1[..2], 101u16.to_le_bytes(), "bare IP");
    let (mut streams, mut next, mut flags, mut before) = ([Vec::new(), Vec::new()], [None; 2], Vec::new(), 0);
    for (kind, body) in &blocks[2..] {
        let word = |at: usize| u32::from_le_bytes(body[at..at + 4].try_into().unwrap());
        assert_eq!((*kind, word(12)), (6, word(16)));
        let at = u64::from(word(4)) << 32 | u64::from(word(8));
        assert!(at >= before, "time goes on");
        before = at;
        let packet = &body[20..20 + word(12) as usize];
        assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])), packet.len());
        let segment = &packet[20..];
        // A header with its checksum sums up to all ones (RFC 1071); TCP's covers the addresses too.
        let sum = |bytes: &[u8]| {
            let words = bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0)));
            let sum: u64 = words.sum();
            let sum = (sum & 0xffff) + (sum >> 16);
            (sum & 0xffff) + (sum >> 16)
        };
        assert_eq!(sum(&packet[..20]), 0xffff);
        let pseudo = [&packet[12..20], &[0, 6], &(segment.len() as u16).to_be_bytes()].concat();
        assert_eq!(sum(&[&pseudo, segment].concat()), 0xffff);
        let side = usize::from(u16::from_be_bytes([segment[0], segment[1]]) == port);
        let sequence = u32::from_be_bytes(segment[4..8].try_into().unwrap());
        assert_eq!(*next[side].get_or_insert(sequence), sequence);
        let takes = segment.len() as u32 - 20 + u32::from(segment[13] & 3 != 0);
        next[side] = Some(sequence + takes);
        streams[side].extend(&segment[20..]);
        flags.push(segment[13]);
    }
    assert_eq!(flags[..3], [2, 18, 16], "SYN, SYN and ACK, ACK");
    assert!(flags.iter().any(|flags| flags & 1 != 0), "an end");
    assert_eq!([String::from_utf8_lossy(&streams[0]), String::from_utf8_lossy(&streams[1])], [asked, answer]);
}

#[test]
fn a_table_and_a_trace_say_what_the_session_says() {
    let home = Home::new();
    let lab = Lab::start(&home, &["--tokens", "6"]);
    let (ran, id) = sent(&home, &lab, &["--model", "lab/steady"]);
    let summary = ran.summary();
    let table = String::from_utf8(export(&home, &id, "csv")).unwrap();
    assert!(table.starts_with("id,t_ms,conn,dir,layer,kind,start,end,wire_bytes,word,delta_kind,delta_text,data,base64\n"));
    assert!(table.contains("\"\"choices\"\""), "quotes are doubled");
    let trace: Value = serde_json::from_slice(&export(&home, &id, "otlp")).unwrap();
    let spans = trace["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let root = &spans[0];
    assert_eq!((&root["name"], &root["kind"], &root["status"]), (&json!("chat lab/steady"), &json!(3), &json!({"code": 1})));
    let attribute = |name: &str| root["attributes"].as_array().unwrap().iter().find(|found| found["key"] == name).unwrap()["value"].clone();
    assert_eq!(attribute("gen_ai.usage.output_tokens"), json!({"intValue": summary["usage"]["output_tokens"].to_string()}));
    assert_eq!(attribute("gen_ai.response.finish_reasons"), json!({"arrayValue": {"values": [{"stringValue": summary["finish"]}]}}));
    assert_eq!(attribute("http.response.status_code"), json!({"intValue": "200"}));
    let time = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
    let names: Vec<&str> = spans[1..].iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["dns", "tcp", "wait", "receive"]);
    for span in &spans[1..] {
        assert_eq!((&span["traceId"], &span["parentSpanId"]), (&root["traceId"], &root["spanId"]));
        assert!(time(root, "startTimeUnixNano") <= time(span, "startTimeUnixNano"));
        assert!(time(span, "endTimeUnixNano") <= time(root, "endTimeUnixNano"), "{span}");
    }
    assert!(!trace.to_string().contains("世界"), "what was asked is nobody's business");
    assert_eq!(export(&home, &id, "otlp"), export(&home, &id, "otlp"), "ids stay");
}

#[test]
fn a_session_without_an_answer_is_exported_too() {
    let home = Home::new();
    let ran = home.run(&["send", "--url", "http://127.0.0.1:1/v1/chat/completions", "--prompt", "p", "--json"]);
    let id = ran.summary()["session"].as_str().unwrap().to_owned();
    assert_eq!(blocks(&export(&home, &id, "pcapng")).len(), 2, "no packet crossed");
    assert_eq!(
        String::from_utf8(export(&home, &id, "csv")).unwrap().lines().count(),
        1 + ran.summary()["frames"].as_u64().unwrap() as usize
    );
    let trace: Value = serde_json::from_slice(&export(&home, &id, "otlp")).unwrap();
    assert_eq!(trace["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["status"]["code"], 2);
}
