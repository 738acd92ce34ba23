//! Each row of the behaviour that clients are tested by, on scripted answers and a paused clock; then one over real sockets.

use std::collections::VecDeque;

use ::http::header::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::*;
use crate::tests::{CANARY, keyed, plain, record, target};
use crate::{Blame, Value};

/// What the other side does with one request.
#[derive(Clone)]
enum Answer {
    /// Status, fields, pieces of the body; then the end in good order, or cut.
    Response { status: u16, fields: Vec<(&'static str, String)>, body: Vec<Vec<u8>>, cut: bool },
    /// No response: an error with this code.
    Nothing(Blame, &'static str),
}

fn stream(body: &str) -> Answer {
    Answer::Response { status: 200, fields: vec![("content-type", "text/event-stream".into())], body: vec![body.into()], cut: false }
}

fn cut(body: &str) -> Answer {
    let Answer::Response { status, fields, body, .. } = stream(body) else { unreachable!() };
    Answer::Response { status, fields, body, cut: true }
}

fn status(status: u16) -> Answer {
    Answer::Response { status, fields: vec![("content-type", "text/event-stream".into())], body: vec![b"data: x\n\n".to_vec()], cut: false }
}

fn typed(media: &str) -> Answer {
    Answer::Response { status: 200, fields: vec![("content-type", media.into())], body: vec![b"data: x\n\n".to_vec()], cut: false }
}

fn to(status: u16, location: &str) -> Answer {
    Answer::Response { status, fields: vec![("location", location.into())], body: Vec::new(), cut: false }
}

fn refused() -> Answer {
    Answer::Nothing(Blame::Network, "refused")
}

/// What a request looked like.
#[derive(Debug)]
struct Asked {
    at: Duration,
    conn: u32,
    url: String,
    method: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Asked {
    fn field(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

struct Script {
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
    start: Instant,
}

impl Wire for Script {
    async fn exchange(&mut self, target: &Target, request: &Request, conn: u32, see: &mut See<'_>) -> Result<(), Error> {
        let text = |value: &Value| match value {
            Value::Plain(text) => text.clone(),
            Value::Keyed(text) => format!("keyed {text}"),
        };
        self.asked.push(Asked {
            at: self.start.elapsed(),
            conn,
            url: target.url.clone(),
            method: request.method.clone(),
            headers: request.headers.iter().map(|header| (header.name.clone(), text(&header.value))).collect(),
            body: request.body.clone(),
        });
        match self.answers.pop_front().expect("a request too many") {
            Answer::Nothing(blame, code) => Err(Error::new(blame, code, code)),
            Answer::Response { status, fields, body, cut } => {
                let mut headers = HeaderMap::new();
                for (name, value) in fields {
                    headers.append(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
                }
                if see(Seen::Head { status, headers: &headers }).is_break() {
                    return Ok(());
                }
                for piece in body {
                    if see(Seen::Data(&piece.into())).is_break() {
                        return Ok(());
                    }
                }
                if cut { Err(Error::new(Blame::Network, "cut", "cut")) } else { Ok(()) }
            }
        }
    }
}

struct Heard {
    end: End,
    asked: Vec<Asked>,
    /// Events as `type data id`, connections as `#n status id`, redirects as `>status`.
    told: Vec<String>,
}

fn said(told: &Told<'_>) -> Option<String> {
    Some(match told {
        Told::Connection { n, status, last_event_id, .. } => format!("#{n} {status} {last_event_id}"),
        Told::Redirect { status, .. } => format!(">{status}"),
        Told::Item(sse::Item::Event(event)) => format!("{} {} {}", event.event, event.data, event.id),
        Told::Item(_) => return None,
        Told::Waiting { delay, .. } => format!("…{}", delay.as_millis()),
        Told::Unsendable { .. } => "unsendable".into(),
    })
}

async fn hear_request(url: &str, request: Request, options: Options, answers: &[Answer]) -> Heard {
    let target = Target { url: url.into(), ..Target::default() };
    let mut script = Script { answers: answers.iter().cloned().collect(), asked: Vec::new(), start: Instant::now() };
    let mut told = Vec::new();
    let source = Source::new(&target, &request, options);
    let end = run(source, &mut script, 0, &Control::new(), &mut |item| told.extend(said(&item))).await;
    assert!(script.answers.is_empty(), "{} answers too many after {told:?}, {end:?}", script.answers.len());
    Heard { end, asked: script.asked, told }
}

fn get() -> Request {
    Request { method: "GET".into(), headers: Vec::new(), body: Bytes::new() }
}

async fn hear(answers: &[Answer]) -> Heard {
    hear_request("http://here.example/events", get(), Options::default(), answers).await
}

fn events(heard: &Heard) -> Vec<&str> {
    heard.told.iter().filter(|line| !line.starts_with(['#', '>', '…'])).map(String::as_str).collect()
}

/// Rows 1 to 4, 6: what goes out.
#[tokio::test(start_paused = true)]
async fn the_first_request_is_an_event_sources() {
    let request = Request { headers: vec![plain("X-Own", "1")], ..get() };
    let heard = hear_request("http://here.example/events", request, Options::default(), &[stream(""), status(204)]).await;
    for asked in &heard.asked {
        assert_eq!((asked.method.as_str(), asked.url.as_str()), ("GET", "http://here.example/events"));
        assert_eq!(
            (asked.field("accept"), asked.field("cache-control"), asked.field("x-own")),
            (Some("text/event-stream"), Some("no-cache"), Some("1"))
        );
        assert_eq!(asked.field("last-event-id"), None);
    }
    let request = Request { headers: vec![plain("accept", "*/*"), plain("Cache-Control", "max-age=0")], ..get() };
    let heard = hear_request("http://here.example/", request, Options::default(), &[status(204)]).await;
    assert_eq!(heard.asked[0].headers, [("accept".into(), "*/*".into()), ("Cache-Control".into(), "max-age=0".into())]);
}

/// Rows 5 and 56: an id to begin with, by option or as a field.
#[tokio::test(start_paused = true)]
async fn an_initial_id_counts_as_if_an_event_had_set_it() {
    let given = Options { last_event_id: "41".into(), ..Options::default() };
    let field = Request { headers: vec![plain("last-event-id", "41")], ..get() };
    for (request, options) in [(get(), given), (field, Options::default())] {
        let heard = hear_request("http://here.example/", request, options, &[stream("data: x\n\n"), status(204)]).await;
        assert!(heard.asked.iter().all(|asked| asked.field("Last-Event-ID") == Some("41")));
        assert_eq!(heard.asked[0].headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("last-event-id")).count(), 1);
        assert_eq!(heard.told, ["#1 200 41", "message x 41", "…3000", "#2 204 41"]);
    }
}

/// Rows 7, 8, 46: other methods with a body, the same again.
#[tokio::test(start_paused = true)]
async fn method_and_body_are_sent_again() {
    for method in ["POST", "REPORT"] {
        let request = Request { method: method.into(), headers: vec![plain("Content-Type", "application/json")], body: "{}".into() };
        let heard = hear_request("http://here.example/", request, Options::default(), &[stream("id: 1\n\n"), cut(""), status(204)]).await;
        assert_eq!(heard.asked.len(), 3);
        for asked in &heard.asked {
            assert_eq!(
                (asked.method.as_str(), &asked.body[..], asked.field("content-type")),
                (method, &b"{}"[..], Some("application/json"))
            );
        }
    }
}

/// Rows 10 to 14.
#[tokio::test(start_paused = true)]
async fn the_type_decides() {
    for good in [
        "text/event-stream",
        "text/event-stream;",
        "Text/Event-Stream ; charset=windows-1252",
        "text/html, text/event-stream",
        "text/event-stream, bogus",
        "text/event-stream;x=\"a,b/c\"",
    ] {
        let heard = hear(&[typed(good), status(204)]).await;
        assert_eq!(heard.told, ["#1 200 ", "message x ", "…3000", "#2 204 "], "{good}");
    }
    for bad in ["text/x-bogus", "x bogus", "text/event-streamx", "text/event-stream, text/html", "", "*/*"] {
        let heard = hear(&[typed(bad)]).await;
        let End::Refused(error) = &heard.end else { panic!("{bad}: {:?}", heard.end) };
        assert_eq!((error.code.as_str(), heard.told.len()), ("not-an-event-stream", 1), "{bad}");
    }
    let none = Answer::Response { status: 200, fields: Vec::new(), body: Vec::new(), cut: false };
    assert!(matches!(hear(&[none]).await.end, End::Refused(_)));
}

/// Rows 15 to 18.
#[tokio::test(start_paused = true)]
async fn other_statuses_are_final() {
    for code in [205, 210, 299, 304, 400, 401, 404, 410, 500, 503] {
        let heard = hear(&[status(code)]).await;
        assert!(matches!(&heard.end, End::Refused(error) if error.code == "status"), "{code}");
        assert_eq!(heard.told, [format!("#1 {code} ")]);
    }
    assert_eq!(hear(&[status(204)]).await.end, End::NoContent);
    // The body of a 204 is never delivered, on a reconnect neither.
    assert_eq!(events(&hear(&[stream("data: a\n\n"), status(204)]).await), ["message a "]);
}

/// Row 17's deviation, as an option.
#[tokio::test(start_paused = true)]
async fn chosen_statuses_are_tried_again() {
    let options = Options { retry_on: vec!["5xx".parse().unwrap(), "429".parse().unwrap()], ..Options::default() };
    let answers = [status(503), status(429), stream("data: a\n\n"), status(500), status(404)];
    let heard = hear_request("http://here.example/", get(), options, &answers).await;
    assert_eq!(events(&heard), ["message a "]);
    assert!(matches!(&heard.end, End::Refused(error) if error.message.contains("404")));
    for wrong in ["", "5", "5x", "xxx", "2xx", "200", "600", "70000", "-1x"] {
        assert!(wrong.parse::<Statuses>().is_err(), "{wrong}");
    }
}

/// Rows 19, 32, 57: the network fails, the standard's wait.
#[tokio::test(start_paused = true)]
async fn a_network_error_is_tried_again() {
    let heard = hear(&[refused(), refused(), stream("data: a\n\n"), cut("data: b\n\n"), status(204)]).await;
    let times: Vec<u128> = heard.asked.iter().map(|asked| asked.at.as_millis()).collect();
    assert_eq!(times, [0, 3000, 6000, 9000, 12_000]);
    assert_eq!(events(&heard), ["message a ", "message b "]);
    assert_eq!(heard.asked.iter().map(|asked| asked.conn).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    for (blame, code) in [(Blame::User, "bad-url"), (Blame::Configuration, "bad-root"), (Blame::Peer, "tls-untrusted")] {
        let heard = hear(&[Answer::Nothing(blame, code)]).await;
        assert!(matches!(heard.end, End::Futile(_)), "{code}");
    }
}

/// Rows 22 to 26: followed, and begun at the start again.
#[tokio::test(start_paused = true)]
async fn redirects_are_followed_from_the_original_address_each_time() {
    for code in [301, 302, 303, 307, 308] {
        for (location, there, same) in [
            ("/b?x=1#y", "http://here.example/b?x=1", true),
            ("http://there.example/b", "http://there.example/b", false),
            ("https://here.example/b", "https://here.example/b", false),
            ("//here.example:81/b", "http://here.example:81/b", false),
        ] {
            let request = Request {
                headers: vec![
                    plain("authorization", "Bearer x"),
                    keyed("X-Mine", "{key}"),
                    plain("Cookie", "a=b"),
                    plain("X-Api-Key", "k"),
                    plain("X-Other", "1"),
                ],
                ..get()
            };
            let answers = [to(code, location), stream("id: 7\ndata: a\n\n"), to(code, location), status(204)];
            let heard = hear_request("http://here.example/a", request, Options::default(), &answers).await;
            let urls: Vec<&str> = heard.asked.iter().map(|asked| asked.url.as_str()).collect();
            assert_eq!(urls, ["http://here.example/a", there, "http://here.example/a", there], "{code} {location}");
            for (at, asked) in heard.asked.iter().enumerate() {
                let along = same || at % 2 == 0;
                assert_eq!(asked.field("authorization").is_some(), along);
                assert_eq!(asked.field("x-mine"), along.then_some("keyed {key}"));
                assert_eq!((asked.field("cookie").is_some(), asked.field("x-api-key").is_some()), (along, along));
                assert_eq!((asked.field("x-other"), asked.field("accept")), (Some("1"), Some("text/event-stream")));
                assert_eq!(asked.field("last-event-id"), (at > 1).then_some("7"));
            }
            assert_eq!(heard.told, [&format!(">{code}"), "#1 200 ", "message a 7", "…3000", &format!(">{code}"), "#2 204 7"]);
        }
    }
}

/// Rows 27, 29.
#[tokio::test(start_paused = true)]
async fn bad_redirects_are_final() {
    for location in [
        "",
        "http://[",
        "ftp://there.example/",
        "http://user:pw@there.example/",
        "http://there.example/?k={key}",
        "/?k=%7Bkey%7D",
        "/?k=%7bKEY:base64}",
    ] {
        for code in [301, 307] {
            let heard = hear(&[to(code, location)]).await;
            assert!(matches!(&heard.end, End::Refused(error) if error.code == "bad-redirect"), "{location} {:?}", heard.end);
        }
    }
    let without = Answer::Response { status: 307, fields: Vec::new(), body: Vec::new(), cut: false };
    assert!(matches!(&hear(&[without]).await.end, End::Refused(error) if error.code == "bad-redirect"));
    let endless = vec![to(302, "/again"); 21];
    let heard = hear(&endless).await;
    assert!(matches!(&heard.end, End::Refused(error) if error.code == "redirects"));
    assert_eq!(heard.asked.len(), 21);
    let mut bearable = vec![to(302, "/again"); 20];
    bearable.push(status(204));
    assert_eq!(hear(&bearable).await.end, End::NoContent);
}

/// Row 28: Fetch's rules for the method.
#[tokio::test(start_paused = true)]
async fn redirects_keep_or_change_the_method() {
    for (method, code, kept) in [
        ("POST", 301, false),
        ("POST", 302, false),
        ("POST", 303, false),
        ("POST", 307, true),
        ("POST", 308, true),
        ("REPORT", 301, true),
        ("REPORT", 303, false),
        ("HEAD", 303, true),
    ] {
        let request =
            Request { method: method.into(), headers: vec![plain("content-type", "x/y"), plain("x-own", "1")], body: "body".into() };
        let heard = hear_request("http://here.example/", request, Options::default(), &[to(code, "/b"), status(204)]).await;
        let asked = &heard.asked[1];
        let expected = if kept { (method, "body", Some("x/y")) } else { ("GET", "", None) };
        assert_eq!(
            (asked.method.as_str(), std::str::from_utf8(&asked.body).unwrap(), asked.field("content-type")),
            expected,
            "{method} {code}"
        );
        assert_eq!(asked.field("x-own"), Some("1"));
    }
}

/// Rows 33 to 37, 40 and the floor under `retry: 0`.
#[tokio::test(start_paused = true)]
async fn the_servers_time_is_waited() {
    let answers = [
        stream("retry:02000\n"),
        stream("retry:1000x\ndata: a\n\n"),
        stream("retry: 2"),
        stream("retry: 2\r"),
        stream(":\nretry: 0\n\n"),
        refused(),
        status(204),
    ];
    let heard = hear(&answers).await;
    let times: Vec<u128> = heard.asked.iter().map(|asked| asked.at.as_millis()).collect();
    // The line without its end is cut off and sets nothing; the one that ends with CR alone does.
    assert_eq!(times, [0, 2000, 4000, 6000, 6010, 6020, 6030], "{:?}", heard.told);
    let quick = Options { delay: Duration::from_millis(500), ..Options::default() };
    let heard = hear_request("http://here.example/", get(), quick, &[stream(""), status(204)]).await;
    assert_eq!(heard.asked[1].at.as_millis(), 500);
}

/// Rows 41, 42, 50: nothing of a connection lives on but id and time.
#[tokio::test(start_paused = true)]
async fn a_cut_event_leaves_nothing() {
    let body = "\u{feff}event: e\nid: 1\ndata: whole é\n\nevent: left\nid: 2\ndata: half";
    for at in 0..=body.len() {
        let (head, tail) = body.as_bytes().split_at(at);
        let Answer::Response { status: code, fields, .. } = stream("") else { unreachable!() };
        let first = Answer::Response { status: code, fields, body: vec![head.to_vec(), tail.to_vec()], cut: true };
        let heard = hear(&[first, stream("\u{feff}data: next\n\n"), status(204)]).await;
        assert_eq!(heard.told, ["#1 200 ", "e whole é 1", "…3000", "#2 200 1", "message next 1", "…3000", "#3 204 1"], "cut at {at}");
    }
}

/// Rows 47 to 49, 51 to 55.
#[tokio::test(start_paused = true)]
async fn the_last_event_id_is_sent() {
    let long = "x".repeat(255);
    for (body, id) in [
        ("id: abc\ndata: a\n\n", Some("abc")),
        ("id: abc\ndata: a\n\ndata: b\n\n", Some("abc")),
        ("id: abc\ndata: a\n\nid:\ndata: b\n\n", None),
        ("id: abc\ndata: a\n\nid\n\n", None),
        ("id: only\n\n", Some("only")),
        ("id: …\ndata: a\n\n", Some("…")),
        ("id: a\0b\ndata: a\n\n", None),
        ("id: <\ndata: a\n\n", Some("<")),
        (&format!("id: {long}\ndata: a\n\n"), Some(&long)),
        // What the end of input cut off, by one line end or by two.
        ("id: abc\ndata: a\n", None),
        ("id: abc\r\r", Some("abc")),
    ] {
        let heard = hear(&[stream(body), stream(""), status(204)]).await;
        assert_eq!(heard.asked.iter().map(|asked| asked.field("last-event-id")).collect::<Vec<_>>(), [None, id, id], "{body:?}");
    }
    // A control character has no place in a field: the request goes without, and that is told.
    let heard = hear(&[stream("id: a\u{1}b\ndata: a\n\n"), status(204)]).await;
    assert_eq!(heard.asked[1].field("last-event-id"), None);
    assert_eq!(heard.told, ["#1 200 ", "message a a\u{1}b", "…3000", "unsendable", "#2 204 "]);
}

/// What no suite covers: a server that compresses unasked.
#[tokio::test(start_paused = true)]
async fn content_codings_are_taken_off() {
    // gzip of an event, and of that once more, as Python's zlib writes them.
    let once = hex("1f8b08000000000002032b4a2d29aab4523032e0ca4cb152b0e44a492c49b45230e482328cb800313cb5ec21000000");
    let twice = hex(
        "1f8b080000000000020393efe660000126666d2f5dcd555b820c8c1e9cf2d918b4e18997a78e2790fba4c9a8670783a1cdd6378a406500d2bef0f52f000000",
    );
    let coded = |coding: &str, body: Vec<u8>| Answer::Response {
        status: 200,
        fields: vec![("content-type", "text/event-stream".into()), ("content-encoding", coding.into())],
        body: body.chunks(5).map(<[u8]>::to_vec).collect(),
        cut: false,
    };
    let next = stream("\ndata: b\n\n");
    for (coding, body) in [("gzip", &once), ("identity, x-gzip", &once), ("gzip, gzip", &twice)] {
        let heard = hear(&[coded(coding, body.clone()), next.clone(), status(204)]).await;
        assert_eq!(heard.told, ["#1 200 ", "message 1 9", "…20", "#2 200 9", "message b 9", "…20", "#3 204 9"], "{coding}");
    }
    let mut broken = once.clone();
    broken[12] ^= 0xff;
    let heard = hear(&[coded("gzip", broken), status(204)]).await;
    assert_eq!((heard.told[0].as_str(), heard.end), ("#1 200 ", End::NoContent));
    let heard = hear(&[coded("compress", once)]).await;
    assert!(matches!(&heard.end, End::Refused(error) if error.code == "content-coding"));
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Rows 58 to 63, as an option: only failures in a row make the wait longer.
#[tokio::test(start_paused = true)]
async fn the_wait_may_grow() {
    let options = Options { backoff: Some(Duration::from_secs(10)), ..Options::default() };
    let mut answers = vec![refused(); 5];
    answers.extend([stream("retry: 4000\n\n"), refused(), refused(), stream("retry: 60000\n\n"), refused(), refused(), status(204)]);
    let heard = hear_request("http://here.example/", get(), options, &answers).await;
    let waits: Vec<&str> = heard.told.iter().filter(|line| line.starts_with('…')).map(String::as_str).collect();
    assert_eq!(waits, ["…3000", "…6000", "…10000", "…10000", "…10000", "…4000", "…4000", "…8000", "…60000", "…60000", "…60000"]);
}

#[tokio::test(start_paused = true)]
async fn reconnects_are_counted_or_left_out() {
    let none = Options { reconnect: false, ..Options::default() };
    let heard = hear_request("http://here.example/", get(), none.clone(), &[stream("data: a\n\n")]).await;
    assert_eq!(heard.end, End::Ended { error: None, opened: true });
    let heard = hear_request("http://here.example/", get(), none, &[refused()]).await;
    assert!(matches!(heard.end, End::Ended { error: Some(_), opened: false }));
    for most in 0..4 {
        let options = Options { max_reconnects: Some(most), ..Options::default() };
        let answers = vec![cut("data: a\n\n"); most as usize + 1];
        let heard = hear_request("http://here.example/", get(), options, &answers).await;
        assert!(matches!(heard.end, End::Ended { error: Some(_), opened: true }), "{:?}", heard.end);
    }
}

/// Rows 38, 39, 21: stopped while it waits, and while it is told something.
#[tokio::test(start_paused = true)]
async fn a_stop_is_final() {
    let target = Target { url: "http://here.example/".into(), ..Target::default() };
    let start = Instant::now();
    let mut script = Script { answers: [stream("retry: 250\n\n")].into(), asked: Vec::new(), start };
    let control = Control::new();
    let stop = async {
        sleep(Duration::from_millis(100)).await;
        control.cancel();
    };
    let source = Source::new(&target, &get(), Options::default());
    let mut deaf = |_: Told<'_>| {};
    let (end, ()) = tokio::join!(run(source, &mut script, 0, &control, &mut deaf), stop);
    assert_eq!((end, start.elapsed().as_millis()), (End::Stopped, 100));

    let mut script = Script { answers: [cut("data: a\n\n")].into(), asked: Vec::new(), start };
    let control = Control::new();
    let source = Source::new(&target, &get(), Options::default());
    let end = run(source, &mut script, 0, &control, &mut |told| {
        if matches!(told, Told::Waiting { .. }) {
            control.cancel();
        }
    })
    .await;
    assert_eq!(end, End::Stopped);
}

/// The same over sockets: events arrive as they come, each connection in the journal under its number, the key in none of it.
#[tokio::test]
async fn over_sockets() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
        let answers = [
            format!("HTTP/1.1 307 Over there\r\nLocation: http://127.0.0.1:{}/b\r\nContent-Length: 0\r\n\r\n", address.port()),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n1e\r\nretry: 20\nid: …\ndata: é\n\n\r\n"),
            format!("{head}Content-Length: 9\r\n\r\ndata: b\n\n"),
            "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        ];
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            requests.push(String::from_utf8(crate::tests::read_request(&mut stream).await).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        requests
    });
    let recording = record();
    let request = Request { headers: vec![keyed("Authorization", "Bearer {key}")], ..get() };
    let mut told = Vec::new();
    let target = target(format!("http://localhost:{}/a?k={{key}}", address.port()));
    let (control, mut tell) = (Control::new(), |item: Told<'_>| told.extend(said(&item)));
    let end = listen(&target, &request, Options::default(), recording.journal.clone(), 5, &control, &mut tell);
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), end).await.unwrap(), End::NoContent);
    // The second and third connection start at /a again and find no redirect there.
    assert_eq!(told, [">307", "#1 200 ", "message é …", "…20", "#2 200 …", "message b …", "…20", "#3 204 …"]);
    let requests = server.await.unwrap();
    assert!(requests[0].contains(CANARY) && !requests[1].contains(CANARY), "another origin gets no key: {}", requests[1]);
    assert!(requests[1].starts_with("GET /b HTTP/1.1\r\n") && requests[2].contains("GET /a?k="));
    assert!(requests[2].contains("Last-Event-Id: …\r\n") && requests[3].contains("Last-Event-Id: …\r\n"), "{}", requests[2]);
    let log = recording.finish();
    log.assert_clean();
    let numbers: Vec<u32> = log
        .0
        .iter()
        .filter_map(|entry| if let crate::Entry::Mark { conn, mark: Mark::Open { .. }, .. } = entry { Some(*conn) } else { None })
        .collect();
    assert_eq!(numbers, [5, 6, 7, 8]);
}
