//! The words. Each topic explains the protocol a reply may travel on. A unit is a sentence (with its leading space) or a whole
//! block (with its leading blank line), so that replies can be cut between units at any length.

use crate::connections::Transport;

/// A protocol and what there is to say about it.
pub(super) struct Topic {
    pub name: &'static str,
    /// First sentences; `{}` is the start of the prompt.
    pub openings: &'static [&'static str],
    /// What a reply of some hundred tokens is made of, in variants.
    pub short: &'static [&'static [&'static str]],
    /// Sections for longer replies, in no fixed order.
    pub sections: &'static [&'static [&'static str]],
}

/// The topic a transport's replies are about.
pub(super) fn topic(transport: Transport) -> &'static Topic {
    match transport {
        Transport::Http => &HTTP,
        Transport::Eventstream => &EVENTSTREAM,
        Transport::Array => &ARRAY,
        Transport::Sse => &SSE,
        Transport::Ndjson => &NDJSON,
        Transport::Ws => &WS,
    }
}

pub(super) static TOPICS: &[&Topic] = &[&SSE, &WS, &HTTP, &NDJSON, &EVENTSTREAM, &ARRAY];

static SSE: Topic = Topic {
    name: "Server-Sent Events",
    openings: &[
        "You asked “{}”, and the answer comes to you as Server-Sent Events, one small event at a time.",
        "“{}” is a good question; watch how Server-Sent Events carry the answer.",
        "Here is what happens when you send “{}” and ask for Server-Sent Events.",
    ],
    short: &[
        &[
            "\n\n## One open response",
            "\n\nThe server answers once and **keeps writing**.",
            " Each event is a few lines of UTF-8 text, and a blank line ends it.",
            "\n\n- `data:` carries the payload",
            "\n- `event:` names its kind",
            "\n- `id:` marks a place to resume from",
            "\n\nA naïve reader that waits for the end sees nothing until it is over. 🌊",
            " 一滴水也能映出整片海。",
        ],
        &[
            "\n\n## Text, line by line",
            "\n\nNo framing bytes, no lengths: *lines* and *blank lines* are all there is.",
            "\n\n1. Read bytes, decode UTF-8",
            "\n2. Cut at CRLF, LF or a lone CR",
            "\n3. At a blank line, hand over the event",
            "\n\nA character such as é or 語 may arrive in two reads, so decode before you cut. 🧩",
            " 流れる水は腐らず。",
        ],
    ],
    sections: &[
        &[
            "\n\n## What is on the wire",
            "\n\nThis is one event as the socket carries it:",
            "\n\n```text\nevent: greeting\nid: 41\ndata: {\"text\":\"héllo\"}\n\n```",
            "\n\nThe field name ends at the first colon.",
            " One space after the colon is dropped, and only one.",
            " Two `data` lines in one event are joined by a line feed.",
        ],
        &[
            "\n\n## The fields",
            "\n\n| field | what it does |\n| --- | --- |\n| `data` | adds a line to the event |\n| `event` | names its type, else `message` |\n| `id` | sets the last event id |\n| `retry` | sets the wait before reconnecting, in ms |",
            "\n\nAny other field is ignored.",
            " A line that begins with a colon is a comment, and servers send those to keep proxies awake.",
        ],
        &[
            "\n\n## When it breaks off",
            "\n\n> An event without its blank line is never delivered.",
            "\n\nThe end of the body is no proof that the reply is whole.",
            " That is why chat streams end with a marker such as `[DONE]`, which is not JSON.",
            " A browser’s `EventSource` would connect again and send `Last-Event-ID`.",
            " For a model reply that means paying twice, so most clients do not.",
        ],
        &[
            "\n\n## Reading it yourself",
            "\n\n```js\nconst reply = await fetch(url, { method: \"POST\", body });\nfor await (const part of reply.body.pipeThrough(new TextDecoderStream())) {\n  parser.feed(part); // a part may end anywhere, even inside a line\n}\n```",
            "\n\nThe parser keeps what is left of a line until the next part comes.",
            " Chunks, packets and events have nothing to do with each other.",
        ],
        &[
            "\n\n## Small print 🔍",
            "\n\n- a byte order mark at the very start is dropped",
            "\n- `data` with no colon is a data line with no text",
            "\n- an event with no data at all is not delivered",
            "\n- 中文、日本語、한국어 and 👩‍👩‍👧‍👦 need no escaping",
            "\n\nU+2028 ends no line here, though some libraries think so.",
        ],
        &[
            "\n\n## Over HTTP/1.1 and HTTP/2",
            "\n\nHTTP/1.1 sends the stream in chunks, each with its length in hexadecimal.",
            " HTTP/2 sends it in `DATA` frames of one stream among many.",
            " The events inside are the same, byte for byte. ✨",
        ],
    ],
};

