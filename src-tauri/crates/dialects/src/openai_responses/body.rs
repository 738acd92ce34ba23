//! The request body of Responses, which is also its WebSocket message.

use serde_json::{Map, Value, json};

use crate::{Ask, Message, Role, Transport};

/// The body for `ask`, as compact JSON; what is not set is not sent. Over WebSocket it is a `response.create` event, and streaming goes without saying.
pub(super) fn build(ask: &Ask, transport: Transport) -> String {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    if transport == Transport::Websocket {
        put("type", json!("response.create"));
    }
    put("model", json!(ask.model));
    if !ask.system.is_empty() {
        put("instructions", json!(ask.system));
    }
    put("input", ask.messages.iter().flat_map(items).collect());
    let params = &ask.params;
    if let Some(temperature) = params.temperature {
        put("temperature", json!(temperature));
    }
    if let Some(top_p) = params.top_p {
        put("top_p", json!(top_p));
    }
    if let Some(max_tokens) = params.max_tokens {
        put("max_output_tokens", json!(max_tokens));
    }
    if let Some(effort) = &params.reasoning {
        put("reasoning", json!({"effort": effort}));
    }
    if !ask.tools.is_empty() {
        // Not strict: strict mode would reject, or rewrite, any schema that is not written for it.
        let tool = |tool: &crate::Tool| json!({"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters, "strict": false});
        put("tools", ask.tools.iter().map(tool).collect());
    }
    if let Some(choice) = params.tool_choice.as_deref() {
        put(
            "tool_choice",
            match choice {
                "auto" | "none" | "required" => json!(choice),
                name => json!({"type": "function", "name": name}),
            },
        );
    }
    if transport == Transport::Sse {
        put("stream", json!(true));
    }
    Value::Object(body).to_string()
}

/// The input items of one turn. `type` is always sent: llama.cpp refuses an assistant's turn without it.
fn items(message: &Message) -> Vec<Value> {
    match message.role {
        Role::User => vec![json!({"type": "message", "role": "user", "content": message.text})],
        Role::Tool => vec![json!({"type": "function_call_output", "call_id": message.tool_call_id, "output": message.text})],
        Role::Assistant => {
            let mut items = Vec::new();
            if !message.text.is_empty() || message.tool_calls.is_empty() {
                items.push(json!({"type": "message", "role": "assistant", "content": message.text}));
            }
            items.extend(
                message
                    .tool_calls
                    .iter()
                    .map(|call| json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments})),
            );
            items
        }
    }
}
