//! Rust: reqwest with eventsource-stream, or tungstenite for a socket.

use weir_dialects::Transport;

use super::literal::raw;
use super::request::{Body, Request};
use crate::Plan;

/// The program.
pub(super) fn http(plan: &Plan) -> String {
    let request = Request::of(plan);
    match request.transport {
        Transport::Websocket => socket(&request),
        _ => response(&request),
    }
}

/// A string with the key in it.
fn keyed(value: &str) -> String {
    if value.contains("{key}") {
        let pieces: Vec<String> = value.split("{key}").map(|piece| piece.replace('{', "{{").replace('}', "}}")).collect();
        return format!("format!({})", format_args!("{:?}", pieces.join("{key}")));
    }
    format!("{value:?}")
}

/// The reply's text in `payload`, printed.
fn tell(request: &Request, indent: usize) -> String {
    let Some(reply) = request.reply else {
        return format!("{:indent$}println!(\"{{payload}}\");\n", "");
    };
    let pointer = format!("/{}", reply.path.join("/"));
    let only = reply.only.map_or(String::new(), |kind| format!(".filter(|_| payload[\"type\"] == {kind:?})"));
    format!(
        "{:indent$}if let Some(text) = payload.pointer({pointer:?}).and_then(|text| text.as_str()){only} {{\n{:indent$}    print!(\"{{text}}\");\n{:indent$}    std::io::stdout().flush()?;\n{:indent$}}}\n",
        "", "", "", ""
    )
}

fn body(request: &Request) -> String {
    let text = match &request.body {
        Body::None => return String::new(),
        Body::Json(json) => format!("{json:#}"),
        Body::Text(text) => text.clone(),
    };
    // A raw string cannot hold a carriage return.
    let literal = if text.contains('\r') { format!("{text:?}") } else { raw(&text) };
    format!("        .body({literal})\n")
}

fn response(request: &Request) -> String {
    let sse = request.transport == Transport::Sse;
    let ndjson = request.transport == Transport::Ndjson;
    let mut out =
        String::from("// cargo add tokio --features full\n// cargo add reqwest --features stream\n// cargo add serde_json futures-util");
    out.push_str(if sse { " eventsource-stream\n" } else { "\n" });
    if request.signed {
        out.push_str("// Weir signs this request with the secret key (AWS Signature Version 4); aws-sdk-bedrockruntime does so too. Sent like this it\n// wants an Authorization field of a Bedrock API key.\n");
    }
    if (sse || ndjson) && request.reply.is_some() {
        out.push_str("use std::io::Write;\n\n");
    }
    if sse {
        out.push_str("use eventsource_stream::Eventsource;\n");
    }
    if request.transport != Transport::Http {
        out.push_str("use futures_util::StreamExt;\n");
    }
    out.push_str("\n#[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {\n");
    if let Some(variable) = request.key {
        out.push_str(&format!("    let key = std::env::var({variable:?})?;\n"));
    }
    let client =
        if request.insecure { "reqwest::Client::builder().danger_accept_invalid_certs(true).build()?" } else { "reqwest::Client::new()" };
    let method = if request.method == "GET" { "get" } else { "post" };
    out.push_str(&format!("    let response = {client}\n        .{method}({})\n", keyed(&request.url)));
    for (name, value) in &request.headers {
        out.push_str(&format!("        .header({name:?}, {})\n", keyed(value)));
    }
    out.push_str(&body(request));
    out.push_str("        .send()\n        .await?;\n    if !response.status().is_success() {\n        return Err(format!(\"{}: {}\", response.status(), response.text().await?).into());\n    }\n");
    match request.transport {
        Transport::Sse => {
            out.push_str("    let mut events = response.bytes_stream().eventsource();\n    while let Some(event) = events.next().await {\n        let event = event?;\n        if event.data == \"[DONE]\" {\n            break;\n        }\n        let payload: serde_json::Value = serde_json::from_str(&event.data)?;\n");
            out.push_str(&tell(request, 8));
            out.push_str("    }\n");
        }
        Transport::Ndjson => {
            out.push_str("    let mut pieces = response.bytes_stream();\n    let mut rest: Vec<u8> = Vec::new();\n    while let Some(piece) = pieces.next().await {\n        rest.extend_from_slice(&piece?);\n        while let Some(end) = rest.iter().position(|byte| *byte == b'\\n') {\n            let line: Vec<u8> = rest.drain(..=end).collect();\n            if line.trim_ascii().is_empty() {\n                continue;\n            }\n            let payload: serde_json::Value = serde_json::from_slice(&line)?;\n");
            out.push_str(&tell(request, 12));
            out.push_str("        }\n    }\n");
        }
        Transport::Eventstream => out.push_str("    // The body is application/vnd.amazon.eventstream, binary: the crate aws-smithy-eventstream reads its messages.\n    let mut pieces = response.bytes_stream();\n    while let Some(piece) = pieces.next().await {\n        println!(\"{} bytes\", piece?.len());\n    }\n"),
        Transport::Http | Transport::Websocket => out.push_str("    println!(\"{}\", response.text().await?);\n"),
    }
    out.push_str("    Ok(())\n}\n");
    out
}

fn socket(request: &Request) -> String {
    let mut out = String::from("// cargo add tungstenite --features rustls-tls-webpki-roots\n// cargo add serde_json\n");
    if request.insecure {
        out.push_str("// Any certificate is taken in Weir; here the server's must be good.\n");
    }
    if request.reply.is_some() {
        out.push_str("use std::io::Write;\n\n");
    }
    out.push_str("use tungstenite::client::IntoClientRequest;\nuse tungstenite::{Message, connect};\n\nfn main() -> Result<(), Box<dyn std::error::Error>> {\n");
    if let Some(variable) = request.key {
        out.push_str(&format!("    let key = std::env::var({variable:?})?;\n"));
    }
    out.push_str(&format!("    let mut request = {}.into_client_request()?;\n", keyed(&request.url)));
    for (name, value) in &request.headers {
        out.push_str(&format!("    request.headers_mut().insert({:?}, {}.parse()?);\n", name.to_ascii_lowercase(), keyed(value)));
    }
    out.push_str("    let (mut socket, _) = connect(request)?;\n    // What is sent, in order; a word before it is what the server must have said first.\n    let mut messages: std::collections::VecDeque<(&str, Message)> = std::collections::VecDeque::from([\n");
    for message in &request.messages {
        let literal = if message.text.contains('\r') { format!("{:?}", message.text) } else { raw(&message.text) };
        let kind =
            if message.binary { format!("Message::binary({literal}.as_bytes().to_vec())") } else { format!("Message::text({literal})") };
        out.push_str(&format!("        ({:?}, {kind}),\n", message.after.as_deref().unwrap_or("")));
    }
    out.push_str("    ]);\n    let mut said = String::new();\n    // The server leaves the socket open for more: stop with Ctrl-C.\n    loop {\n        while messages.front().is_some_and(|(after, _)| said.contains(after)) {\n            if let Some((_, message)) = messages.pop_front() {\n                socket.send(message)?;\n            }\n        }\n        let message = socket.read()?;\n        if !message.is_text() && !message.is_binary() {\n            continue;\n        }\n        said = String::from_utf8_lossy(&message.into_data()).into_owned();\n        let payload: serde_json::Value = serde_json::from_str(&said)?;\n");
    out.push_str(&tell(request, 8));
    out.push_str("    }\n}\n");
    out
}
