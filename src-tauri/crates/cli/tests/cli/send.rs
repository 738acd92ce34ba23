//! `send`: replies, outcomes, exit codes, and what of it may hold a key.

use std::io::Write;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::program::{Home, Lab};
use crate::server::{Server, chat, plain};

const KEY: &str = "sk-canary-5f2b9c7e41d04a8f";

#[test]
fn every_route_to_the_lab_streams_and_adds_up() {
    let home = Home::new();
    let lab = Lab::start(&home, &["--tokens", "30", "--reply", "echo"]);
    let routes = [
        ("openai-chat", "http", "1.1"),
        ("openai-chat", "sse", "1.1"),
        ("openai-chat", "sse", "2"),
        ("openai-responses", "http", "1.1"),
        ("openai-responses", "sse", "2"),
        ("openai-responses", "websocket", "auto"),
    ];
    let mut texts = Vec::new();
    for (dialect, transport, http) in routes {
        let base = lab.base();
        let args = ["send", "--base-url", &base, "--dialect", dialect, "--transport", transport, "--http", http];
        let ran = home.run(&[&args[..], &["--model", "lab/steady", "--prompt", "say naïve 世界 👩‍👩‍👧‍👦 again", "--json"]].concat());
        let summary = ran.summary();
        assert_eq!((ran.code, &summary["outcome"]), (0, &json!("complete")), "{args:?} {}", ran.err);
        assert_eq!(ran.told("text"), summary["text"].as_str().unwrap());
        let counted = ran.lines().iter().filter(|line| line["kind"] == "text" && line["text"] != "").count();
        assert_eq!(summary["deltas"], counted);
        assert_eq!(summary["http"], if http == "2" { "2" } else { "1.1" });
        assert_eq!(summary["status"], if transport == "websocket" { 101 } else { 200 });
        let bytes = &summary["bytes"];
        let layers: u64 = bytes["layers"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(layers, bytes["down"].as_u64().unwrap(), "{bytes}");
        assert_eq!(bytes["text"].as_u64().unwrap() as usize, summary["text"].as_str().unwrap().len());
        let times: Vec<f64> =
            ["tcp_ms", "ttfb_ms", "ttft_ms", "total_ms"].iter().map(|name| summary["timings"][name].as_f64().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
        assert!(summary["usage"]["output_tokens"].as_u64().unwrap() > 0);
        texts.push(summary["text"].as_str().unwrap().to_owned());
    }
    assert!(texts.iter().all(|text| text == &texts[0] && text.contains("世界")), "{texts:?}");
}

#[test]
fn the_reply_alone_is_on_standard_output() {
    let home = Home::new();
    let server = Server::start(chat(&["Hel", "lo\n", "世界"], true), false);
    let ran =
        home.run(&["send", "--base-url", &server.base(), "--model", "m", "--prompt", "hi", "--temperature", "0", "--max-tokens", "9"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "Hello\n世界\n"), "{}", ran.err);
    assert!(ran.err.contains("complete"));
    let asked = server.asked();
    assert!(
        asked.starts_with("POST /v1/chat/completions HTTP/1.1\r\n")
            && asked.contains(r#""stream":true"#)
            && asked.contains(r#""content":"hi""#),
        "{asked}"
    );
    assert!(asked.contains(r#""temperature":0"#) && !asked.to_lowercase().contains("authorization"), "{asked}");
}

#[test]
fn the_prompt_comes_from_standard_input_and_the_body_from_a_file() {
    let home = Home::new();
    for stdin in [&["-"][..], &["--prompt", "-"]] {
        let server = Server::start(chat(&["x"], true), false);
        let base = server.base();
        let ran = home.run_with(&[&["send", "--base-url", &base, "--quiet"], stdin].concat(), "from \"there\"".as_bytes());
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(server.asked().contains(r#""content":"from \"there\"""#));
        let summary = ran.summary();
        assert_eq!(ran.lines().len(), 1);
        assert!(summary.get("text").is_none() && summary.get("reasoning").is_none(), "{summary}");
    }
    let body = r#"{"model":"m", "messages":[],"stream":true }"#;
    std::fs::write(home.path("body.json"), body).unwrap();
    let server = Server::start(chat(&["x"], true), false);
    let ran = home.run(&[
        "send",
        "--base-url",
        &server.base(),
        "--body",
        &home.path("body.json"),
        "--header",
        "X-Own: 1",
        "--header",
        "Accept: a/b",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let asked = server.asked();
    assert!(asked.ends_with(body) && asked.contains("X-Own: 1\r\n") && asked.contains("Accept: a/b\r\n"), "{asked}");
}

#[test]
fn how_it_ended_is_the_exit_code() {
    let home = Home::new();
    let cases = [
        (chat(&["a", "b"], false), 1, "cut", "cut"),
        ("".into(), 1, "failed", "empty-reply"),
        (
            plain(
                "429 Too Many Requests",
                "application/json",
                "Retry-After: 7\r\n",
                r#"{"error":{"message":"slow down","type":"rate","code":"rate_limit"}}"#,
            ),
            1,
            "failed",
            "http-429",
        ),
        (plain("401 Unauthorized", "application/json", "", r#"{"error":{"message":"no"}}"#), 1, "failed", "http-401"),
        (plain("502 Bad Gateway", "text/html", "", "<html>bad</html>"), 1, "failed", "http-502"),
        (plain("307 Temporary Redirect", "text/plain", "Location: http://127.0.0.1:1/\r\n", ""), 1, "failed", "redirect"),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".into(),
            1,
            "failed",
            "http-protocol",
        ),
    ];
    for (answer, code, outcome, error) in cases {
        let server = Server::start(answer, false);
        let ran = home.run(&["send", "--base-url", &server.base(), "--prompt", "x", "--json"]);
        let summary = ran.summary();
        assert_eq!((ran.code, summary["outcome"].as_str()), (code, Some(outcome)), "{summary}");
        assert_eq!(summary["error"]["code"], error, "{summary}");
        assert!(summary["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

#[test]
fn no_connection_is_exit_3() {
    let home = Home::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let no_tls = plain.local_addr().unwrap();
    let talker = std::thread::spawn(move || plain.accept().unwrap().0.write_all(b"HTTP/1.1 400 this is no TLS\r\n\r\n").unwrap());
    let urls =
        [(format!("http://{free}/v1"), "refused"), ("http://nobody.invalid/v1".into(), "dns"), (format!("https://{no_tls}/v1"), "tls")];
    for (url, error) in urls {
        let ran = home.run(&["send", "--base-url", &url, "--prompt", "x", "--json"]);
        let summary = ran.summary();
        assert_eq!(
            (ran.code, summary["outcome"].as_str(), summary["error"]["code"].as_str()),
            (3, Some("failed"), Some(error)),
            "{summary}"
        );
        assert_eq!((&summary["status"], &summary["bytes"]["up"]), (&Value::Null, &json!(0)));
    }
    talker.join().unwrap();
    let ran = home.run(&["send", "--base-url", &format!("http://{free}"), "--prompt", "x"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    // Cause, consequence, evidence, next step.
    for part in ["Nothing listens at", "Nothing was sent", "Connection refused", "Check host and port"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}

#[test]
fn wrong_usage_is_exit_2_and_sends_nothing() {
    let home = Home::new();
    let wrong: [&[&str]; 17] = [
        &["send", "--json", "--quiet", "--prompt", "x"],
        &["send", "--base-url", "http://127.0.0.1:1", "--url", "http://127.0.0.1:1", "--prompt", "x"],
        &["send", "--record", "a.weir", "--no-record", "--prompt", "x"],
        &["send", "--prompt", "x", "-"],
        &["send"],
        &["send", "--provider", "nobody", "--prompt", "x"],
        &["send", "--dialect", "nothing", "--prompt", "x"],
        &["send", "--dialect", "openai-chat", "--transport", "websocket", "--prompt", "x"],
        &["send", "--transport", "pigeon", "--prompt", "x"],
        &["send", "--http", "3", "--prompt", "x"],
        &["send", "--header", "no colon", "--prompt", "x"],
        &["send", "--header", KEY, "--prompt", "x"],
        &["send", "--timeout", "0", "--prompt", "x"],
        &["send", "--key", KEY, "--prompt", "x"],
        &["send", "--key", "env:WEIR_TEST_NOT_SET", "--base-url", "http://127.0.0.1:1", "--prompt", "x"],
        &["send", "--body", "/nonexistent/body", "--prompt", "x"],
        &["send", "--url", "ftp://127.0.0.1/x", "--dialect", "openai-chat", "--prompt", "x"],
    ];
    for args in wrong {
        let ran = home.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {} {}", ran.out, ran.err);
        assert_eq!(ran.out, "", "{args:?}");
        assert!(!ran.err.contains(KEY), "{}", ran.err);
    }
    let refused = home.run(&["send", "--provider", "nobody", "--prompt", "x", "--json"]);
    assert_eq!((refused.code, refused.summary()["error"]["code"].as_str()), (2, Some("provider")));
}

#[test]
fn raw_sends_what_it_is_given_and_prints_what_comes() {
    let home = Home::new();
    let server = Server::start(plain("200 OK", "text/plain", "", "any bytes\r\nat all"), false);
    let url = format!("http://{}/anywhere?x=1", server.address);
    let ran = home.run(&["send", "--dialect", "raw", "--url", &url, "--prompt", "as it is"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "any bytes\r\nat all\n"), "{}", ran.err);
    let asked = server.asked();
    assert!(asked.starts_with("POST /anywhere?x=1 ") && asked.ends_with("\r\n\r\nas it is"), "{asked}");

    let lab = Lab::start(&home, &[]);
    let url = format!("{}/echo/ws", lab.url.replace("http", "ws"));
    let ran = home.run(&["send", "--dialect", "raw", "--url", &url, "--prompt", "over the socket", "--timeout", "1", "--json"]);
    // The echo never closes: the time limit ends it, and everything before that is there.
    assert_eq!((ran.code, ran.summary()["error"]["code"].as_str()), (1, Some("timeout-total")), "{}", ran.out);
    assert_eq!(ran.summary()["status"], 101);
}

#[test]
fn a_time_limit_ends_it() {
    let home = Home::new();
    let server = Server::start(chat(&["a"], false), true);
    let ran = home.run(&["send", "--base-url", &server.base(), "--prompt", "x", "--timeout", "0.5", "--json"]);
    let summary = ran.summary();
    assert_eq!(
        (ran.code, summary["outcome"].as_str(), summary["error"]["code"].as_str(), summary["text"].as_str()),
        (1, Some("failed"), Some("timeout-total"), Some("a"))
    );
}

#[test]
fn a_run_is_kept_where_it_was_asked_to_be() {
    let home = Home::new();
    let listed = |args: &[&str]| home.run(&[&["sessions"], args, &["list", "--json"]].concat()).lines().len();
    let send = |args: &[&str]| {
        let server = Server::start(chat(&["x"], true), false);
        let base = server.base();
        assert_eq!(home.run(&[&["send", "--base-url", &base, "--prompt", "x"], args].concat()).code, 0);
    };
    send(&["--no-record"]);
    assert!(!home.0.path().join("home/library.weir").exists());
    let file = home.path("one.weir");
    send(&["--record", &file]);
    assert!(!home.0.path().join("home/library.weir").exists());
    assert_eq!((listed(&["--library", &file]), home.files().len()), (1, 1), "one file, and nothing beside it");
    send(&[]);
    assert_eq!((listed(&[]), listed(&["--library", &file])), (1, 1));
    send(&["--record", &file]);
    assert_eq!(listed(&["--library", &file]), 2);
}

#[test]
fn a_key_goes_out_and_stays_nowhere() {
    // From the environment, and by mistake in a header: the peer gets it, and says it back in the reply.
    let cases: [(&[&str], &str); 3] = [
        (&["--key", "env:WEIR_TEST_KEY"], "authorization: bearer "),
        (&["--key", "env:WEIR_TEST_KEY", "--header", "X-Mine: {key}"], "x-mine: "),
        (&["--header", &format!("x-api-key: {KEY}")], "x-api-key: "),
    ];
    for (args, field) in cases {
        let home = Home::new();
        let server = Server::start(chat(&["your key is ", KEY, " is it not"], true), true);
        let base = server.base();
        let prompt = format!("my key is {KEY}");
        let mut child = home
            .command(
                &[
                    &["send", "--base-url", &base, "--prompt", "x", "--system", if args[0] == "--key" { &prompt } else { "y" }, "--json"],
                    args,
                ]
                .concat(),
            )
            .env("WEIR_TEST_KEY", KEY)
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let first = crate::program::read_until(&mut out, "\"delta\"");
        let shown = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
        if args == ["--key", "env:WEIR_TEST_KEY"] {
            assert!(!String::from_utf8_lossy(&shown).replace(&prompt, "").contains(KEY));
        }
        let asked = server.asked();
        assert!(asked.to_lowercase().contains(&format!("{field}{KEY}")), "{asked}");
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut out, &mut rest).unwrap();
        let ended = crate::program::finish(child);
        assert_eq!(ended.code, 0, "{}", ended.err);
        let said = format!("{first}{rest}{}", ended.err);
        assert!(said.contains("your key is") && !said.contains(KEY), "{said}");
        let id = home.run(&["sessions", "list", "--json"]).lines()[0]["id"].as_str().unwrap().to_owned();
        for format in ["weir", "har", "jsonl", "raw", "markdown", "curl"] {
            let file = home.path(&format!("export.{format}"));
            assert_eq!(home.run(&["sessions", "export", &id, "--format", format, "-o", &file]).code, 0);
        }
        for shown in
            [vec!["sessions", "show", &id], vec!["sessions", "show", &id, "--json", "--deltas"], vec!["sessions", "show", &id, "--frames"]]
        {
            let shown = home.run(&shown);
            assert!(shown.code == 0 && !shown.out.contains(KEY));
        }
        let files = home.files();
        assert!(files.len() >= 7);
        for file in files {
            assert!(!file.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{}", String::from_utf8_lossy(&file));
        }
    }
}