static WS: Topic = Topic {
    name: "WebSocket",
    openings: &[
        "You asked “{}”, and the answer comes back over the same WebSocket your question left by.",
        "“{}” arrived as one WebSocket message; the answer leaves as many.",
        "Here is how a WebSocket carries “{}” one way and this answer the other.",
    ],
    short: &[
        &[
            "\n\n## One socket, both ways",
            "\n\nAfter the handshake there are **no more headers**.",
            " Each side may speak at any time.",
            "\n\n- text and binary *messages*",
            "\n- `ping` and `pong` to see if the other lives",
            "\n- `close` with a code, such as 1000",
            "\n\nA frame costs as little as two bytes. 🪶",
            " 行雲流水。",
        ],
        &[
            "\n\n## Messages made of frames",
            "\n\nA message may be cut into frames, and frames of control may come *between* them.",
            "\n\n1. Read the header: two to fourteen bytes",
            "\n2. Read the payload, unmask it if it is masked",
            "\n3. At `FIN`, the message is whole",
            "\n\nA border may fall inside é or 語, so decode the whole message. 🧩",
            " 千里の道も一歩から。",
        ],
    ],
    sections: &[
        &[
            "\n\n## The handshake",
            "\n\nIt begins as an HTTP request:",
            "\n\n```http\nGET /v1/responses HTTP/1.1\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n```",
            "\n\nThe server hashes the key with a fixed text and answers 101.",
            " That proves it meant to speak this protocol, and nothing more.",
        ],
        &[
            "\n\n## Opcodes",
            "\n\n| code | frame |\n| --- | --- |\n| 0 | continuation |\n| 1 | text, UTF-8 |\n| 2 | binary |\n| 8 | close |\n| 9 | ping |\n| 10 | pong |",
            "\n\nAll others are reserved, and a frame that uses one ends the connection with code 1002.",
        ],
        &[
            "\n\n## Why clients mask",
            "\n\n> Every frame from a client is mixed with four random bytes; none from a server is.",
            "\n\nMasking is no secrecy, for the mask stands right before the payload.",
            " It keeps a page from writing bytes of its choosing through a proxy that does not know the protocol.",
        ],
        &[
            "\n\n## How it ends",
            "\n\n```text\n88 02 03 e8    close, code 1000: all is well\n88 02 03 f3    close, code 1011: the server failed\n```",
            "\n\nEach side sends one close frame, then the server closes the socket.",
            " Code 1006 is never sent: it says that no close frame came.",
        ],
        &[
            "\n\n## Small print 🔍",
            "\n\n- a control frame holds at most 125 bytes",
            "\n- a length must be written in its shortest form",
            "\n- 中文、日本語、한국어 and 👩‍👩‍👧‍👦 travel as UTF-8",
            "\n- invalid UTF-8 in a text message ends the connection with 1007",
            "\n\nCompression, where both sides agree to it, spans messages.",
        ],
        &[
            "\n\n## Many replies on one socket",
            "\n\nA long socket saves a handshake for each question.",
            " The server may keep what was said before, so that only the new part need be sent.",
            " When the socket dies, that memory dies with it. ⏳",
        ],
    ],
};

