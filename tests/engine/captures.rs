//! The exchanges that many tests look at: every transport, well formed and not.

use std::io::Write;
use std::sync::Arc;

use weir_dialects::Transport;
use weir_lab::{Lab, LabConfig, Pace, Settings};
use weir_sessions::analysis::Analysis;
use weir_sessions::view::Draft;
use weir_sessions::{Session, entry};
use weir_tests::desk::{Desk, draft};
use weir_tests::peer::{Peer, Step, chunked, sized};
use weir_transport::{Dir, Entry};

pub const CHAT: &str = "/v1/chat/completions";
pub const RESPONSES: &str = "/v1/responses";

/// Who answers.
pub enum Who {
    /// A scripted peer.
    Script(Vec<Step>),
    /// An HTTP/2 server with these DATA frames.
    Http2(u16, &'static str, Vec<Vec<u8>>),
    /// The Lab, asked for this model.
    Lab(&'static str),
}

/// One exchange.
pub struct Capture {
    pub name: &'static str,
    pub dialect: &'static str,
    pub transport: Transport,
    pub http: &'static str,
    pub path: &'static str,
    pub who: Who,
}

fn script(name: &'static str, dialect: &'static str, transport: Transport, script: Vec<Step>) -> Capture {
    let path = if dialect == "openai-responses" { RESPONSES } else { CHAT };
    Capture { name, dialect, transport, http: "auto", path, who: Who::Script(script) }
}

fn lab(name: &'static str, dialect: &'static str, transport: Transport, http: &'static str, model: &'static str) -> Capture {
    let path = if dialect == "openai-responses" { RESPONSES } else { CHAT };
    Capture { name, dialect, transport, http, path, who: Who::Lab(model) }
}

/// A chunk with text.
pub fn says(text: &str) -> String {
    let json = serde_json::json!({"id": "c1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    format!("data: {json}\n\n")
}

/// A short reply whose events do all that SSE allows: comments, retry, ids, several data lines, CRLF, escapes and many scripts.
pub fn lively() -> String {
    [
        ": keep-alive\n\nretry: 1500\n\nid: 7\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"Let me think\\u2026\"}}]}\n\n",
        &says("Hello"),
        // Two lines that JSON joins with the LF between them.
        "data: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\" w\\u00f6rld \\ud83d\\ude00\\n\"}}]}\n\n",
        "event: message\r\ndata:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\u{4f60}\u{597d} \u{1f468}\u{200d}\u{1f469}\"}}]}\r\n\r\n",
        &says(" and \"quotes\" \\ back\tslash"),
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"up\\\":\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12,\"total_tokens\":21}}\n\n",
        "data: [DONE]\n\n",
    ]
    .concat()
}

fn in_pieces(text: &str, size: usize) -> Vec<&[u8]> {
    text.as_bytes().chunks(size).collect()
}

/// A whole Chat completion.
pub const COMPLETION: &str = "{\"id\":\"c1\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"All at once \\u2713\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}";

/// An event of the Responses API.
pub fn delta(number: usize, text: &str) -> String {
    serde_json::json!({"type": "response.output_text.delta", "sequence_number": number, "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": text}).to_string()
}

pub const COMPLETED: &str = "{\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"output\":[],\"usage\":{\"input_tokens\":2,\"output_tokens\":3,\"total_tokens\":5}}}";

fn fragmented() -> Vec<Step> {
    let text = delta(3, " in parts");
    let (one, rest) = text.as_bytes().split_at(20);
    let (two, three) = rest.split_at(30);
    let mut bytes = Vec::new();
    weir_tests::flood::frame(&mut bytes, 0x01, one);
    weir_tests::flood::frame(&mut bytes, 0x89, b"are you there");
    weir_tests::flood::frame(&mut bytes, 0x00, two);
    weir_tests::flood::frame(&mut bytes, 0x80, three);
    vec![
        Step::Upgrade,
        Step::ReadSome,
        Step::message("{\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}"),
        Step::message(&delta(1, "One ")),
        Step::Pause(3),
        Step::message(&delta(2, "message \u{1f600} \"apart\"")),
        Step::Write(bytes),
        Step::Pause(3),
        Step::message(COMPLETED),
        Step::close(1000),
        Step::End,
    ]
}

/// Events in a content coding, flushed one by one, a chunk each.
fn coded(events: &str, coding: &'static str) -> Vec<Step> {
    fn pieces<W: Write>(mut encoder: W, events: &str, taken: impl Fn(&mut W) -> Vec<u8>) -> (W, Vec<Vec<u8>>) {
        let mut all = Vec::new();
        for event in events.split_inclusive("\n\n") {
            encoder.write_all(event.as_bytes()).expect("memory takes it");
            encoder.flush().expect("memory takes it");
            all.push(taken(&mut encoder));
        }
        (encoder, all)
    }
    let fast = flate2::Compression::fast();
    let mut parts = match coding {
        "gzip" => {
            let (encoder, mut all) = pieces(flate2::write::GzEncoder::new(Vec::new(), fast), events, |e| std::mem::take(e.get_mut()));
            all.push(encoder.finish().expect("memory takes it"));
            all
        }
        "deflate" => {
            let (encoder, mut all) = pieces(flate2::write::ZlibEncoder::new(Vec::new(), fast), events, |e| std::mem::take(e.get_mut()));
            all.push(encoder.finish().expect("memory takes it"));
            all
        }
        "br" => {
            let writer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 18);
            let (encoder, mut all) = pieces(writer, events, |e| std::mem::take(e.get_mut()));
            all.push(encoder.into_inner());
            all
        }
        _ => {
            let writer = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
            let (encoder, mut all) = pieces(writer, events, |e| std::mem::take(e.get_mut()));
            all.push(encoder.finish().expect("memory takes it"));
            all
        }
    };
    parts.retain(|part| !part.is_empty());
    let media: &'static str = match coding {
        "gzip" => "text/event-stream\r\nContent-Encoding: gzip",
        "deflate" => "text/event-stream\r\nContent-Encoding: deflate",
        "br" => "text/event-stream\r\nContent-Encoding: br",
        _ => "text/event-stream\r\nContent-Encoding: zstd",
    };
    chunked("200 OK", media, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>(), true)
}

fn whole_coded(body: &[u8]) -> Vec<Step> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).expect("memory takes it");
    sized("200 OK", "application/json\r\nContent-Encoding: gzip", &encoder.finish().expect("memory takes it"))
}

