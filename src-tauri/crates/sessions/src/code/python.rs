//! Python: with the provider's SDK, and with httpx or websockets.

use weir_dialects::Transport;

use super::literal::{Style, headers, keyed, text, value};
use super::request::{Body, Reply, Request};
use super::sdk;
use crate::Plan;

/// The program with the official SDK, or the plain one with a line that says why.
pub(super) fn sdk(plan: &Plan) -> String {
    let request = Request::of(plan);
    match sdk::python(plan, &request) {
        Ok(program) => program,
        Err(why) => format!("# {why}\n{}", plain(&request)),
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
    let mut out = String::new();
    if request.signed {
        out.push_str("# Weir signs this request with the secret key (AWS Signature Version 4). Sent like this it wants an Authorization field\n# of a Bedrock API key instead; boto3 signs by itself.\n");
    }
    let streamed = request.transport != Transport::Http;
    let eventstream = request.transport == Transport::Eventstream;
    out.push_str(if eventstream { "# pip install httpx botocore\n" } else { "# pip install httpx\n" });
    if streamed {
        out.push_str("import json\n");
    }
    if request.key.is_some() {
        out.push_str("import os\n");
    }
    out.push_str("\nimport httpx\n");
    if eventstream {
        out.push_str("from botocore.eventstream import EventStreamBuffer\n");
    }
    out.push('\n');
    if let Some(variable) = request.key {
        out.push_str(&format!("key = os.environ[{}]\n", text(variable)));
    }
    out.push_str(&format!("headers = {{\n{}}}\n", headers(&request.headers, "key", 4)));
    let argument = match &request.body {
        Body::None => String::new(),
        Body::Json(json) => {
            out.push_str(&format!("body = {}\n", value(json, Style::Python, 0)));
            ", json=body".into()
        }
        Body::Text(body) => {
            out.push_str(&format!("body = {}\n", text(body)));
            ", content=body.encode()".into()
        }
    };
    let verify = if request.insecure { ", verify=False" } else { "" };
    let what = format!("{}, {}, headers=headers{argument}{verify}, timeout=None", text(&request.method), keyed(&request.url, "key"));
    out.push('\n');
    if !streamed {
        out.push_str(&format!("response = httpx.request({what})\nprint(response.status_code)\nprint(response.text)\n"));
        return out;
    }
    if let Some(reply) = request.reply {
        out.push_str(&told(reply, eventstream));
    }
    out.push_str(&format!("with httpx.stream({what}) as response:\n"));
    out.push_str(
        "    if response.is_error:\n        response.read()\n        raise SystemExit(f\"{response.status_code}: {response.text}\")\n",
    );
    let tell = |indent: usize, payload: &str| match request.reply {
        Some(_) => format!("{:indent$}print(text_of({payload}), end=\"\", flush=True)\n", ""),
        None => format!("{:indent$}print({payload})\n", ""),
    };
    if eventstream {
        out.push_str("    events = EventStreamBuffer()\n    for piece in response.iter_bytes():\n        events.add_data(piece)\n        for event in events:\n            message = event.to_response_dict()\n            payload = json.loads(message[\"body\"])\n            if message[\"status_code\"] != 200:\n                raise SystemExit(f\"{message['headers']}: {payload}\")\n");
        out.push_str(&tell(12, "payload"));
        out.push_str("print()\n");
        return out;
    }
    // Not iter_lines: it also splits at U+2028 and its kin, which may stand in JSON as they are.
    out.push_str("    rest = b\"\"\n    for piece in response.iter_bytes():\n        *lines, rest = (rest + piece).split(b\"\\n\")\n        for line in lines:\n");
    if request.transport == Transport::Ndjson {
        out.push_str("            if line.strip():\n");
        out.push_str(&tell(16, "json.loads(line)"));
    } else {
        out.push_str("            if not line.startswith(b\"data:\"):\n                continue\n            data = line[5:].strip()\n            if data and data != b\"[DONE]\":\n");
        out.push_str(&tell(16, "json.loads(data)"));
    }
    out.push_str("print()\n");
    out
}

/// A function that finds the reply's text in a payload.
fn told(reply: Reply, eventstream: bool) -> String {
    let path: Vec<String> =
        reply.path.iter().map(|step| if step.parse::<u8>().is_ok() { (*step).to_owned() } else { text(step) }).collect();
    // An event of AWS has its name in a header, not in the payload.
    let only = reply.only.filter(|_| !eventstream);
    let only = only.map_or(String::new(), |kind| format!("    if payload.get(\"type\") != {}:\n        return \"\"\n", text(kind)));
    format!(
        "\ndef text_of(payload):\n    \"\"\"The reply's text in one payload; most hold none.\"\"\"\n{only}    for step in ({},):\n        try:\n            payload = payload[step]\n        except (KeyError, IndexError, TypeError):\n            return \"\"\n    return payload if isinstance(payload, str) else \"\"\n\n\n",
        path.join(", ")
    )
}

fn socket(request: &Request) -> String {
    let mut out = String::from("# pip install websockets\n");
    if request.reply.is_some() {
        out.push_str("import json\n");
    }
    if request.key.is_some() {
        out.push_str("import os\n");
    }
    if request.insecure {
        out.push_str("import ssl\n");
    }
    out.push_str("\nfrom websockets.sync.client import connect\n\n");
    if let Some(variable) = request.key {
        out.push_str(&format!("key = os.environ[{}]\n", text(variable)));
    }
    out.push_str(&format!("headers = {{\n{}}}\n", headers(&request.headers, "key", 4)));
    out.push_str("# What is sent, in order; a word before it is what the server must have said first.\nmessages = [\n");
    for message in &request.messages {
        let after = message.after.as_deref().map_or("None".into(), text);
        let said = if message.binary { format!("{}.encode()", text(&message.text)) } else { text(&message.text) };
        out.push_str(&format!("    ({after}, {said}),\n"));
    }
    out.push_str("]\n\n");
    if let Some(reply) = request.reply {
        out.push_str(&told(reply, false));
    }
    let tls = if request.insecure && request.url.starts_with("wss") { ", ssl=ssl._create_unverified_context()" } else { "" };
    let tell = match request.reply {
        Some(_) => "            print(text_of(json.loads(message)), end=\"\", flush=True)\n",
        None => "            print(message)\n",
    };
    out.push_str(&format!(
        "# The server leaves the socket open for more: stop with Ctrl-C.\nwith connect({}, additional_headers=headers, max_size=None{tls}) as socket:\n    said = \"\"\n\n    def send_what_may_go():\n        while messages and (messages[0][0] is None or messages[0][0] in said):\n            socket.send(messages.pop(0)[1])\n\n    try:\n        send_what_may_go()\n        for message in socket:\n            said = message if isinstance(message, str) else message.decode(errors=\"replace\")\n            send_what_may_go()\n{tell}    except KeyboardInterrupt:\n        print()\n",
        keyed(&request.url, "key")
    ));
    out
}
