//! MCP's Streamable HTTP, to be looked at: one JSON-RPC message is sent, and the answer is JSON or an event stream, whichever the server
//! likes.
//!
//! Weir is no MCP client: it keeps no session and runs no handshake. Any message can be sent as the raw body; a question without one
//! becomes a call of the tool that the model field names, in the stateless form of the revision of 2026-07-28.

mod decoder;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::{Ask, AskError, Call, Decoder, Dialect, Header, Role, Transport, check, endpoint, extra};

/// The dialect `mcp`.
pub struct Mcp;

const NAME: &str = "MCP Streamable HTTP";

/// The revision that needs no session.
const REVISION: &str = "2026-07-28";

/// Where a request names its revision, since 2026-07-28.
const REVISION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

impl Dialect for Mcp {
    fn id(&self) -> &'static str {
        "mcp"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse, Transport::Http]
    }

    fn decode_only(&self) -> bool {
        true
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/mcp"]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        match &ask.raw_body {
            // A batch is an array; revisions from 2025-06-18 on have none, but servers of older ones do.
            Some(body) => found.extend(crate::json::value(body).err().map(AskError::Body)),
            None => found.extend(problems(ask)),
        }
        found
    }

    /// `base` is the endpoint itself, as MCP clients take it.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, _whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(base, "", true, transport)?;
        let body = ask.raw_body.clone().unwrap_or_else(|| Value::Object(build(ask)).to_string());
        // Both, whatever is hoped for: a server may refuse a client that does not take either.
        let mut headers =
            vec![endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", "application/json, text/event-stream")];
        headers.extend(mirrored(&body));
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Rpc>::default()
    }

    fn read(&self, body: &str, _url: &str, _transport: Transport) -> Option<Ask> {
        read(body)
    }
}

fn problems(ask: &Ask) -> Vec<AskError> {
    let inexpressible = |what: &str, why: &str| AskError::Inexpressible { dialect: NAME, what: what.to_owned(), why: why.to_owned() };
    let mut found = Vec::new();
    if ask.model.is_empty() {
        found.push(inexpressible(
            "a question without a tool",
            "name the tool in the model field, or write the JSON-RPC message as the raw body",
        ));
    }
    if !matches!(ask.messages.as_slice(), [only] if only.role == Role::User && only.attachments.is_empty()) {
        found.push(inexpressible(
            "anything but one user turn",
            "a tool takes its arguments once: a JSON object, or a text that becomes its prompt",
        ));
    }
    let params = &ask.params;
    let sampled = params.temperature.is_some() || params.top_p.is_some() || params.max_tokens.is_some() || params.seed.is_some();
    for (there, what) in [
        (!ask.system.is_empty(), "a system prompt"),
        (!ask.tools.is_empty(), "tools on offer"),
        (ask.output.is_some(), "structured output"),
        (sampled || !params.stop.is_empty() || params.reasoning.is_some(), "parameters of a model"),
    ] {
        if there {
            found.push(inexpressible(what, "a tool is called, not a model"));
        }
    }
    found
}

/// A call of the tool that the model field names. A prompt that is a JSON object is the tool's arguments.
fn build(ask: &Ask) -> Map<String, Value> {
    let prompt = ask.messages.last().map_or("", |turn| turn.text.as_str());
    let arguments = serde_json::from_str::<Value>(prompt).ok().filter(Value::is_object).unwrap_or_else(|| json!({ "prompt": prompt }));
    let client = json!({"name": "weir", "version": env!("CARGO_PKG_VERSION")});
    let meta = json!({
        REVISION_KEY: REVISION,
        "io.modelcontextprotocol/clientInfo": client,
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": 1,
    });
    let params = json!({"name": ask.model, "arguments": arguments, "_meta": meta});
    let Value::Object(mut body) = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}) else { return Map::new() };
    extra::merge(&mut body, &ask.params.extra);
    body
}

/// Headers that since 2026-07-28 must say what the body says; none for a message of an older revision.
fn mirrored(body: &str) -> Vec<Header> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let params = &body["params"];
    let (Some(revision), Some(method)) = (params["_meta"][REVISION_KEY].as_str(), body["method"].as_str()) else { return Vec::new() };
    let mut headers = vec![endpoint::header("MCP-Protocol-Version", revision), endpoint::header("Mcp-Method", method)];
    let named = match method {
        "tools/call" | "prompts/get" => params["name"].as_str(),
        "resources/read" => params["uri"].as_str(),
        _ => None,
    };
    headers.extend(named.map(|name| endpoint::header("Mcp-Name", name)));
    headers
}

/// The inverse of [`build`].
fn read(text: &str) -> Option<Ask> {
    let Ok(Value::Object(body)) = serde_json::from_str::<Value>(text) else { return None };
    let params = body.get("params").filter(|_| body.get("method").is_some_and(|method| method == "tools/call"))?;
    let mut ask = Ask { model: params["name"].as_str()?.to_owned(), ..Ask::default() };
    let arguments = params.get("arguments")?.as_object()?;
    let prompt = match arguments.get("prompt") {
        Some(Value::String(prompt))
            if arguments.len() == 1 && !serde_json::from_str::<Value>(prompt).is_ok_and(|value| value.is_object()) =>
        {
            prompt.clone()
        }
        _ => Value::Object(arguments.clone()).to_string(),
    };
    ask.messages.push(crate::Message::new(Role::User, prompt));
    ask.params.extra = extra::beyond(&body, &build(&ask), &["method"])?;
    Some(ask)
}