static HTTP: Topic = Topic {
    name: "HTTP",
    openings: &[
        "You asked “{}” over plain HTTP, so this answer waited until it was whole.",
        "“{}” came as one HTTP request, and this is the one response.",
        "Here is the whole answer to “{}”, in a single HTTP response.",
    ],
    short: &[
        &[
            "\n\n## One request, one response",
            "\n\nThe server wrote **nothing** until the last word was known.",
            "\n\n- simple: one status, one JSON body",
            "\n- honest: an error has its own status",
            "\n- slow to begin: the first byte comes last",
            "\n\nA naïve clock calls all of that *latency*. ⏱️",
            " 慢工出细活。",
        ],
        &[
            "\n\n## Head, then body",
            "\n\nA status line, headers, a blank line, then the body.",
            "\n\n1. `Content-Length` says how long it is",
            "\n2. or `Transfer-Encoding: chunked` counts piece by piece",
            "\n3. or the socket closes, and that was all",
            "\n\nOnly the first two tell a whole body from a broken one. 🧱",
            " 急がば回れ。",
        ],
    ],
    sections: &[
        &[
            "\n\n## What is on the wire",
            "\n\n```http\nHTTP/1.1 200 OK\ncontent-type: application/json\ncontent-length: 29\n\n{\"answer\":\"naïve café ☕\"}\n```",
            "\n\nLengths count bytes, not characters.",
            " Each accented letter above is two of them, and the cup is three.",
        ],
        &[
            "\n\n## Status codes worth knowing",
            "\n\n| code | meaning |\n| --- | --- |\n| 200 | here it is |\n| 307 | ask there, the same way |\n| 400 | the request makes no sense |\n| 401 | who are you? |\n| 429 | too many, wait for `Retry-After` |\n| 500 | the server failed |",
            "\n\nA proxy may put an HTML page where you expect JSON, so look at `Content-Type` before you parse.",
        ],
        &[
            "\n\n## The same connection again",
            "\n\n> A connection is dear, a request is cheap.",
            "\n\nName lookup, TCP and TLS each cost a round trip or more.",
            " HTTP/1.1 keeps the connection for the next request, one at a time.",
            " HTTP/2 carries many at once, each in its own stream.",
        ],
        &[
            "\n\n## Trying it by hand",
            "\n\n```sh\ncurl -s http://127.0.0.1:4780/v1/chat/completions \\\n  -d '{\"model\":\"lab/steady\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}'\n```",
            "\n\nAdd `\"stream\":true` and the same words come one by one.",
        ],
        &[
            "\n\n## Small print 🔍",
            "\n\n- header names know no case",
            "\n- a chunk’s length is hexadecimal",
            "\n- 中文、日本語、한국어 and 👩‍👩‍👧‍👦 belong in the body, not in a header",
            "\n- trailers may follow the last chunk",
            "\n\nA body cut short is an error, even when it parses.",
        ],
    ],
};

