use proptest::prelude::*;

use super::*;
use crate::Limits;
use crate::cuts::{every_cut, pieces};

/// The items in words; payload that continues is one item, because its cuts are those of the input.
struct Told {
    words: Vec<String>,
    /// Kind, range and bytes of the payload that may go on.
    open: Option<(&'static str, Span, Vec<u8>)>,
}

impl Told {
    fn take(&mut self, item: &Item<'_>) {
        if let Item::Data { span, bytes } | Item::Upgraded { span, bytes } = item {
            assert_eq!(span.len(), bytes.len() as u64);
            assert!(!bytes.is_empty());
            let kind = if matches!(item, Item::Data { .. }) { "data" } else { "upgraded" };
            match &mut self.open {
                Some((before, whole, all)) if *before == kind && whole.end == span.start => {
                    whole.end = span.end;
                    all.extend_from_slice(bytes);
                }
                _ => {
                    self.close();
                    self.open = Some((kind, *span, bytes.to_vec()));
                }
            }
            return;
        }
        self.close();
        self.words.push(words(item));
    }

    fn close(&mut self) {
        if let Some((kind, span, bytes)) = self.open.take() {
            self.words.push(format!("{kind} {} {:?}", at(span), String::from_utf8_lossy(&bytes)));
        }
    }
}

fn at(span: Span) -> String {
    format!("{}..{}", span.start, span.end)
}

fn words(item: &Item<'_>) -> String {
    let text = String::from_utf8_lossy;
    let fields = |headers: &[Header<'_>]| {
        headers.iter().map(|header| format!(" [{}={}]", text(header.name), text(header.value))).collect::<String>()
    };
    match item {
        Item::Head(head) if head.status > 0 => {
            format!("head {} {} {:?} 1.{}{}", at(head.span), head.status, text(head.word), head.minor, fields(head.headers))
        }
        Item::Head(head) => {
            format!("head {} {} {} 1.{}{}", at(head.span), text(head.word), text(head.target), head.minor, fields(head.headers))
        }
        Item::Chunk { span, data, extension } => format!("chunk {} {} {:?}", at(*span), at(*data), text(extension)),
        Item::LastChunk { span } => format!("last {}", at(*span)),
        Item::Trailers { span, headers } => format!("trailers {}{}", at(*span), fields(headers)),
        Item::Body { span } => format!("body {}", at(*span)),
        Item::End { at } => format!("end {at}"),
        Item::Error { code, at, .. } => format!("ERROR {code} {at}"),
        Item::Warning { code, at, .. } => format!("warning {code} {at}"),
        Item::Incomplete { span } => format!("incomplete {}", at(*span)),
        Item::Data { .. } | Item::Upgraded { .. } => unreachable!("payload is joined"),
    }
}

fn items_of(side: Side, limits: Limits, methods: &[&str], pieces: &[&[u8]]) -> Vec<String> {
    let mut told = Told { words: Vec::new(), open: None };
    let mut dissector = Dissector::new(side, limits);
    methods.iter().for_each(|method| dissector.expect(method.as_bytes()));
    for piece in pieces {
        dissector.push(piece, &mut |item| told.take(&item));
    }
    if let Some(lost) = dissector.lost() {
        assert_eq!(lost.end, pieces.iter().map(|piece| piece.len() as u64).sum::<u64>());
        told.close();
        told.words.push(format!("lost {}", at(lost)));
    }
    dissector.finish(&mut |item| told.take(&item));
    told.close();
    told.words
}

/// The items, the same for every cut.
fn items(side: Side, limits: Limits, methods: &[&str], input: &[u8]) -> Vec<String> {
    let whole = items_of(side, limits, methods, &[input]);
    for way in every_cut(input) {
        assert_eq!(items_of(side, limits, methods, &way), whole, "{way:?}");
    }
    whole
}

#[track_caller]
fn response(input: &str, expected: &[&str]) {
    assert_eq!(items(Side::Server, Limits::default(), &[], input.as_bytes()), expected);
}

#[track_caller]
fn request(input: &str, expected: &[&str]) {
    assert_eq!(items(Side::Client, Limits::default(), &[], input.as_bytes()), expected);
}

/// What is told of a response whose fields (each with its line end) are these, apart from its head, with body "5\r\nhello\r\n0\r\n\r\n".
#[track_caller]
fn framing(fields: &str, expected: &[&str]) {
    let input = format!("HTTP/1.1 200 OK\r\n{fields}\r\n5\r\nhello\r\n0\r\n\r\n");
    let told = items(Side::Server, Limits::default(), &[], input.as_bytes());
    let codes: Vec<_> = told
        .iter()
        .filter(|words| !words.starts_with("head"))
        .map(|words| words.split_inclusive(' ').take(if words.starts_with(['E', 'w']) { 2 } else { 1 }).collect::<String>())
        .map(|words| words.trim_end().to_owned())
        .collect();
    assert_eq!(codes, expected, "{told:?}");
}

#[test]
fn lengths() {
    response(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        &["head 0..38 200 \"OK\" 1.1 [Content-Length=5]", "data 38..43 \"hello\"", "body 38..43", "end 43"],
    );
    response(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.0 404 Not Found\r\n\r\ngone",
        &[
            "head 0..38 200 \"OK\" 1.1 [Content-Length=0]",
            "body 38..38",
            "end 38",
            "head 38..64 404 \"Not Found\" 1.0",
            "data 64..68 \"gone\"",
            "body 64..68",
            "end 68",
        ],
    );
    response(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        &["head 0..38 200 \"OK\" 1.1 [Content-Length=5]", "data 38..41 \"hel\"", "incomplete 38..41"],
    );
    response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &["head 0..38 200 \"OK\" 1.1 [Content-Length=5]", "incomplete 38..38"]);
    response("HTTP/1.1 200 \r\n\r\n", &["head 0..17 200 \"\" 1.1", "body 17..17", "end 17"]);
    response("", &[]);
}

