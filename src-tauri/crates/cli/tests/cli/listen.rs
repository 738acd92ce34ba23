//! `listen`: events as `dissect` prints them, connections as the standard makes them, exit codes.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::program::{Home, Ran, read_until, signal};
use crate::server::request;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

/// Serves one connection after another with these answers, closing each; gives the requests.
fn serve(answers: Vec<String>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let serve = |answer: &String| {
            let (mut stream, _) = listener.accept().unwrap();
            let asked = request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            asked
        };
        answers.iter().map(serve).collect()
    });
    (address, asked)
}

fn stream(body: &str) -> String {
    format!("{HEAD}Connection: close\r\n\r\n{body}")
}

fn kinds(ran: &Ran) -> Vec<String> {
    let name = |line: &Value| line["type"].as_str().or(line["kind"].as_str()).unwrap().to_owned();
    ran.lines().iter().map(name).collect()
}

#[test]
fn events_are_printed_as_dissect_prints_them() {
    let home = Home::new();
    let body = "\u{feff}: hi\nretry: 20\nid: 41\nevent: add\ndata: é\ndata: \u{2028}\n\nid: 42\n\ndata: cut";
    let (address, asked) = serve(vec![stream(body), stream("data: b\r\r"), "HTTP/1.1 204 No Content\r\n\r\n".into()]);
    let ran = home.run(&["listen", &format!("http://{address}/events?x=1"), "--header", "X-Own: 1"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert_eq!(
        kinds(&ran),
        ["connection", "comment", "retry", "event", "incomplete", "waiting", "connection", "event", "waiting", "connection"]
    );
    let lines = ran.lines();
    let dissected = home.run_with(&["dissect", "--as", "sse"], body.as_bytes()).lines();
    assert_eq!(lines[1..5], dissected);
    assert_eq!(lines[0], json!({ "type": "connection", "n": 1, "status": 200, "last_event_id": "" }));
    assert_eq!(lines[6], json!({ "type": "connection", "n": 2, "status": 200, "last_event_id": "42" }));
    assert_eq!((&lines[7]["data"], &lines[7]["id"]), (&json!("b"), &json!("42")));
    assert_eq!(lines[5], json!({ "type": "waiting", "n": 1, "ms": 20, "error": null }));
    let asked = asked.join().unwrap();
    assert!(asked[0].starts_with("GET /events?x=1 HTTP/1.1\r\n") && asked[0].contains("X-Own: 1\r\n"), "{}", asked[0]);
    assert!(asked[0].contains("Accept: text/event-stream\r\n") && asked[0].contains("Cache-Control: no-cache\r\n"));
    assert!(!asked[0].to_lowercase().contains("last-event-id") && asked[1].contains("Last-Event-Id: 42\r\n"));
}

#[test]
fn a_post_is_sent_again_with_its_body() {
    let home = Home::new();
    std::fs::write(home.path("body.json"), "{\"q\":1}").unwrap();
    let (address, asked) = serve(vec![stream("retry: 10\n\n"), stream("")]);
    let url = format!("http://{address}/");
    let body = home.path("body.json");
    let args = ["listen", &url, "--method", "POST", "--body", &body, "--last-event-id", "x", "--max-reconnects", "1"];
    let ran = home.run(&[&args[..], &["--header", "Content-Type: application/json"]].concat());
    assert_eq!(
        (ran.code, kinds(&ran)),
        (0, vec!["connection".into(), "retry".into(), "waiting".into(), "connection".into()]),
        "{}",
        ran.err
    );
    for asked in asked.join().unwrap() {
        assert!(asked.starts_with("POST / ") && asked.ends_with("\r\n\r\n{\"q\":1}"), "{asked}");
        assert!(asked.contains("Content-Type: application/json\r\n") && asked.contains("Last-Event-Id: x\r\n"));
    }
}

#[test]
fn exit_codes_tell_how_it_ended() {
    let home = Home::new();
    let cases = [
        (stream("data: a\n\n"), 0),
        (format!("{HEAD}Content-Length: 100\r\n\r\ndata: a\n\n"), 1),
        ("HTTP/1.1 204 No Content\r\n\r\n".into(), 0),
        ("HTTP/1.1 404 Not Found\r\nContent-Type: text/event-stream\r\n\r\n".into(), 1),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>".into(), 1),
        ("HTTP/1.1 302 Found\r\nLocation:\r\n\r\n".into(), 1),
        (String::new(), 1),
    ];
    for (answer, code) in cases {
        let (address, asked) = serve(vec![answer.clone()]);
        let ran = home.run(&["listen", &format!("http://{address}/"), "--no-reconnect"]);
        assert_eq!(ran.code, code, "{answer}: {} {}", ran.out, ran.err);
        assert_eq!(ran.err.is_empty(), code == 0, "{answer}: {}", ran.err);
        asked.join().unwrap();
    }
    // Nobody listens there any more.
    let (address, _) = serve(Vec::new());
    let refused = |extra: &[&str]| home.run(&[&["listen", &format!("http://{address}/")], extra].concat());
    assert_eq!(refused(&["--no-reconnect"]).code, 3);
    let ran = refused(&["--max-reconnects", "2", "--delay", "0.01"]);
    assert_eq!((ran.code, kinds(&ran)), (3, vec!["waiting".to_owned(), "waiting".to_owned()]));
    assert_eq!(ran.lines()[0]["error"]["code"], "refused");
    for wrong in [
        &["listen"][..],
        &["listen", "ws://127.0.0.1:1/"],
        &["listen", "nonsense"],
        &["listen", "http://127.0.0.1:1/", "--retry-on", "200"],
    ] {
        assert_eq!(home.run(wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn retrying_on_statuses_is_an_option() {
    let home = Home::new();
    let unavailable = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_owned();
    let (address, asked) = serve(vec![unavailable.clone(), unavailable, stream("data: a\n\n")]);
    let url = format!("http://{address}/");
    let ran = home.run(&["listen", &url, "--retry-on", "429,5xx", "--delay", "0.01", "--backoff=0.05", "--max-reconnects", "2"]);
    assert_eq!(kinds(&ran), ["connection", "waiting", "connection", "waiting", "connection", "event"], "{}", ran.err);
    let waits: Vec<Value> = ran.lines().iter().filter(|line| line["type"] == "waiting").map(|line| line["ms"].clone()).collect();
    assert_eq!((ran.code, waits), (0, vec![json!(10), json!(20)]));
    asked.join().unwrap();
}

#[test]
fn the_key_goes_to_its_own_origin_and_nowhere_else() {
    const KEY: &str = "sk-canary-5f2b9c7e41d04a8f";
    let home = Home::new();
    let (other, there) = serve(vec![stream(&format!("data: you sent {KEY}\n\n"))]);
    let (address, here) = serve(vec![format!("HTTP/1.1 307 There\r\nLocation: http://{other}/b?was={KEY}\r\n\r\n")]);
    let mut command = home.command(&["listen", &format!("http://{address}/a?key={{key}}"), "--no-reconnect", "--key", "env:WEIR_TEST_KEY"]);
    command.args(["--header", "Authorization: Bearer {key}"]).env("WEIR_TEST_KEY", KEY);
    let ran = crate::program::finish(command.spawn().unwrap());
    assert_eq!((ran.code, kinds(&ran)), (0, vec!["redirect".into(), "connection".into(), "event".into()]), "{}", ran.err);
    assert!(!ran.out.contains(KEY) && !ran.err.contains(KEY), "{}", ran.out);
    let (here, there) = (here.join().unwrap(), there.join().unwrap());
    assert!(here[0].contains(&format!("/a?key={KEY}")) && here[0].contains(&format!("Bearer {KEY}")));
    assert!(!there[0].contains("Bearer"), "{}", there[0]);
}

#[test]
fn an_interrupt_ends_it_while_it_waits() {
    let home = Home::new();
    let (address, asked) = serve(vec![stream("retry: 60000\n\n")]);
    let mut child = home.command(&["listen", &format!("http://{address}/")]).spawn().unwrap();
    read_until(child.stdout.as_mut().unwrap(), "waiting");
    signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    asked.join().unwrap();
}

#[test]
fn a_stream_is_recorded_with_its_connections_and_without_its_credentials() {
    let home = Home::new();
    let (address, _) =
        serve(vec![stream("retry: 20\nid: 1\ndata: a\n\n"), stream("data: b\n\n"), "HTTP/1.1 204 No Content\r\n\r\n".into()]);
    let url = format!("http://{address}/events");
    let file = home.path("run.weir");
    let plain = ["listen", &url, "--header", "Authorization: Bearer s3cr3t-value", "--record", &file];
    let ran = home.run(&plain);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert_eq!(kinds(&ran), ["connection", "retry", "event", "waiting", "connection", "event", "waiting", "connection"]);
    let list = home.run(&["sessions", "list", "--library", &file, "--json"]);
    let kept = &list.lines()[0];
    assert_eq!((kept["provider"].as_str(), kept["outcome"].as_str()), (Some("console"), Some("complete")), "{kept}");
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(12).any(|window| window == b"s3cr3t-value"));
}