/// All of them.
pub fn all() -> Vec<Capture> {
    use Transport::{Http, Ndjson, Sse, Websocket};
    let lively = lively();
    let events = "text/event-stream";
    let cut = {
        let mut steps = chunked("200 OK", events, &in_pieces(&lively, 300), true);
        steps.truncate(10);
        steps.push(Step::End);
        steps
    };
    let until_close =
        vec![Step::Read, Step::Write(format!("HTTP/1.1 200 OK\r\nContent-Type: {events}\r\n\r\n{lively}").into_bytes()), Step::End];
    vec![
        script(
            "chat sse, a chunk an event",
            "openai-chat",
            Sse,
            chunked("200 OK", events, &lively.split_inclusive("\n\n").map(str::as_bytes).collect::<Vec<_>>(), true),
        ),
        script("chat sse, small chunks", "openai-chat", Sse, chunked("200 OK", events, &in_pieces(&lively, 17), false)),
        script("chat sse, small chunks in small writes", "openai-chat", Sse, chunked("200 OK", events, &in_pieces(&lively, 61), true)),
        script("chat sse, gzip", "openai-chat", Sse, coded(&lively, "gzip")),
        script("chat sse, deflate", "openai-chat", Sse, coded(&lively, "deflate")),
        script("chat sse, br", "openai-chat", Sse, coded(&lively, "br")),
        script("chat sse, zstd", "openai-chat", Sse, coded(&lively, "zstd")),
        script("chat json, gzip", "openai-chat", Http, whole_coded(COMPLETION.as_bytes())),
        script("chat sse, gzip cut", "openai-chat", Sse, {
            let mut steps = coded(&lively, "gzip");
            steps.truncate(6);
            steps.push(Step::End);
            steps
        }),
        script("chat sse, one chunk", "openai-chat", Sse, chunked("200 OK", events, &[lively.as_bytes()], false)),
        script("chat sse, until close", "openai-chat", Sse, until_close),
        script(
            "bare json in an event stream",
            "openai-chat",
            Sse,
            chunked(
                "200 OK",
                events,
                &[says("a").as_bytes(), b"{\r\n  \"err", b"or\": {\"message\": \"no more\"}\r", b"\n}\r\n\r\n: over\n\n[1]"],
                true,
            ),
        ),
        script("chat json", "openai-chat", Http, sized("200 OK", "application/json", COMPLETION.as_bytes())),
        script("chat json to a stream request", "openai-chat", Sse, sized("200 OK", "application/json", COMPLETION.as_bytes())),
        script(
            "responses sse",
            "openai-responses",
            Sse,
            chunked(
                "200 OK",
                events,
                &[
                    format!("event: response.output_text.delta\ndata: {}\n\n", delta(1, "Hi ")).as_bytes(),
                    format!("event: response.output_text.delta\ndata: {}\n\n", delta(2, "th\u{e9}re")).as_bytes(),
                    format!("event: response.completed\ndata: {COMPLETED}\n\n").as_bytes(),
                ],
                true,
            ),
        ),
        script("responses websocket", "openai-responses", Websocket, fragmented()),
        script(
            "ndjson, raw",
            "raw",
            Ndjson,
            chunked("200 OK", "application/x-ndjson", &[b"{\"a\":1}\n\n{\"b\"", b":[2,3]}\r\nplain text\n{\"last\":true}"], true),
        ),
        script("raw bytes", "raw", Http, sized("200 OK", "application/octet-stream", &[0, 159, 146, 150, 255])),
        script(
            "error 400 json",
            "openai-chat",
            Sse,
            sized("400 Bad Request", "application/json", b"{\"error\":{\"message\":\"no such parameter\",\"code\":\"bad_param\"}}"),
        ),
        script(
            "error 502 html",
            "openai-chat",
            Sse,
            sized("502 Bad Gateway", "text/html", b"<html><head><title>502 Bad Gateway</title></head></html>"),
        ),
        script(
            "error inside the stream",
            "openai-chat",
            Sse,
            chunked("200 OK", events, &[says("So").as_bytes(), b"data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n"], false),
        ),
        script("cut", "openai-chat", Sse, cut),
        script("cut inside its head", "openai-chat", Sse, vec![Step::Read, Step::text("HTTP/1.1 200 OK\r\nContent-Ty"), Step::End]),
        script(
            "malformed chunk size",
            "openai-chat",
            Sse,
            vec![
                Step::Read,
                Step::Write(
                    [
                        &b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
                        b"5\r\ndata:\r\nxyz\r\n rest",
                    ]
                    .concat(),
                ),
                Step::End,
            ],
        ),
        script(
            "malformed json",
            "openai-chat",
            Sse,
            chunked(
                "200 OK",
                events,
                &[says("a").as_bytes(), b"data: {\"choices\": [oops\n\n", says("b").as_bytes(), b"data: [DONE]\n\n"],
                false,
            ),
        ),
        script(
            "invalid utf-8",
            "openai-chat",
            Sse,
            chunked(
                "200 OK",
                events,
                &[
                    b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\xff\xfe\xc3(b\"}}]}\n\n: \xf0\x9f\n\n",
                    b"data: \xff\xff\xff\xff\n\n",
                    b"data: [DONE]\n\n",
                ],
                false,
            ),
        ),
        script(
            "json of ill-formed utf-8",
            "openai-chat",
            Sse,
            chunked(
                "200 OK",
                events,
                &[b"data:{\"x\":\"", &[0xff; 400], b"\"}\n\n", b"data:{\"y\":\"", &[0xfe; 100], b"\"}\n\ndata:[DONE]\n\n"],
                false,
            ),
        ),
        script(
            "redirect",
            "openai-chat",
            Sse,
            vec![
                Step::Read,
                Step::text("HTTP/1.1 307 Temporary Redirect\r\nLocation: https://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n"),
                Step::End,
            ],
        ),
        script("empty reply", "openai-chat", Sse, vec![Step::Read, Step::End]),
        script("interim response and trailers", "openai-chat", Sse, {
            let body = format!(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n{:x};ext=1\r\n{lively}\r\n0\r\nX-Sum: 1\r\n\r\n",
                lively.len()
            );
            vec![Step::Read, Step::Write(body.into_bytes()), Step::End]
        }),
        script(
            "websocket refused",
            "openai-responses",
            Websocket,
            sized("403 Forbidden", "application/json", b"{\"error\":{\"message\":\"not for you\"}}"),
        ),
        script(
            "websocket with a masked frame",
            "openai-responses",
            Websocket,
            vec![
                Step::Upgrade,
                Step::ReadSome,
                Step::message(&delta(1, "ok")),
                Step::Write(b"\x81\x85\x01\x02\x03\x04hello".to_vec()),
                Step::End,
            ],
        ),
        script(
            "websocket cut",
            "openai-responses",
            Websocket,
            vec![Step::Upgrade, Step::ReadSome, Step::message(&delta(1, "ok")), Step::Write(b"\x81\x7e\x01\x00{\"ty".to_vec()), Step::End],
        ),
        Capture {
            name: "chat over h2, frames across events",
            dialect: "openai-chat",
            transport: Sse,
            http: "2",
            path: CHAT,
            who: Who::Http2(200, events, in_pieces(&lively, 97).into_iter().map(<[u8]>::to_vec).collect()),
        },
        Capture {
            name: "chat json over h2",
            dialect: "openai-chat",
            transport: Http,
            http: "2",
            path: CHAT,
            who: Who::Http2(200, "application/json", vec![COMPLETION.as_bytes().to_vec()]),
        },
        Capture {
            name: "error over h2",
            dialect: "openai-chat",
            transport: Sse,
            http: "2",
            path: CHAT,
            who: Who::Http2(429, "application/json", vec![b"{\"error\":{\"message\":\"slow down\"}}".to_vec()]),
        },
        lab("lab chat", "openai-chat", Sse, "1.1", "lab/reasoner"),
        lab("lab chat over h2", "openai-chat", Sse, "2", "lab/steady"),
        lab("lab chat json", "openai-chat", Http, "1.1", "lab/steady"),
        lab("lab responses", "openai-responses", Sse, "1.1", "lab/reasoner"),
        lab("lab responses websocket", "openai-responses", Websocket, "1.1", "lab/reasoner"),
        lab("lab refusal", "openai-responses", Sse, "2", "lab/refuser"),
        lab("lab error in the middle", "openai-chat", Sse, "1.1", "lab/error-mid-stream"),
    ]
}

/// A Lab that answers at once, with replies short enough to be looked at from every side.
pub async fn quick_lab() -> Lab {
    let pace = Pace { ttft_ms: 0, tokens_per_second: 0.0, reply_tokens: 60, ..Pace::default() };
    Lab::start(LabConfig { port: 0, settings: Settings { pace, ..Settings::default() } }).await.expect("a free port")
}

impl Capture {
    /// The reply has a content coding.
    pub fn is_coded(&self) -> bool {
        [", gzip", ", deflate", ", br", ", zstd"].iter().any(|coding| self.name.contains(coding))
    }

    /// Sends it; the peer is gone when this returns.
    pub async fn run(&self, desk: &Desk) -> Arc<Session> {
        let (mut held, mut lab) = (None, None);
        let websocket = self.transport == Transport::Websocket;
        let scheme = if websocket { "ws" } else { "http" };
        let mut model = "lab/steady";
        let url = match &self.who {
            Who::Script(script) => held.insert(Peer::play(script.clone()).await).url(scheme, self.path),
            Who::Http2(status, media, pieces) => held.insert(Peer::http2(*status, media, pieces.clone()).await).url(scheme, self.path),
            Who::Lab(named) => {
                model = named;
                format!("{scheme}://{}{}", lab.insert(quick_lab().await).address(), self.path)
            }
        };
        let mut draft: Draft = draft(&url, self.dialect, self.transport);
        draft.http = self.http.into();
        draft.ask.model = model.into();
        desk.run(&draft).await
    }
}

/// The log of a session as it was recorded.
pub fn log(desk: &Desk, session: &Session) -> Vec<Entry> {
    let mut entries = Vec::new();
    let reader = desk.engine().library().reader(session.id()).expect("the session is in the library");
    reader
        .records(&mut |record| {
            entries.push(entry(record).expect("a mark of ours"));
            std::ops::ControlFlow::Continue(())
        })
        .expect("the log reads");
    entries
}

/// What the connection received.
pub fn received(log: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in log {
        if let Entry::Segment { dir: Dir::In, bytes: some, .. } = entry {
            bytes.extend_from_slice(some);
        }
    }
    bytes
}

/// The fold of a log.
pub fn fold(session: &Session, log: &[Entry]) -> Analysis {
    let mut analysis = Analysis::new(session.plan().dialect(), session.plan().draft.transport);
    for entry in log {
        analysis.push(entry, &mut |_| {});
    }
    analysis.end(&mut |_| {});
    analysis
}