#[test]
fn chunks() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let told = "head 0..47 200 \"OK\" 1.1 [Transfer-Encoding=chunked]";
    response(
        &format!("{head}5\r\nhello\r\nA ; a=\"b;c\" ;d\r\n0123456789\r\n000;x\r\nX-A: 1\r\n\r\n"),
        &[
            told,
            "data 50..55 \"hello\"",
            "chunk 47..57 50..55 \"\"",
            "data 73..83 \"0123456789\"",
            "chunk 57..85 73..83 \"; a=\\\"b;c\\\" ;d\"",
            "last 85..92",
            "trailers 92..102 [X-A=1]",
            "end 102",
        ],
    );
    response(&format!("{head}0\r\n\r\n"), &[told, "last 47..50", "trailers 50..52", "end 52"]);
    response(
        &format!("{head}0000000000000000000001\r\nx\r\n"),
        &[told, "data 71..72 \"x\"", "chunk 47..74 71..72 \"\"", "incomplete 74..74"],
    );
    response(&format!("{head}ffffffffffffffff\r\nx"), &[told, "data 65..66 \"x\"", "incomplete 47..66"]);
    response(&format!("{head}5\r\nhel"), &[told, "data 50..53 \"hel\"", "incomplete 47..53"]);
    response(&format!("{head}5\r\nhello\r"), &[told, "data 50..55 \"hello\"", "incomplete 47..56"]);
    response(&format!("{head}5"), &[told, "incomplete 47..48"]);
    response(&format!("{head}0\r\nX: 1\r\n"), &[told, "last 47..50", "incomplete 50..56"]);
    response(
        &format!("{head}1\r\na\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
        &[
            told,
            "data 50..51 \"a\"",
            "chunk 47..53 50..51 \"\"",
            "last 53..56",
            "trailers 56..58",
            "end 58",
            "head 58..85 204 \"No Content\" 1.1",
            "end 85",
        ],
    );
}

