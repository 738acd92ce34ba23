//! The consoles over real sockets, against servers whose every byte is scripted: each line of the behaviour that EventSource clients are
//! tested by which shows in a session, and what a WebSocket console sends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use weir_lab::{Lab, LabConfig};
use weir_sessions::view::{
    ConsoleDraft, ConsoleMode, ConsolePhase, ConsoleRow, ConsoleRule, ConsoleStanding, HeaderLine, MessageForm, OutcomeKind, RuleHow,
    SessionsQuery, Update,
};
use weir_sessions::{Engine, Session, library};

/// Rows that a console's log shows.
const LOG: &str = "-kind:head -layer:h2";

/// A server that answers each connection with the next of `answers`, then hangs up; and what it was asked.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = asked.clone();
        let task = tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                loop {
                    let n = socket.read(&mut buffer).await.unwrap();
                    request.extend_from_slice(&buffer[..n]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = field(head, "content-length").map_or(0, |n| n.parse().unwrap());
                    if body.len() >= length {
                        heard.lock().unwrap().push(text);
                        break;
                    }
                }
                socket.write_all(answer.as_bytes()).await.unwrap();
                socket.shutdown().await.unwrap();
                // The client hangs up in its turn.
                let _ = socket.read(&mut buffer).await;
            }
        });
        Self { address, asked, task }
    }

    fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn field(&self, n: usize, name: &str) -> Option<String> {
        field(&self.asked()[n], name).map(str::to_owned)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().take_while(|line| !line.is_empty()).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// An event stream that ends with its connection.
fn stream(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{body}")
}

fn status(line: &str, fields: &str) -> String {
    format!("HTTP/1.1 {line}\r\n{fields}Content-Length: 0\r\nConnection: close\r\n\r\n")
}

fn no_more() -> String {
    "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".into()
}

struct Desk {
    engine: Engine,
    _home: tempfile::TempDir,
}

fn desk() -> Desk {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(home.path()).unwrap();
    engine.set_settings(weir_sessions::view::Settings { proxy: "direct".into(), ..engine.settings() }).unwrap();
    Desk { engine, _home: home }
}

fn sse(url: &str) -> ConsoleDraft {
    ConsoleDraft { url: url.into(), delay_ms: 20, ..ConsoleDraft::default() }
}

async fn ended(session: &Arc<Session>) {
    tokio::time::timeout(Duration::from_secs(20), session.ended()).await.expect("it ends");
}

async fn run(desk: &Desk, draft: &ConsoleDraft) -> Arc<Session> {
    let session = desk.engine.console(draft).expect("it begins");
    ended(&session).await;
    session
}

fn update(session: &Arc<Session>) -> Update {
    session.watch().now().expect("there is an update")
}

fn standing(session: &Arc<Session>) -> ConsoleStanding {
    update(session).console.expect("it is a console's")
}

/// Waits until a console stands so.
async fn until(session: &Arc<Session>, what: &str, done: impl Fn(&ConsoleStanding) -> bool) -> ConsoleStanding {
    let mut watcher = session.watch();
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while let Some(update) = watcher.next().await {
            if let Some(standing) = update.console.filter(&done) {
                return standing;
            }
        }
        panic!("{what}: it ended before, {:?}", session.outcome());
    });
    waited.await.unwrap_or_else(|_| panic!("{what}: it did not come"))
}

fn log(session: &Session) -> Vec<ConsoleRow> {
    session.console_rows(LOG, 0, 500).unwrap().rows
}

/// The log in short: `connection text`, `event name id text`.
fn lines(session: &Session) -> Vec<String> {
    let line = |row: &ConsoleRow| match &row.head {
        Some(head) => format!("#{} {} [{}] {}", row.conn, head.request, head.last_event_id.as_deref().unwrap_or("-"), head.answer),
        None => [row.kind.as_str(), &row.name, row.event_id.as_deref().unwrap_or_default(), &row.text]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" "),
    };
    log(session).iter().map(line).collect()
}

