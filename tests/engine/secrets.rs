//! A planted key is nowhere but on the wire, even where the server says it back.

use std::path::Path;

use weir_dialects::Transport;
use weir_secrets::Secret;
use weir_sessions::view::{ExportFormat, HeaderLine};
use weir_sessions::{KeyChoice, Session};
use weir_tests::desk::{Desk, draft};
use weir_tests::peer::{Peer, Step, chunked, sized};

use super::captures::{CHAT, COMPLETED, RESPONSES, delta, says};

const CANARY: &str = "sk-canary-Zx81Qw/27+93=end";

/// The forms it could hide in.
fn forms() -> Vec<Vec<u8>> {
    let json = CANARY.replace('/', "\\/");
    let percent = CANARY.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    [CANARY.to_owned(), json, percent, "canary-Zx81Qw".into()].into_iter().map(String::into_bytes).collect()
}

fn clean(what: &str, bytes: &[u8]) {
    for form in forms() {
        assert!(!bytes.windows(form.len()).any(|window| window == form), "{what} holds the key as {}", String::from_utf8_lossy(&form));
    }
}

fn files(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            files(&entry.path());
        } else {
            clean(&entry.path().display().to_string(), &std::fs::read(entry.path()).expect("a file"));
        }
    }
}

/// Every export of a session.
fn exports(session: &Session) -> Vec<(ExportFormat, Vec<u8>)> {
    use ExportFormat::{Curl, Har, Jsonl, Markdown, Raw, Weir};
    let write = |format| {
        let mut bytes = Vec::new();
        weir_sessions::export::export(session, format, &mut bytes).expect("memory takes it");
        (format, bytes)
    };
    [Weir, Har, Jsonl, Raw, Markdown, Curl].map(write).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_key_is_nowhere_to_be_found() {
    let echo = format!("your key is {CANARY}, is it not");
    let echoed = serde_json::json!({"error": {"message": echo, "code": "invalid_api_key"}}).to_string();
    let (one, two) = (says(&echo), says("fine"));
    let scripts = vec![
        ("openai-chat", Transport::Sse, sized("401 Unauthorized", "application/json", echoed.as_bytes())),
        // Said back in the reply, cut by a chunk border in the middle of the key.
        (
            "openai-chat",
            Transport::Sse,
            chunked(
                "200 OK",
                "text/event-stream",
                &[&one.as_bytes()[..one.len() - 40], &one.as_bytes()[one.len() - 40..], two.as_bytes(), b"data: [DONE]\n\n"],
                true,
            ),
        ),
        (
            "openai-chat",
            Transport::Http,
            sized(
                "200 OK",
                "application/json",
                serde_json::json!({"choices": [{"message": {"role": "assistant", "content": echo}, "finish_reason": "stop"}]})
                    .to_string()
                    .as_bytes(),
            ),
        ),
        (
            "openai-responses",
            Transport::Websocket,
            vec![Step::Upgrade, Step::ReadSome, Step::message(&delta(1, &echo)), Step::message(COMPLETED), Step::close(1000), Step::End],
        ),
        ("openai-responses", Transport::Websocket, sized("401 Unauthorized", "application/json", echoed.as_bytes())),
        ("openai-chat", Transport::Sse, vec![Step::Read, Step::Reset]),
    ];
    let desk = Desk::new();
    for (dialect, transport, script) in scripts {
        let peer = Peer::play(script).await;
        let websocket = transport == Transport::Websocket;
        let url = if websocket { peer.url("ws", RESPONSES) } else { peer.url("http", CHAT) };
        for http in if websocket { vec!["1.1"] } else { vec!["1.1", "2"] } {
            let mut draft = draft(&format!("{url}?also={{key}}"), dialect, transport);
            draft.http = http.into();
            draft.headers.push(HeaderLine { name: "X-Api-Key".into(), value: "{key}".into() });
            draft.ask.messages[0].text = format!("What do you think of {CANARY}?");
            draft.title = Some(format!("About {CANARY}"));
            let session = desk.engine().send(&draft, KeyChoice::Given(Secret::new(CANARY)), None).expect("it is sent");
            session.ended().await;
            clean("the plan's debug form", format!("{:?}", KeyChoice::Given(Secret::new(CANARY))).as_bytes());
            clean("the outcome", format!("{:?}", session.outcome()).as_bytes());
            let rows = session.rows("", 0, 1000).expect("rows").rows;
            clean("the rows", format!("{rows:?}").as_bytes());
            for row in rows {
                clean("a frame", format!("{:?}", session.frame(row.id)).as_bytes());
            }
            let blocks: Vec<String> = session.analysis().fold.folded.blocks.iter().map(|block| block.text.clone()).collect();
            clean("the reply", blocks.concat().as_bytes());
            let mut watcher = session.watch();
            clean("an update", format!("{:?}", watcher.next().await).as_bytes());
            for (format, bytes) in exports(&session) {
                clean(&format!("the export {format:?}"), &bytes);
            }
        }
        files(desk.home());
    }
    desk.engine().library().clone().close().expect("it closes");
    files(desk.home());
}

/// What a request carries of a user's own: a credential under its name is kept out as the stored key is.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_typed_into_a_request_are_nowhere_either() {
    let typed = ["sk-typed-query/1", "sk-typed-field-2", "sk-typed-body-3"];
    let echo = typed.join(" and ");
    let echoed = serde_json::json!({"error": {"message": echo, "code": "invalid_api_key"}}).to_string();
    let says_so = [says(&echo), "data: [DONE]\n\n".into()].concat();
    for script in [
        sized("401 Unauthorized", "application/json", echoed.as_bytes()),
        chunked("200 OK", "text/event-stream", &[says_so.as_bytes()], false),
        vec![Step::Read, Step::Reset],
    ] {
        let desk = Desk::new();
        let peer = Peer::play(script).await;
        // As documents of several providers have them: `?key=`, `?access_token=`, `?api-key=`, `?token=`.
        for name in ["key", "access_token", "api-key", "token"] {
            for http in ["1.1", "2"] {
                let mut draft = draft(&format!("{}?{name}={}", peer.url("http", CHAT), typed[0]), "openai-chat", Transport::Sse);
                draft.http = http.into();
                draft.headers.push(HeaderLine { name: "Authorization".into(), value: format!("Bearer {}", typed[1]) });
                draft.ask.raw_body = Some(format!("{{\"model\":\"m\",\"messages\":[],\"api_key\":\"{}\"}}", typed[2]));
                let session = desk.run(&draft).await;
                let mut seen = exports(&session);
                seen.push((
                    ExportFormat::Raw,
                    format!("{:?} {:?}", session.rows("", 0, 1000).expect("rows"), session.outcome()).into_bytes(),
                ));
                let id = session.id().to_owned();
                drop(session);
                // Who waits for a session is told that it is over just before the thread that took it lets go of it.
                let patience = std::time::Instant::now() + std::time::Duration::from_secs(5);
                while desk.engine().opened(&id).is_some() {
                    assert!(std::time::Instant::now() < patience, "something holds it");
                    std::thread::yield_now();
                }
                let again = desk.engine().session(&id).expect("it opens again");
                seen.extend(exports(&again));
                seen.push((ExportFormat::Raw, format!("{:?}", again.info()).into_bytes()));
                for (format, bytes) in seen {
                    for key in typed {
                        for form in [key.to_owned(), key.replace('/', "%2F"), key.replace('/', "\\/")] {
                            let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
                            assert!(!found, "{name}, HTTP {http}: {format:?} holds {form}\n{}", String::from_utf8_lossy(&bytes));
                        }
                    }
                }
                // Opened again, it says that they are gone instead of sending stars.
                let error = desk.engine().send(&again.info().draft, KeyChoice::None, None).map(|_| ()).expect_err("stars are no key");
                assert_eq!(error.0.code, "not-kept");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_gets_the_key_all_the_same() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut request = vec![0; 16 << 10];
        let length = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await.expect("a request");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let desk = Desk::new();
    let mut draft = draft(&format!("http://{address}{CHAT}"), "openai-chat", Transport::Sse);
    draft.http = "1.1".into();
    let session = desk.engine().send(&draft, KeyChoice::Given(Secret::new(CANARY)), None).expect("it is sent");
    session.ended().await;
    let request = server.await.expect("a request");
    assert!(request.contains(&format!("Bearer {CANARY}")), "{request}");
    files(desk.home());
}