static NDJSON: Topic = Topic {
    name: "NDJSON",
    openings: &[
        "You asked “{}”, and the answer comes as NDJSON, one JSON object on each line.",
        "“{}” is answered in NDJSON: parse a line, show it, wait for the next.",
        "Here is how NDJSON carries the answer to “{}”, line after line.",
    ],
    short: &[
        &[
            "\n\n## A line is an object",
            "\n\nNo field names, no blank lines: **a line feed ends each value**.",
            "\n\n- read up to the line feed",
            "\n- parse what you have",
            "\n- keep the rest for later",
            "\n\nA naïve split at every read breaks in the middle of a number. ✂️",
            " 积少成多。",
        ],
        &[
            "\n\n## Logs have done it for years",
            "\n\nAny tool that knows lines can read it, *while it grows*.",
            "\n\n1. `grep` finds a line",
            "\n2. `jq` takes it apart",
            "\n3. `tail` shows the newest",
            "\n\nA line feed inside a text is written `\\n`, so it never ends the line. 🪵",
            " 塵も積もれば山となる。",
        ],
    ],
    sections: &[
        &[
            "\n\n## What is on the wire",
            "\n\n```json\n{\"message\":{\"content\":\"naïve\"},\"done\":false}\n{\"message\":{\"content\":\" café\"},\"done\":false}\n{\"done\":true,\"eval_count\":2}\n```",
            "\n\nThe last line says that it is the last.",
            " A body that ends without it was cut.",
        ],
        &[
            "\n\n## Beside its neighbours",
            "\n\n| | NDJSON | Server-Sent Events |\n| --- | --- | --- |\n| border | line feed | blank line |\n| kinds | inside the JSON | `event:` |\n| keep-alive | blank line | comment |\n| resume | none | `id:` |",
            "\n\nBoth are text over one long response.",
        ],
        &[
            "\n\n## Small print 🔍",
            "\n\n> One line may be as long as it likes; a reader must set its own limit.",
            "\n\n- blank lines are skipped",
            "\n- a carriage return before the line feed is blank space",
            "\n- 中文、日本語、한국어 and 👩‍👩‍👧‍👦 need no escaping",
            "\n\nThe last line may lack its line feed.",
        ],
    ],
};

static EVENTSTREAM: Topic = Topic {
    name: "event stream",
    openings: &[
        "You asked “{}”, and the answer comes as a binary event stream, one checked message at a time.",
        "“{}” is answered as an event stream of the binary kind, with lengths first and checksums last.",
        "Here is how a binary event stream carries the answer to “{}”.",
    ],
    short: &[
        &[
            "\n\n## Lengths, then bytes",
            "\n\nEvery message says **how long it is** before it begins.",
            "\n\n- four bytes: the whole length",
            "\n- four bytes: the length of its headers",
            "\n- four bytes: a checksum of these eight",
            "\n\nA naïve split at line feeds finds nothing here. 🧮",
            " 秤砣虽小压千斤。",
        ],
        &[
            "\n\n## Two checksums",
            "\n\nOne guards the lengths, *the other guards everything*.",
            "\n\n1. Read twelve bytes, check the first checksum",
            "\n2. Read headers and payload",
            "\n3. Check the second checksum, then believe it",
            "\n\nA message may begin in one read and end in the next, or share a read with others. 🧷",
            " 石橋を叩いて渡る。",
        ],
    ],
    sections: &[
        &[
            "\n\n## The smallest message",
            "\n\nNo headers, no payload, and still sixteen bytes:",
            "\n\n```text\n00 00 00 10   whole length: 16\n00 00 00 00   headers: none\n05 c2 48 eb   checksum of the first eight\n7d 98 c8 ff   checksum of the first twelve\n```",
            "\n\nAll numbers put their largest byte first.",
        ],
        &[
            "\n\n## Headers have types",
            "\n\n| type | value |\n| --- | --- |\n| 0, 1 | true, false |\n| 2 to 5 | whole numbers of one to eight bytes |\n| 6, 7 | bytes, text |\n| 8 | a moment in milliseconds |\n| 9 | a UUID |",
            "\n\nThe name of an event stands in the header `:event-type`, not in its payload.",
        ],
        &[
            "\n\n## Small print 🔍",
            "\n\n> A length is a promise, not a reason to allocate.",
            "\n\n- `:message-type` tells an event from an exception",
            "\n- an exception comes after status 200, so the status proves little",
            "\n- 中文、日本語、한국어 and 👩‍👩‍👧‍👦 stand in the payload as UTF-8",
            "\n\nAfter a wrong checksum no border can be trusted.",
        ],
    ],
};