/// Everything that is shown of a session, to be held against the same of a reopened one.
fn shown(session: &Arc<Session>) -> String {
    let update = update(session);
    let count = session.analysis().fold.rows.len() as u32;
    let frames: Vec<_> = (0..count).map(|row| format!("{:?}", session.frame(row).map_err(|e| e.0.message))).collect();
    format!(
        "{:#?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}\n{}",
        session.rows("", 0, 1000).unwrap().rows,
        log(session),
        update.console,
        update.metrics,
        update.outcome,
        frames.join("\n")
    )
}

/// Drops a session that is over, and opens it anew from the library.
fn reopened(desk: &Desk, session: Arc<Session>) -> Arc<Session> {
    let id = session.id().to_owned();
    drop(session);
    // Who waits for a session is told that it is over just before the thread that took it lets go of it.
    let patience = std::time::Instant::now() + Duration::from_secs(5);
    while desk.engine.opened(&id).is_some() {
        assert!(std::time::Instant::now() < patience, "something holds it");
        std::thread::yield_now();
    }
    desk.engine.session(&id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_connections_are_three_groups_live_and_reopened() {
    let desk = desk();
    let server = Server::start(vec![
        stream(": hello\nretry: 30\n\nid: 1\ndata: one\n\nevent: tick\ndata: two\n\nid: 9\ndata: cut off"),
        stream("data: three\n\nid: 2\ndata: four\n\n"),
        no_more(),
    ])
    .await;
    let session = run(&desk, &sse(&server.url())).await;
    let get = "GET /events HTTP/1.1";
    assert_eq!(
        lines(&session),
        [
            format!("#1 {get} [-] HTTP/1.1 200 OK").as_str(),
            "comment hello",
            "retry 30 ms",
            "message message 1 one",
            "message tick two",
            "incomplete id: 9⏎data: cut off",
            "connection Asks again in 30 ms with Last-Event-ID 1",
            &format!("#2 {get} [1] HTTP/1.1 200 OK"),
            "message message three",
            "message message 2 four",
            "connection Asks again in 30 ms with Last-Event-ID 2",
            &format!("#3 {get} [2] HTTP/1.1 204 No Content"),
            "connection 204: the server says there is no more, so it is not asked again",
        ]
    );
    assert_eq!(session.rows("kind:connection", 0, 9).unwrap().rows[0].summary, format!("Connection 1 · {}", server.url()));
    assert_eq!(session.outcome().unwrap().kind, OutcomeKind::Complete);
    let stood = standing(&session);
    assert_eq!((stood.phase, stood.connections, stood.received, stood.last_event_id.as_str()), (ConsolePhase::Over, 3, 4, "2"));
    let page = library::page(&desk.engine, &SessionsQuery::default()).unwrap();
    assert_eq!((page.sessions[0].provider.as_str(), page.sessions[0].outcome.as_str()), ("console", "complete"));

    let live = shown(&session);
    let again = reopened(&desk, session);
    assert_eq!(again.info().console.map(|draft| draft.url), Some(server.url()));
    assert_eq!(shown(&again), live);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_is_what_eventsource_sends_and_the_same_each_time() {
    let desk = desk();
    let server = Server::start(vec![stream("id: …\ndata: x\n\n"), stream("id:\ndata: y\n\n"), no_more()]).await;
    let draft = ConsoleDraft {
        method: "report".into(),
        body: "{\"q\":1}".into(),
        headers: vec![HeaderLine { name: "X-Mine".into(), value: "7".into() }],
        ..sse(&server.url())
    };
    let session = run(&desk, &draft).await;
    let asked = server.asked();
    for (n, request) in asked.iter().enumerate() {
        assert!(request.starts_with("REPORT /events HTTP/1.1\r\n"), "{request}");
        assert!(request.ends_with("{\"q\":1}"), "{request}");
        let fields = ["accept", "cache-control", "content-type", "x-mine"].map(|name| server.field(n, name));
        assert_eq!(fields, ["text/event-stream", "no-cache", "application/json", "7"].map(|value| Some(value.to_owned())));
    }
    let ids: Vec<_> = (0..3).map(|n| server.field(n, "last-event-id")).collect();
    assert_eq!(ids, [None, Some("…".into()), None], "an empty id takes it back");
    assert_eq!(session.outcome().unwrap().kind, OutcomeKind::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_to_begin_with_goes_with_the_first_request() {
    let desk = desk();
    let server = Server::start(vec![stream("data: x\n\n"), no_more()]).await;
    run(&desk, &ConsoleDraft { last_event_id: "40".into(), ..sse(&server.url()) }).await;
    assert_eq!([server.field(0, "last-event-id"), server.field(1, "last-event-id")], [Some("40".into()), Some("40".into())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_standard_gives_up_on_is_an_error_with_its_cause_and_no_second_request() {
    let desk = desk();
    let plain = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi".to_owned();
    let cases = [
        (status("404 Not Found", "Content-Type: text/event-stream\r\n"), "status"),
        (status("503 Service Unavailable", "Content-Type: text/event-stream\r\n"), "status"),
        (status("205 Reset Content", "Content-Type: text/event-stream\r\n"), "status"),
        (plain, "not-an-event-stream"),
        (status("301 Moved Permanently", ""), "bad-redirect"),
        (status("307 Temporary Redirect", "Location: \r\n"), "bad-redirect"),
    ];
    for (answer, code) in cases {
        let server = Server::start(vec![answer.clone(), no_more()]).await;
        let session = run(&desk, &sse(&server.url())).await;
        let outcome = session.outcome().unwrap();
        let problem = outcome.problem.unwrap();
        assert_eq!((outcome.kind, problem.code.as_str()), (OutcomeKind::Failed, code), "{answer}");
        assert!(!problem.message.is_empty() && !problem.next.is_empty() && !problem.evidence.is_empty(), "{problem:?}");
        assert_eq!(server.asked().len(), 1, "{answer}");
        let last = log(&session).pop().unwrap();
        assert_eq!(last.kind, "error", "{last:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_asked_again_after_only_where_the_user_says_so() {
    let desk = desk();
    let down = status("503 Service Unavailable", "");
    let server = Server::start(vec![down.clone(), down.clone(), stream("data: x\n\n"), no_more()]).await;
    let draft = ConsoleDraft { retry_on: "429, 5xx".into(), backoff_seconds: 0.03, ..sse(&server.url()) };
    let session = run(&desk, &draft).await;
    assert_eq!(session.outcome().unwrap().kind, OutcomeKind::Complete);
    let waits: Vec<_> = lines(&session).into_iter().filter(|line| line.starts_with("connection Asks")).collect();
    assert_eq!(
        waits,
        ["connection Asks again in 20 ms", "connection Asks again in 30 ms", "connection Asks again in 20 ms"],
        "doubled, up to the cap"
    );

    let server = Server::start(vec![stream(""), stream(""), stream("")]).await;
    let session = run(&desk, &ConsoleDraft { max_reconnects: Some(2), ..sse(&server.url()) }).await;
    assert_eq!((server.asked().len(), session.outcome().unwrap().kind), (3, OutcomeKind::Complete));
    let server = Server::start(vec![stream(""), stream("")]).await;
    run(&desk, &ConsoleDraft { reconnect: false, ..sse(&server.url()) }).await;
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_followed_and_credentials_stay_with_their_origin() {
    let desk = desk();
    let other = Server::start(vec![stream("id: 5\ndata: x\n\n"), no_more()]).await;
    let there = format!("Location: {}\r\n", other.url());
    let first = Server::start(vec![status("307 Temporary Redirect", &there), status("302 Found", &there)]).await;
    let draft = ConsoleDraft {
        body: "hello".into(),
        headers: vec![HeaderLine { name: "Authorization".into(), value: "Bearer s3cr3t-of-the-user".into() }],
        ..sse(&first.url())
    };
    let session = run(&desk, &draft).await;
    assert_eq!(session.outcome().unwrap().kind, OutcomeKind::Complete, "{:?}", session.outcome());
    assert_eq!(standing(&session).connections, 4, "a redirect is a connection of its own, and each attempt begins at the address given");
    assert_eq!(first.field(1, "authorization").as_deref(), Some("Bearer s3cr3t-of-the-user"), "the wire has it");
    assert_eq!(other.field(0, "authorization"), None);
    assert!(other.asked()[0].starts_with("POST ") && other.asked()[0].ends_with("hello"), "307 keeps method and body");
    assert!(other.asked()[1].starts_with("GET "), "302 makes a GET of a POST");
    assert_eq!(other.field(1, "last-event-id").as_deref(), Some("5"));

    // Neither the log nor the plan has it.
    let again = reopened(&desk, session);
    assert_eq!(again.info().console.unwrap().headers[0].value, "Bearer ******************");
    let kept = String::from_utf8_lossy(&again.bytes().read(0, true, 0, 4096).unwrap()).into_owned();
    assert!(kept.contains("Authorization: Bearer ****") && !kept.contains("s3cr3t"), "{kept}");
    let refused = desk.engine.console(&again.info().console.unwrap()).err().expect("stars are no credential");
    assert_eq!(refused.0.code, "not-kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_waited_out_and_stop_ends_the_wait_at_once() {
    let desk = desk();
    // A port where nobody listens.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let session = desk.engine.console(&ConsoleDraft { delay_ms: 600_000, ..sse(&format!("http://{address}/")) }).unwrap();
    let waiting = until(&session, "it waits", |standing| standing.phase == ConsolePhase::Waiting).await;
    let problem = waiting.problem.expect("why it waits");
    assert_eq!((problem.code.as_str(), problem.blame.as_str()), ("refused", "network"));
    assert!(waiting.next_at_ms.unwrap() > 590_000.0);
    let stopped = std::time::Instant::now();
    session.stop();
    ended(&session).await;
    assert!(stopped.elapsed() < Duration::from_secs(2));
    let outcome = session.outcome().unwrap();
    assert_eq!((outcome.kind, outcome.problem.unwrap().code.as_str()), (OutcomeKind::Cancelled, "cancelled"));
    let live = shown(&session);
    assert_eq!(shown(&reopened(&desk, session)), live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_cannot_be_meant_is_refused_before_anything_is_sent() {
    let desk = desk();
    let code = |draft: ConsoleDraft| desk.engine.console(&draft).err().map(|error| error.0.code);
    assert_eq!(code(ConsoleDraft { url: " ".into(), ..ConsoleDraft::default() }).as_deref(), Some("console-url"));
    assert_eq!(code(ConsoleDraft { retry_on: "often".into(), ..sse("http://127.0.0.1:9/") }).as_deref(), Some("console-retry-on"));
    let rule = ConsoleRule { on: true, how: RuleHow::Matches, when: "(".into(), reply: String::new() };
    assert_eq!(code(ConsoleDraft { rules: vec![rule], ..sse("http://127.0.0.1:9/") }).as_deref(), Some("console-rule"));
    assert_eq!(code(sse("{lab}/sse")).as_deref(), Some("lab-stopped"));
    assert_eq!(library::page(&desk.engine, &SessionsQuery::default()).unwrap().total, 0);
}

async fn lab(desk: &Desk) -> Lab {
    let lab = Lab::start(LabConfig { port: 0, ..LabConfig::default() }).await.unwrap();
    desk.engine.set_lab(Some(lab.url()));
    lab
}

fn socket() -> ConsoleDraft {
    ConsoleDraft { mode: ConsoleMode::Websocket, url: "{lab}/echo/ws".into(), ..ConsoleDraft::default() }
}

fn messages(session: &Session) -> Vec<String> {
    let arrow = |row: &ConsoleRow| if row.out { "→" } else { "←" };
    log(session).iter().filter(|row| row.head.is_none()).map(|row| format!("{} {} {}", arrow(row), row.name, row.text)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn text_bytes_pings_and_a_close_with_its_reason_go_out_and_are_kept() {
    let desk = desk();
    let lab = lab(&desk).await;
    let session = desk.engine.console(&socket()).unwrap();
    until(&session, "it opens", |standing| standing.phase == ConsolePhase::Open).await;
    assert_eq!(session.send_as(MessageForm::Hex, "0g").unwrap_err().0.code, "bad-hex");
    assert_eq!(session.send_as(MessageForm::Base64, "%").unwrap_err().0.code, "bad-base64");
    assert_eq!(session.send_as(MessageForm::Ping, &"x".repeat(126)).unwrap_err().0.code, "bad-ping");
    assert_eq!(session.close_as(1005, "").unwrap_err().0.code, "bad-close");
    session.send_as(MessageForm::Text, "grüße").unwrap();
    until(&session, "the echo", |standing| standing.received == 1).await;
    session.send_as(MessageForm::Hex, "00 ff 7F").unwrap();
    until(&session, "the echo", |standing| standing.received == 2).await;
    session.send_as(MessageForm::Base64, "AQI=").unwrap();
    until(&session, "the echo", |standing| standing.received == 3).await;
    session.send_as(MessageForm::Ping, "are you there").unwrap();
    let pong = |session: &Session| messages(session).iter().any(|line| line.contains("pong"));
    while !pong(&session) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    session.close_as(4001, "bye").unwrap();
    ended(&session).await;
    assert_eq!(
        messages(&session),
        [
            "→ text grüße",
            "← text grüße",
            "→ binary 00 ff 7f",
            "← binary 00 ff 7f",
            "→ binary 01 02",
            "← binary 01 02",
            "→ ping are you there",
            "← pong are you there",
            "→ close 4001 bye",
            "← close 4001 bye",
        ]
        .map(|line| line.to_owned())
    );
    assert_eq!(session.outcome().unwrap().kind, OutcomeKind::Complete, "a close of one's own is no failure");
    let close = standing(&session).close.unwrap();
    assert_eq!((close.code, close.reason.as_str(), close.ours), (Some(4001), "bye", true));
    assert_eq!(session.send_as(MessageForm::Text, "late").unwrap_err().0.code, "closed");
    let row = log(&session).into_iter().find(|row| row.text == "00 ff 7f" && !row.out).unwrap();
    let message = session.console_message(row.id).unwrap();
    assert_eq!((message.text.as_str(), message.binary, message.size, message.cut), ("00 ff 7f", true, 3, false));
    let live = shown(&session);
    assert_eq!(shown(&reopened(&desk, session)), live);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_answer_by_themselves_and_change_while_the_socket_is_open() {
    let desk = desk();
    let lab = lab(&desk).await;
    let rule = |when: &str, reply: &str| ConsoleRule { on: true, how: RuleHow::Equals, when: when.into(), reply: reply.into() };
    let session = desk.engine.console(&ConsoleDraft { rules: vec![rule("a", "b")], ..socket() }).unwrap();
    until(&session, "it opens", |standing| standing.phase == ConsolePhase::Open).await;
    session.send_as(MessageForm::Text, "a").unwrap();
    until(&session, "a, and the answer to it", |standing| standing.received == 2).await;
    session.answer_by(false, &[rule("c", "d")]).unwrap();
    session.send_as(MessageForm::Text, "a").unwrap();
    until(&session, "a alone", |standing| standing.received == 3).await;
    session.send_as(MessageForm::Text, "c").unwrap();
    until(&session, "c, and the answer to it", |standing| standing.received == 5).await;
    session.stop();
    ended(&session).await;
    let texts: Vec<_> = messages(&session).into_iter().filter(|line| line.contains("text")).collect();
    assert_eq!(
        texts,
        ["→ text a", "← text a", "→ text b", "← text b", "→ text a", "← text a", "→ text c", "← text c", "→ text d", "← text d"]
    );
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_messages_are_read_with_what_came_before_them() {
    let desk = desk();
    let lab = lab(&desk).await;
    let session = desk.engine.console(&ConsoleDraft { deflate: true, ..socket() }).unwrap();
    let stood = until(&session, "it opens", |standing| standing.phase == ConsolePhase::Open).await;
    assert!(stood.extensions.unwrap().contains("permessage-deflate"));
    let long = "the same words over and over, ".repeat(20);
    for n in 1..=3 {
        session.send_as(MessageForm::Text, &long).unwrap();
        until(&session, "the echo", |standing| standing.received == n).await;
    }
    session.close_as(1000, "").unwrap();
    ended(&session).await;
    let rows: Vec<_> = log(&session).into_iter().filter(|row| row.name == "text").collect();
    assert_eq!(rows.len(), 6);
    for row in &rows {
        assert!(row.text.starts_with("the same words over and over, the same"), "{row:?}");
        assert_eq!(session.console_message(row.id).unwrap().text, long);
    }
    assert!(rows[4].size < rows[0].size, "context takeover was used: {} and {} bytes", rows[0].size, rows[4].size);
    lab.stop().await;
}

/// Every export of a session, joined.
fn exports(session: &Session) -> Vec<u8> {
    use weir_sessions::view::ExportFormat::{Csv, Curl, Har, Jsonl, Markdown, Otlp, Pcapng, Raw, Weir};
    let mut all = Vec::new();
    for format in [Weir, Har, Jsonl, Raw, Markdown, Curl, Csv, Pcapng, Otlp] {
        weir_sessions::export::export(session, format, &mut all).unwrap();
    }
    all
}

fn files(folder: &std::path::Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { std::fs::read(path).unwrap() }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_typed_into_query_subprotocol_field_and_first_message_reach_the_server_and_nothing_else() {
    let desk = desk();
    let lab = lab(&desk).await;
    let keys = ["sk-typed-query/1", "sk-typed-protocol-2", "sk-typed-field-3", "sk-typed-message-4"];
    let draft = ConsoleDraft {
        url: format!("{{lab}}/echo/ws?model=m&access_token={}", keys[0]),
        subprotocols: vec!["realtime".into(), format!("openai-insecure-api-key.{}", keys[1])],
        headers: vec![HeaderLine { name: "Authorization".into(), value: format!("Token {}", keys[2]) }],
        ..socket()
    };
    let session = desk.engine.console(&draft).unwrap();
    until(&session, "it opens", |standing| standing.phase == ConsolePhase::Open).await;
    let first = format!("{{\"text\":\" \",\"xi_api_key\":\"{}\"}}", keys[3]);
    session.send_as(MessageForm::Text, &first).unwrap();
    until(&session, "the echo", |standing| standing.received == 1).await;
    // What an echo says of the others is none the wiser.
    session.send_as(MessageForm::Text, &keys.join(" and ")).unwrap();
    until(&session, "the echo", |standing| standing.received == 2).await;
    let running = exports(&session);
    session.close_as(1000, "").unwrap();
    ended(&session).await;
    let starred = first.replace(keys[3], &"*".repeat(keys[3].len()));
    assert_eq!(messages(&session)[..2], [format!("→ text {starred}"), format!("← text {starred}")]);
    let over = exports(&session);
    let live = shown(&session);
    let again = reopened(&desk, session);
    assert_eq!(shown(&again), live);
    desk.engine.library().clone().close().unwrap();
    let kept = [running, over, exports(&again), files(desk._home.path()), format!("{:?} {live}", again.info()).into_bytes()];
    for key in keys {
        for (at, kept) in kept.iter().enumerate() {
            for form in [key.to_owned(), key.replace('/', "%2F"), key.replace('/', "\\/")] {
                assert!(!kept.windows(form.len()).any(|window| window == form.as_bytes()), "{at} holds {form}");
            }
        }
    }
    // Nobody can send the stars by mistake.
    let kept = again.info().console.unwrap();
    assert_eq!(desk.engine.console(&kept).err().unwrap().0.code, "not-kept");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_answer_a_servers_own_pings() {
    // ElevenLabs' agents ping in JSON and hang up where nobody answers; the Lab's echo says it for them.
    let desk = desk();
    let lab = lab(&desk).await;
    let how = RuleHow::Matches;
    let rule =
        ConsoleRule { on: true, how, when: r#""type":"ping".*"event_id":(\d+)"#.into(), reply: r#"{"type":"pong","event_id":$1}"#.into() };
    let session = desk.engine.console(&ConsoleDraft { rules: vec![rule], ..socket() }).unwrap();
    until(&session, "it opens", |standing| standing.phase == ConsolePhase::Open).await;
    session.send_as(MessageForm::Text, r#"{"type":"ping","ping_event":{"event_id":42,"ping_ms":null}}"#).unwrap();
    until(&session, "the ping, and the echo of its answer", |standing| standing.received == 2).await;
    session.close_as(1000, "").unwrap();
    ended(&session).await;
    assert!(messages(&session).contains(&r#"→ text {"type":"pong","event_id":42}"#.to_owned()), "{:?}", messages(&session));
    lab.stop().await;
}