#[test]
fn faulty_chunks() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let told = "head 0..47 200 \"OK\" 1.1 [Transfer-Encoding=chunked]";
    for size in ["", "0x5", " 5", "g", "-5", "+5", "5 5", "5\r5", "10000000000000000", "5,", "\u{661}"] {
        let input = format!("{head}{size}\r\nhello\r\n");
        response(&input, &[told, "ERROR bad-chunk-size 47", &format!("lost 47..{}", input.len())]);
    }
    response(&format!("{head}5\r\nhellooo\r\n"), &[told, "data 50..55 \"hello\"", "ERROR missing-chunk-crlf 55", "lost 55..59"]);
    response(&format!("{head}5\r\nhello\rx"), &[told, "data 50..55 \"hello\"", "ERROR missing-chunk-crlf 55", "lost 55..57"]);
    // The border is known: only the line end is not what it must be.
    response(
        &format!("{head}1\na\n0\n\n"),
        &[
            told,
            "ERROR bare-lf 48",
            "data 49..50 \"a\"",
            "ERROR bare-lf 50",
            "chunk 47..51 49..50 \"\"",
            "ERROR bare-lf 52",
            "last 51..53",
            "warning bare-lf 53",
            "trailers 53..54",
            "end 54",
        ],
    );
    response(
        &format!("{head}1;a\rb\r\nx\r\n"),
        &[told, "ERROR bare-cr 47", "data 54..55 \"x\"", "chunk 47..57 54..55 \";a\\rb\"", "incomplete 57..57"],
    );
    response(
        &format!("{head}1  \r\nx\r\n"),
        &[told, "warning odd-blanks 47", "data 52..53 \"x\"", "chunk 47..55 52..53 \"\"", "incomplete 55..55"],
    );
    response(
        &format!("{head}0\r\nContent-Length: 5\r\nX y\r\n\r\n"),
        &[told, "last 47..50", "ERROR bad-field-line 69", "warning framing-in-trailers 50", "trailers 50..76 [Content-Length=5]", "end 76"],
    );
}