static ARRAY: Topic = Topic {
    name: "JSON array",
    openings: &[
        "You asked “{}”, and the answer comes as one JSON array, element by element.",
        "“{}” is answered by a JSON array that is not finished yet.",
        "Here is how a JSON array, sent piece by piece, carries the answer to “{}”.",
    ],
    short: &[
        &[
            "\n\n## One value, many pieces",
            "\n\nThe whole body is **a single JSON value**, and it may take minutes.",
            "\n\n- a bracket opens it at once",
            "\n- each element is an answer of its own",
            "\n- a bracket closes it at the end",
            "\n\nA naïve parser waits for the last bracket and shows nothing until then. 🪜",
            " 欲速则不达。",
        ],
        &[
            "\n\n## Counting brackets",
            "\n\nTo read an element early, *count as you go*.",
            "\n\n1. A brace opens, the depth grows",
            "\n2. A brace closes, the depth falls",
            "\n3. At depth one, an element is whole",
            "\n\nBraces inside a text do not count, and a quote after a backslash ends no text. 🪆",
            " 一歩一歩。",
        ],
    ],
    sections: &[
        &[
            "\n\n## What is on the wire",
            "\n\n```json\n[{\"text\":\"naïve\"}\n,\n{\"text\":\" café\"}\n]\n```",
            "\n\nThe comma comes with the element after it.",
            " So a reader never knows whether there is another.",
        ],
        &[
            "\n\n## Beside its neighbours",
            "\n\n| | JSON array | NDJSON |\n| --- | --- | --- |\n| border | depth of brackets | line feed |\n| end | a bracket | the body’s end |\n| whole body is JSON | yes | no |",
            "\n\nOnly the array can be saved as it is and parsed later.",
        ],
        &[
            "\n\n## Small print 🔍",
            "\n\n> The media type is plain JSON: nothing announces that the body will be slow.",
            "\n\n- white space may stand anywhere between elements",
            "\n- an error may be an element too",
            "\n- 中文、日本語、한국어 and 👩‍👩‍👧‍👦 may stand as they are",
            "\n\nWithout its last bracket the value is broken, however good its elements.",
        ],
    ],
};

/// What the reasoner thinks, in no fixed order.
pub(super) static REASONING: &[&str] = &[
    " A short answer first, then the details.",
    " An example from the wire says more than a definition.",
    " I should name the one mistake most readers make.",
    " A table would help whoever only skims.",
    " Is anything here uncertain? The framing is fixed by a standard, so no.",
    " Let me keep the order: what it is, how it looks, how it ends.",
    " Characters outside ASCII belong in the example, such as é, 語 and 👍🏽.",
    " I must not promise what the protocol does not.",
    " That seems enough to begin.",
];

/// Sentences for [`crate::settings::Reply::Unicode`]: what decoders get wrong.
pub(super) static UNICODE: &[&str] = &[
    "Naïve café, Zürich, Łódź, Ångström.",
    " 你好，世界。",
    " これは日本語の文です。",
    " 한국어 문장입니다.",
    " Привет, мир.",
    " Γειά σου, κόσμε.",
    " שלום עולם.",
    " مرحبا بالعالم.",
    " नमस्ते दुनिया।",
    " สวัสดีชาวโลก.",
    " Families 👩‍👩‍👧‍👦 👨‍👩‍👦, hands 👍🏽 🤝🏿, flags 🇯🇵 🇫🇷 🏴󠁧󠁢󠁷󠁬󠁳󠁿, keycaps 1️⃣ #️⃣.",
    " Combining: e\u{301}, o\u{308}, a\u{30a}, z\u{335}.",
    " Beyond the first plane: 𝄞 𝔘𝔫𝔦 𠮷野家.",
    " Separators that end no line:\u{2028}\u{2029}\u{85} still the same line.",
    " Zero width:\u{200b}\u{feff} and a soft\u{ad}hyphen.",
    " JSON must escape \"quotes\", back\\slashes and\ttabs.\n\n",
];
