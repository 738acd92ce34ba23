//! JavaScript (Node 20 or newer): with the provider's SDK, and with fetch or the `ws` package.

use weir_dialects::Transport;

use super::literal::{Style, headers, keyed, text, value};
use super::request::{Body, Reply, Request};
use super::sdk;
use crate::Plan;

/// The program with the official SDK, or the plain one with a line that says why.
pub(super) fn sdk(plan: &Plan) -> String {
    let request = Request::of(plan);
    match sdk::javascript(plan, &request) {
        Ok(program) => program,
        Err(why) => format!("// {why}\n{}", plain(&request)),
    }
}

/// The program in plain HTTP.
pub(super) fn http(plan: &Plan) -> String {
    plain(&Request::of(plan))
}

fn plain(request: &Request) -> String {
    match request.transport {
        Transport::Websocket => socket(request),
        _ => response(request),
    }
}

fn response(request: &Request) -> String {
    let mut out = String::from("// Node 20 or newer; save it as a .mjs file.\n");
    if request.signed {
        out.push_str("// Weir signs this request with the secret key (AWS Signature Version 4). Sent like this it wants an Authorization field\n// of a Bedrock API key instead; the AWS SDK signs by itself.\n");
    }
    if request.insecure {
        out.push_str("// Any certificate is taken: run it with NODE_TLS_REJECT_UNAUTHORIZED=0.\n");
    }
    if let Some(variable) = request.key {
        out.push_str(&format!("const key = process.env.{variable};\n\n"));
    }
    let body = match &request.body {
        Body::None => String::new(),
        Body::Json(json) => format!("  body: JSON.stringify({}),\n", value(json, Style::JavaScript, 2)),
        Body::Text(body) => format!("  body: {},\n", text(body)),
    };
    out.push_str(&format!(
        "const response = await fetch({}, {{\n  method: {},\n  headers: {{\n{}  }},\n{body}}});\nif (!response.ok) throw new Error(`${{response.status}}: ${{await response.text()}}`);\n\n",
        keyed(&request.url, "key"),
        text(&request.method),
        headers(&request.headers, "key", 4),
    ));
    match request.transport {
        Transport::Http => out.push_str("console.log(await response.text());\n"),
        Transport::Eventstream => out.push_str(
            "// The body is application/vnd.amazon.eventstream, binary: npm install @smithy/eventstream-codec @smithy/util-utf8 reads its messages.\nfor await (const piece of response.body) process.stdout.write(piece);\n",
        ),
        _ => {
            let (tell, payload) = match request.reply {
                Some(reply) => {
                    out.push_str(&told(reply));
                    ("process.stdout.write(textOf(JSON.parse(", ")))")
                }
                None => ("console.log(JSON.parse(", "))"),
            };
            let line = if request.transport == Transport::Ndjson {
                format!("    if (line.trim()) {tell}line{payload};\n")
            } else {
                format!("    if (!line.startsWith('data:')) continue;\n    const data = line.slice(5).trim();\n    if (data && data !== '[DONE]') {tell}data{payload};\n")
            };
            out.push_str(&format!(
                "const decoder = new TextDecoder();\nlet rest = '';\nfor await (const piece of response.body) {{\n  const lines = (rest + decoder.decode(piece, {{ stream: true }})).split('\\n');\n  rest = lines.pop();\n  for (const line of lines) {{\n{line}  }}\n}}\nconsole.log();\n"
            ));
        }
    }
    out
}

/// A function that finds the reply's text in a payload.
fn told(reply: Reply) -> String {
    let path: String =
        reply.path.iter().map(|step| if step.parse::<u8>().is_ok() { format!("?.[{step}]") } else { format!("?.{step}") }).collect();
    let only = reply.only.map_or(String::new(), |kind| format!("payload.type !== {} ? '' : ", text(kind)));
    format!("// The reply's text in one payload; most hold none.\nconst textOf = (payload) => {only}payload{path} ?? '';\n\n")
}

fn socket(request: &Request) -> String {
    let mut out = String::from("// npm install ws\nimport WebSocket from 'ws';\n\n");
    if let Some(variable) = request.key {
        out.push_str(&format!("const key = process.env.{variable};\n"));
    }
    let protocols: Vec<(String, String)> =
        request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol")).cloned().collect();
    let others: Vec<(String, String)> =
        request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("sec-websocket-protocol")).cloned().collect();
    let protocols =
        protocols.iter().flat_map(|(_, value)| value.split(", ")).map(|value| keyed(value, "key")).collect::<Vec<_>>().join(", ");
    out.push_str("// What is sent, in order; a word before it is what the server must have said first.\nconst messages = [\n");
    for message in &request.messages {
        let after = message.after.as_deref().map_or("null".into(), text);
        let said = if message.binary { format!("Buffer.from({})", text(&message.text)) } else { text(&message.text) };
        out.push_str(&format!("  [{after}, {said}],\n"));
    }
    out.push_str("];\n\n");
    let tell = match request.reply {
        Some(reply) => {
            out.push_str(&told(reply));
            "process.stdout.write(textOf(JSON.parse(said)))"
        }
        None => "console.log(said)",
    };
    let insecure = if request.insecure { "  rejectUnauthorized: false,\n" } else { "" };
    out.push_str(&format!(
        "// The server leaves the socket open for more: stop with Ctrl-C.\nconst socket = new WebSocket({}, [{protocols}], {{\n  headers: {{\n{}  }},\n{insecure}}});\nlet said = '';\nconst sendWhatMayGo = () => {{\n  while (messages.length && (messages[0][0] === null || said.includes(messages[0][0]))) socket.send(messages.shift()[1]);\n}};\nsocket.on('open', sendWhatMayGo);\nsocket.on('message', (message) => {{\n  said = message.toString();\n  sendWhatMayGo();\n  {tell};\n}});\nsocket.on('close', (code, reason) => console.log(`\\nclosed ${{code}} ${{reason}}`));\nsocket.on('error', (error) => console.error(error.message));\n",
        keyed(&request.url, "key"),
        headers(&others, "key", 4),
    ));
    out
}