#[test]
fn which_field_frames() {
    const CHUNKED: [&str; 5] = ["data", "chunk", "last", "trailers", "end"];
    let chunked_after = |findings: &[&'static str]| [findings, &CHUNKED].concat();
    let close_after = |findings: &[&'static str]| [findings, &["data", "body", "end"]].concat();
    framing("Transfer-Encoding: chunked\r\n", &CHUNKED);
    framing("TRANSFER-encoding:\tgzip , CHUNKED \r\n", &CHUNKED);
    framing("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", &CHUNKED);
    framing("Transfer-Encoding: ,chunked,\r\n", &CHUNKED);
    framing("Transfer-Encoding: x;a=\"b, chunked\", chunked\r\n", &CHUNKED);
    framing("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", &chunked_after(&["warning te-and-cl"]));
    framing("Content-Length: x\r\nTransfer-Encoding: chunked\r\n", &chunked_after(&["warning te-and-cl"]));
    framing("Transfer-Encoding: chunked, chunked\r\n", &chunked_after(&["ERROR chunked-twice"]));
    framing("Transfer-Encoding: chunked;a=b\r\n", &chunked_after(&["warning chunked-parameters"]));
    framing("Transfer-Encoding: chunked, gzip\r\n", &close_after(&["warning te-not-chunked"]));
    framing("Transfer-Encoding: xchunked\r\n", &close_after(&["warning te-not-chunked"]));
    framing("Transfer-Encoding: \x0bchunked\r\n", &close_after(&["warning control-in-field", "warning te-not-chunked"]));
    framing("Transfer-Encoding:\r\n", &close_after(&["warning te-not-chunked"]));
    framing("Content-Length: 15\r\n", &["data", "body", "end"]);
    framing("Content-Length: 0015\r\n", &["data", "body", "end"]);
    framing("Content-Length: 15, 15\r\n", &["warning duplicate-content-length", "data", "body", "end"]);
    framing("Content-Length: 15\r\ncontent-length: 015\r\n", &["warning duplicate-content-length", "data", "body", "end"]);
    framing("Content-Length: 15, 16\r\n", &["ERROR conflicting-content-length", "lost"]);
    framing("Content-Length: 15\r\nContent-Length: 16\r\n", &["ERROR conflicting-content-length", "lost"]);
    for value in ["", "-1", "+15", "0xf", "15 15", "1.5", "15;", "18446744073709551616", "15\t6", ",", "a"] {
        framing(&format!("Content-Length: {value}\r\n"), &["ERROR bad-content-length", "lost"]);
    }
    framing("Content-Length: 18446744073709551615\r\n", &["data", "incomplete"]);
    framing("", &["data", "body", "end"]);
}

#[test]
fn responses_without_a_body() {
    response(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 X\r\n\r\n",
        &[
            "head 0..25 100 \"Continue\" 1.1",
            "end 25",
            "head 25..62 103 \"Early Hints\" 1.1 [Link=a]",
            "end 62",
            "head 62..110 304 \"Not Modified\" 1.1 [Content-Length=9]",
            "end 110",
            "head 110..128 204 \"X\" 1.1",
            "end 128",
        ],
    );
    response(
        "HTTP/1.1 204 X\r\nContent-Length: 1\r\n\r\n",
        &["head 0..37 204 \"X\" 1.1 [Content-Length=1]", "warning length-without-body 16", "end 37"],
    );
    let two = b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(
        items(Side::Server, Limits::default(), &["HEAD", "GET"], two),
        [
            "head 0..18 100 \"C\" 1.1",
            "end 18",
            "head 18..56 200 \"OK\" 1.1 [Content-Length=5]",
            "end 56",
            "head 56..94 200 \"OK\" 1.1 [Content-Length=1]",
            "data 94..95 \"x\"",
            "body 94..95",
            "end 95",
        ]
    );
}

#[test]
fn other_protocols_take_over() {
    response(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}",
        &["head 0..56 101 \"Switching Protocols\" 1.1 [Upgrade=websocket]", "end 56", "upgraded 56..58 \"\\u{1}\\u{2}\""],
    );
    let connect = b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5";
    assert_eq!(
        items(Side::Server, Limits::default(), &["CONNECT", "CONNECT"], connect),
        [
            "head 0..38 407 \"No\" 1.1 [Content-Length=0]",
            "body 38..38",
            "end 38",
            "head 38..85 200 \"OK\" 1.1 [Transfer-Encoding=chunked]",
            "warning length-without-body 55",
            "end 85",
            "upgraded 85..86 \"5\"",
        ]
    );
    request("CONNECT a:1 HTTP/1.1\r\n\r\nxyz", &["head 0..24 CONNECT a:1 1.1", "end 24", "upgraded 24..27 \"xyz\""]);
    request(
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\u{1}\u{0}",
        &["head 0..38 GET / 1.1 [Upgrade=websocket]", "end 38", "upgraded 38..40 \"\\u{1}\\0\""],
    );
    request(
        "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        &["head 0..32 GET / 1.1 [Upgrade=h2c]", "end 32", "head 32..50 GET / 1.1", "end 50"],
    );
    let mut words = Vec::new();
    let mut dissector = Dissector::new(Side::Client, Limits::default());
    dissector.push(b"GET / HTTP/1.1\r\n\r\n", &mut |_| {});
    dissector.switch();
    dissector.push(b"GET", &mut |item| words.push(format!("{item:?}")));
    assert_eq!(words, ["Upgraded { span: Span { start: 18, end: 21 }, bytes: [71, 69, 84] }"]);
}

#[test]
fn requests() {
    request(
        "POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhiGET * HTTP/1.0\r\n\r\n",
        &[
            "head 0..50 POST /a?b 1.1 [Host=x] [Content-Length=2]",
            "data 50..52 \"hi\"",
            "body 50..52",
            "end 52",
            "head 52..70 GET * 1.0",
            "end 70",
        ],
    );
    request(
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        &[
            "head 0..47 POST / 1.1 [Transfer-Encoding=chunked]",
            "data 50..51 \"a\"",
            "chunk 47..53 50..51 \"\"",
            "last 53..56",
            "trailers 56..58",
            "end 58",
        ],
    );
    request(
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        &["head 0..44 POST / 1.1 [Transfer-Encoding=gzip]", "ERROR te-not-chunked 17", "lost 44..47"],
    );
    request("GET  /  HTTP/1.1\r\n\r\n", &["warning odd-blanks 0", "head 0..20 GET / 1.1", "end 20"]);
    request("GET /a b HTTP/1.1\r\n\r\n", &["ERROR bad-request-target 0", "head 0..21 GET /a b 1.1", "end 21"]);
    request("GET / HTTP/1.7\r\n\r\n", &["head 0..18 GET / 1.1", "end 18"]);
    request("PRI * HTTP/2.0\r\n\r\nSM", &["ERROR bad-version 0", "lost 0..20"]);
    for line in ["GET /", "GET", "GET / http/1.1", "GET / HTTP/1.", "GET / HTTP/11", " GET / HTTP/1.1", "G(T / HTTP/1.1", "GET HTTP/1.1"] {
        request(&format!("{line}\r\n\r\n"), &["ERROR bad-request-line 0", &format!("lost 0..{}", line.len() + 4)]);
    }
    request(
        "GET / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
        &["ERROR space-before-colon 16", "head 0..47 GET / 1.1 [Transfer-Encoding =chunked]", "incomplete 47..47"],
    );
    request(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &["head 0..47 POST / 1.0 [Transfer-Encoding=chunked]", "ERROR te-in-http10 17", "last 47..50", "trailers 50..52", "end 52"],
    );
}

#[test]
fn status_lines() {
    for line in [
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 20",
        "HTTP/1.1 2000",
        "HTTP/1.1 abc",
        "http/1.1 200 OK",
        "ICY 200 OK",
        "<html>",
        "HTTP/1.1200 OK",
    ] {
        response(&format!("{line}\r\n\r\nx"), &["ERROR bad-status-line 0", &format!("lost 0..{}", line.len() + 5)]);
    }
    response("HTTP/2.0 200 OK\r\n\r\n", &["ERROR bad-version 0", "lost 0..19"]);
    response("HTTP/1.1 204\r\n\r\n", &["warning no-space-after-status 0", "head 0..16 204 \"\" 1.1", "end 16"]);
    response("HTTP/1.1  204 a  b\r\n\r\n", &["warning odd-blanks 0", "head 0..22 204 \"a  b\" 1.1", "end 22"]);
    response(
        "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
        &["warning odd-status 0", "head 0..37 999 \"X\" 1.1 [Content-Length=0]", "body 37..37", "end 37"],
    );
    response("HTTP/1.1 204 a\rb\r\n\r\n", &["ERROR bare-cr 0", "head 0..20 204 \"a\\rb\" 1.1", "end 20"]);
}

#[test]
fn field_lines() {
    let head = "HTTP/1.1 204 X\r\n";
    let all = |fields: &str, findings: &[&str], told: &str| {
        let input = format!("{head}{fields}\r\n");
        let end = input.len();
        let mut expected: Vec<String> = findings.iter().map(|&finding| finding.to_owned()).collect();
        expected.push(format!("head 0..{end} 204 \"X\" 1.1{told}"));
        expected.push(format!("end {end}"));
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        response(&input, &expected);
    };
    all("A:1\r\nb: \t2 3 \t\r\nC:\r\n", &[], " [A=1] [b=2 3] [C=]");
    all("A: 1\r\n  2\r\n\t3\r\nB: 4\r\n", &["warning obs-fold 22"], " [A=1    2  \t3] [B=4]");
    all("A: 1\n 2\nB: 3\n", &["warning bare-lf 20", "warning obs-fold 21"], " [A=1  2] [B=3]");
    all(" A: 1\r\nB: 2\r\n", &["ERROR space-before-field 16"], " [B=2]");
    all(" A: 1\r\n C: 3\r\nB: 2\r\n", &["ERROR space-before-field 16", "ERROR space-before-field 23"], " [B=2]");
    // Found by fuzzing: what follows a line without a colon does not continue it.
    all("nocolon\r\n Transfer-Encoding: chunked\r\nB: 2\r\n", &["ERROR bad-field-line 16", "ERROR space-before-field 25"], " [B=2]");
    all("A : 1\r\n", &["ERROR space-before-colon 16"], " [A =1]");
    all(": 1\r\n", &["ERROR bad-field-name 16"], " [=1]");
    all("A(: 1\r\n", &["ERROR bad-field-name 16"], " [A(=1]");
    all("nocolon\r\nB: 2\r\n", &["ERROR bad-field-line 16"], " [B=2]");
    all("A: 1\r2\r\n", &["ERROR bare-cr 16"], " [A=1\r2]");
    all("A: 1\r\r\n", &["ERROR bare-cr 16"], " [A=1\r]");
    all("\r\r\nB: 2\r\n", &["ERROR bare-cr 16", "ERROR bad-field-line 16"], " [B=2]");
    all("A: \0\r\n", &["ERROR nul-in-field 16"], " [A=\0]");
    all("A: é\r\n", &[], " [A=é]");
    response("HTTP/1.1 204 X\n\n", &["warning bare-lf 14", "head 0..16 204 \"X\" 1.1", "end 16"]);
}

#[test]
fn around_messages() {
    response(
        "\r\n\n\r\nHTTP/1.1 204 X\r\n\r\n\r\n",
        &["warning leading-empty-line 0", "head 5..23 204 \"X\" 1.1", "end 23", "warning leading-empty-line 23"],
    );
    response(
        "HTTP/1.1 204 X\r\nConnection: a, Close\r\n\r\nHTTP/1.1 204 X\r\n\r\n",
        &["head 0..40 204 \"X\" 1.1 [Connection=a, Close]", "end 40", "warning data-after-close 40", "head 40..58 204 \"X\" 1.1", "end 58"],
    );
    response("HTTP/1.1 204", &["incomplete 0..12"]);
    response("\r\nHTTP/1.1 204 X\r\n", &["warning leading-empty-line 0", "incomplete 2..18"]);
    response("\r", &["incomplete 0..1"]);
}

/// RFC 9112 §7.1.1: `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`.
#[test]
fn chunk_extensions_by_the_grammar() {
    for legal in ["", ";a", ";a=b", ";a=\"b; \\\"c\\\\\"", " ; a = b\t;\tc", ";a=\"\";b", ";a=\"\u{fc}\"", ";a "] {
        let input = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1{legal}\r\nx\r\n0\r\n\r\n");
        assert_eq!(items(Side::Server, Limits::default(), &[], input.as_bytes()), told_of_chunk(legal, &[]));
    }
    for wrong in [";", ";;a", ";=b", ";a=", ";a=\"b", ";a=b c", ";a b", ";a=\"b\"c", ";a=\"\\\"", ";a=\"\u{1}\"", ";\u{e9}"] {
        let input = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1{wrong}\r\nx\r\n0\r\n\r\n");
        assert_eq!(
            items(Side::Server, Limits::default(), &[], input.as_bytes()),
            told_of_chunk(wrong, &["warning bad-chunk-extension 47"])
        );
    }
    // The last chunk has extensions too.
    let input = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0;\r\n\r\n";
    assert!(items(Side::Server, Limits::default(), &[], input.as_bytes()).contains(&"warning bad-chunk-extension 47".to_owned()));
}

/// What is told of a chunk of one byte whose size is followed by `extension`.
fn told_of_chunk(extension: &str, between: &[&str]) -> Vec<String> {
    let line = 47 + 3 + extension.len();
    let mut told = vec!["head 0..47 200 \"OK\" 1.1 [Transfer-Encoding=chunked]".to_owned()];
    told.extend(between.iter().map(|&words| words.to_owned()));
    told.push(format!("data {line}..{} \"x\"", line + 1));
    told.push(format!("chunk 47..{} {line}..{} {:?}", line + 3, line + 1, extension.trim_start_matches([' ', '\t'])));
    told.extend([format!("last {}..{}", line + 3, line + 6), format!("trailers {}..{}", line + 6, line + 8), format!("end {}", line + 8)]);
    told
}

/// RFC 9110 §5.5: CR, LF and NUL are dangerous in a value, other control characters merely invalid.
#[test]
fn control_characters_in_values() {
    for (byte, word) in [("\x01", "warning control"), ("\x0c", "warning control"), ("\x7f", "warning control"), ("\0", "ERROR nul")] {
        let words = format!("{word}-in-field 16");
        request(&format!("GET / HTTP/1.1\r\nA: b{byte}c\r\n\r\n"), &[&words, &format!("head 0..26 GET / 1.1 [A=b{byte}c]"), "end 26"]);
    }
    request("GET / HTTP/1.1\r\nA: b\tc\u{fc}\r\n\r\n", &["head 0..28 GET / 1.1 [A=b\tc\u{fc}]", "end 28"]);
}

/// RFC 9112 §9.3: HTTP/1.0 goes on only where `keep-alive` is asked for.
#[test]
fn an_old_message_closes_the_connection() {
    let second = "head 18..36 GET / 1.0";
    request(
        "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        &["head 0..18 GET / 1.0", "end 18", "warning data-after-close 18", second, "end 36"],
    );
    let kept = "GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n";
    request(
        &format!("{kept}GET / HTTP/1.1\r\n\r\n"),
        &["head 0..45 GET / 1.0 [Connection=x, Keep-Alive]", "end 45", "head 45..63 GET / 1.1", "end 63"],
    );
}

#[test]
fn heads_and_chunk_lines_are_bounded() {
    let limits = Limits { unit: 1, head: 40 };
    let exact = format!("HTTP/1.1 204 X\r\nA: {}\r\n\r\n", "x".repeat(17));
    assert_eq!(items(Side::Server, limits, &[], exact.as_bytes())[1], "end 40");
    for input in [exact.replace("A:", "AB:"), "x".repeat(60), "HTTP/1.1 200 X\r\n".to_owned() + &"a:b\r\n".repeat(20)] {
        assert_eq!(
            items(Side::Server, limits, &[], input.as_bytes()),
            ["ERROR head-too-long 40".to_owned(), format!("lost 0..{}", input.len())]
        );
    }
    let head = "HTTP/1.1 200 X\r\nTransfer-Encoding:chunked\r\n\r\n";
    let limits = Limits { unit: 1, head: 46 };
    let input = format!("{head}1;{}\r\nx\r\n", "y".repeat(60));
    assert_eq!(
        items(Side::Server, limits, &[], input.as_bytes())[1..],
        ["ERROR chunk-line-too-long 91".to_owned(), format!("lost 45..{}", input.len())]
    );
    let input = format!("{head}0\r\n{}\r\n", "a: b\r\n".repeat(20));
    assert_eq!(
        items(Side::Server, limits, &[], input.as_bytes())[2..],
        ["ERROR trailers-too-long 94".to_owned(), format!("lost 48..{}", input.len())]
    );
}

/// Pieces that connections are made of, also badly.
fn shards() -> impl Strategy<Value = Vec<u8>> {
    let shards = vec![
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.1 100 C\r\n",
        "GET / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Content-Length: 3\r\n",
        "Content-Length: ",
        "Transfer-Encoding: chunked\r\n",
        "Upgrade: x\r\n",
        "Connection: close\r\n",
        "5\r\nhello\r\n",
        "5\r\nhello",
        "3;x=y\r\nabc\r\n",
        "0\r\n\r\n",
        "0\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        ":",
        "a",
        "\0",
        "1",
        "ff",
        "A: b\r\n",
    ];
    prop::collection::vec(prop::sample::select(shards), 0..14).prop_map(|shards| shards.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn items_do_not_depend_on_the_cuts(input in shards(), sizes in prop::collection::vec(1_usize..9, 1..6), client in any::<bool>()) {
        let side = if client { Side::Client } else { Side::Server };
        for limits in [Limits::default(), Limits { unit: 1, head: 60 }] {
            let whole = items_of(side, limits, &["HEAD"], &[&input]);
            prop_assert_eq!(items_of(side, limits, &["HEAD"], &pieces(&input, &sizes)), whole.clone());
            prop_assert_eq!(items_of(side, limits, &["HEAD"], &pieces(&input, &[1])), whole);
        }
    }

    #[test]
    fn chunked_bodies_come_back(
        chunks in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..40), "(;[a-z]=[a-z])?"), 0..8),
        sizes in prop::collection::vec(1_usize..30, 1..6),
    ) {
        let mut input = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for (data, extension) in &chunks {
            input.extend_from_slice(format!("{:x}{extension}\r\n", data.len()).as_bytes());
            input.extend_from_slice(data);
            input.extend_from_slice(b"\r\n");
        }
        input.extend_from_slice(b"0\r\n\r\n");
        let (mut body, mut found, mut ended) = (Vec::new(), Vec::new(), false);
        let mut dissector = Dissector::new(Side::Server, Limits::default());
        for piece in pieces(&input, &sizes) {
            dissector.push(piece, &mut |item| match item {
                Item::Data { span, bytes } => {
                    assert_eq!(bytes, &input[span.start as usize..span.end as usize]);
                    body.extend_from_slice(bytes);
                }
                Item::Chunk { data, extension, .. } => {
                    let data = input[data.start as usize..data.end as usize].to_vec();
                    found.push((data, String::from_utf8_lossy(extension).into_owned()));
                }
                Item::End { at } => ended = at == input.len() as u64,
                _ => {}
            });
        }
        prop_assert!(ended);
        prop_assert_eq!(body, chunks.iter().flat_map(|(data, _)| data.clone()).collect::<Vec<_>>());
        prop_assert_eq!(found, chunks);
    }
}
