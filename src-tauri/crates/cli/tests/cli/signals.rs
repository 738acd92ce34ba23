//! Ctrl-C.

use std::io::Read;
use std::time::{Duration, Instant};

use crate::program::{Home, finish, read_until, signal};
use crate::server::{Server, chat};

#[test]
fn ctrl_c_cancels_and_the_summary_still_comes() {
    let home = Home::new();
    let mut server = Server::start(chat(&["so ", "far"], false), true);
    let mut child = home.command(&["send", "--base-url", &server.base(), "--prompt", "x", "--json"]).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    // A delta is there while the stream is still open: each line goes out by itself.
    let first = read_until(&mut out, "\"far\"");
    assert!(first.contains("\"so \""));
    let began = Instant::now();
    signal(child.id(), "INT");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let ended = finish(child);
    assert!(began.elapsed() < Duration::from_secs(2), "the socket is closed at once");
    let summary: serde_json::Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!(
        (ended.code, summary["outcome"].as_str(), summary["text"].as_str()),
        (1, Some("cancelled"), Some("so far")),
        "{}",
        ended.err
    );
    drop(server.close.take());
    let row = &home.run(&["sessions", "list", "--json"]).lines()[0];
    assert_eq!((row["outcome"].as_str(), row["reply"].as_str()), (Some("cancelled"), Some("so far")));
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let home = Home::new();
    let texts: Vec<String> = (0..20_000).map(|n| format!("{n} ")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let server = Server::start(chat(&texts, true), false);
    let mut child = home.command(&["send", "--base-url", &server.base(), "--prompt", "x", "--json"]).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    read_until(&mut out, "\"delta\"");
    drop(out);
    let ended = finish(child);
    assert!(matches!(ended.code, 0 | 1), "{}", ended.code);
    assert_eq!(ended.err, "");
}
