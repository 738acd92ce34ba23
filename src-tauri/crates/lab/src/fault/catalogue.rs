//! The recipes: one table feeds the Lab view, the settings and the `x-lab-fault` header, so a recipe is declared once. Each says
//! which trouble of real services it stands for.

use super::{Parameter, Recipe};

const fn parameter(unit: &'static str, default: u32, min: u32, max: u32) -> Option<Parameter> {
    Some(Parameter { unit, default, min, max })
}

const fn recipe(
    id: &'static str,
    name: &'static str,
    description: &'static str,
    incident: &'static str,
    parameter: Option<Parameter>,
) -> Recipe {
    Recipe { id, name, description, incident, parameter }
}

const MANY: u32 = crate::MAX_REPLY_TOKENS;
pub(super) const GIB: u32 = 1 << 30;
const DAY: u32 = 86_400;

pub(super) static CATALOGUE: &[Recipe] = &[
    recipe(
        "drop-after",
        "Drop mid-stream",
        "TCP reset after so many tokens",
        "a worker is killed for its memory, or a firewall forgets the connection and answers with RST",
        parameter("tok", 40, 0, MANY),
    ),
    recipe(
        "cut-after",
        "Cut mid-stream",
        "the socket closes (FIN) in the middle of the body",
        "a process exits at once on SIGTERM; the kernel closes its sockets in good order",
        parameter("tok", 40, 0, MANY),
    ),
    recipe(
        "stall",
        "Stall",
        "no bytes for a while after 10 tokens, socket open",
        "a GPU worker hangs or the request is moved to another one, while the gateway holds the connection",
        parameter("s", 30, 1, 3600),
    ),
    recipe(
        "deploy",
        "Rolling deploy",
        "after so many tokens: announced (SSE retry, GOAWAY, close 1012), dropped half a second later, down for 2 s, then back",
        "a new version is rolled out and the old instance does not wait for long streams",
        parameter("tok", 40, 0, MANY),
    ),
    recipe(
        "deploy-drain",
        "Rolling deploy, drained",
        "announced after so many tokens; the reply under way ends in peace, then the connection closes",
        "a deploy whose load balancer lets old connections end before it stops the instance",
        parameter("tok", 40, 0, MANY),
    ),
    recipe(
        "goaway",
        "GOAWAY",
        "HTTP/2: no new streams after so many tokens; HTTP/1.1 closes after the reply",
        "a load balancer retires a connection by its age or its number of requests",
        parameter("tok", 10, 0, MANY),
    ),
    recipe(
        "buffering",
        "Buffering gateway",
        "a body is held back until there are so many bytes, or it ends",
        "a reverse proxy with response buffering left on: the reply comes in lumps, or all at the end",
        parameter("B", 4096, 1, GIB),
    ),
    recipe(
        "idle-timeout",
        "Gateway idle timeout",
        "the connection is cut after so long without a byte; 504 where nothing was answered yet",
        "a load balancer's 60 s idle timeout meets a model that thinks without saying anything",
        parameter("s", 5, 1, 3600),
    ),
    recipe(
        "split-utf8",
        "Split UTF-8",
        "a chunk or fragment ends inside a character",
        "TCP and proxies cut where they like; clients that decode each piece alone show �",
        parameter("every", 7, 1, MANY),
    ),
    recipe(
        "cr-only",
        "CR-only newlines",
        "legal SSE that breaks simple parsers",
        "the standard allows CR alone; clients that split at LF wait for ever",
        None,
    ),
    recipe(
        "bom",
        "Byte order mark",
        "the body begins with EF BB BF, which a client must drop once",
        "a framework or a template saved with a BOM in front of an event stream: the first field has no name a client knows",
        None,
    ),
    recipe(
        "malformed-json",
        "Malformed JSON",
        "one event with a cut brace",
        "a server that crashes while it writes an event, or two writers on one connection",
        parameter("event", 17, 1, MANY),
    ),
    recipe(
        "invalid-utf8",
        "Invalid UTF-8",
        "one event with a byte no UTF-8 text has",
        "a tokenizer whose half characters are sent as they are",
        parameter("event", 5, 1, MANY),
    ),
    recipe(
        "duplicate",
        "Duplicated events",
        "every so many events, one comes twice with the same SSE id",
        "a message broker that delivers at least once, or a replay that begins one event too early",
        parameter("every", 7, 1, MANY),
    ),
    recipe(
        "lose",
        "Lost events",
        "every so many events, one does not come; SSE ids show the gap",
        "a full queue between worker and gateway that drops what does not fit",
        parameter("every", 7, 1, MANY),
    ),
    recipe(
        "status-429",
        "429 with Retry-After",
        "before the first byte",
        "the rate limit of an account, or of all of a provider's customers together",
        parameter("s", 12, 0, DAY),
    ),
    recipe("status-500", "500 server error", "JSON error before the first byte", "an unhandled exception at the provider", None),
    recipe(
        "html-error",
        "HTML error page",
        "502 from a proxy that speaks HTML",
        "the CDN in front of an API cannot reach it, and answers for browsers",
        None,
    ),
    recipe(
        "json-instead-of-stream",
        "JSON instead of a stream",
        "200 with a JSON body to a stream request",
        "a gateway or a cache that does not pass `stream` on",
        None,
    ),
    recipe(
        "wrong-type",
        "Wrong content type",
        "the stream is served as text/plain",
        "a proxy or a framework with its own idea of a default type: EventSource gives up at once",
        None,
    ),
    recipe(
        "bad-crc",
        "Wrong checksum",
        "one event-stream message whose last CRC-32 is off by one bit",
        "a proxy that rewrites bytes of a binary stream it does not know",
        parameter("event", 5, 1, MANY),
    ),
    recipe("redirect", "Redirect", "307 to /echo", "an API that moved, or a base URL without its last slash", None),
    recipe("empty", "Empty reply", "200, then nothing", "a worker that dies after the gateway has sent the head", None),
    recipe(
        "slow-drip",
        "Slow drip",
        "one byte per write",
        "a congested mobile link, and the hardest test of a parser's state",
        parameter("ms", 5, 0, 60_000),
    ),
    recipe(
        "slow-reader",
        "Slow reader",
        "the Lab reads nothing for a while: no request body, no WebSocket message",
        "a server too busy to read; uploads and audio pile up at the client (backpressure)",
        parameter("s", 5, 1, 3600),
    ),
    recipe(
        "small-window",
        "Small window",
        "HTTP/2: a request's body beyond the first 65,535 bytes stops until the Lab has read on; on a connection used before, every so many",
        "a gateway that gives each stream little room, or a server that reads slowly: uploads halt, though the network is free",
        parameter("B", 64, 1, 65_535),
    ),
    recipe(
        "no-end-marker",
        "Missing end marker",
        "the stream ends without saying so",
        "a gateway that swallows the last event, or a provider's timeout that looks like an end",
        None,
    ),
    recipe(
        "close",
        "Close 1011",
        "WebSocket server error after so many tokens",
        "an exception in a handler; also what several libraries send when a keep-alive ping gets no answer",
        parameter("tok", 40, 0, MANY),
    ),
    recipe(
        "close-1001",
        "Close 1001",
        "WebSocket going away after so many tokens",
        "a session that reached the provider's longest duration",
        parameter("tok", 40, 0, MANY),
    ),
    recipe(
        "close-1012",
        "Close 1012",
        "WebSocket service restart after so many tokens",
        "a deploy: come back, after a random pause",
        parameter("tok", 40, 0, MANY),
    ),
    recipe(
        "close-1013",
        "Close 1013",
        "WebSocket try again later after so many tokens",
        "an overloaded server sheds connections",
        parameter("tok", 40, 0, MANY),
    ),
    recipe(
        "ws-refuse",
        "Refused handshake",
        "the WebSocket upgrade gets an HTTP error",
        "a proxy without WebSocket support, or a key without the right to this model",
        parameter("", 403, 400, 599),
    ),
    recipe(
        "ping-flood",
        "Ping flood",
        "so many pings before each WebSocket message; comments in an event stream",
        "a keep-alive timer that was started once per message and never stopped",
        parameter("", 50, 1, 10_000),
    ),
    recipe(
        "fragmented",
        "Fragmented frames",
        "each WebSocket message in so many fragments, with a ping in between",
        "a proxy with small buffers; legal, and broken by clients that take a frame for a message",
        parameter("", 3, 2, 1000),
    ),
    recipe("masked", "Masked frames", "a server must not mask (RFC 6455 §5.1)", "client code reused for a home-made server", None),
    recipe(
        "compressed",
        "Compressed frames nobody agreed on",
        "WebSocket messages with RSV1, without permessage-deflate in the handshake",
        "a proxy that takes Sec-WebSocket-Extensions out of the answer and lets the frames through",
        None,
    ),
    recipe(
        "no-deflate",
        "Compression declined",
        "permessage-deflate is not accepted, though offered",
        "many servers and proxies: a client that offers it must live without",
        None,
    ),
    recipe(
        "no-context-takeover",
        "Compression without memory",
        "permessage-deflate is agreed with both windows dropped after each message",
        "servers that save the 32 KiB and more that each connection's window costs",
        None,
    ),
    recipe(
        "oversized",
        "Oversized frame",
        "one WebSocket message over the limit",
        "audio or an image in Base64 passes the 1 MiB that common libraries allow",
        parameter("B", 16 << 20, 1, GIB),
    ),
    recipe(
        "huge-line",
        "Huge line",
        "one SSE line of this length",
        "a whole document or image in one event; clients with a line limit fail",
        parameter("B", 64 << 20, 1, GIB),
    ),
];
