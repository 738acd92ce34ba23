//! Which dialect a payload is of, whichever was asked for: a peer that answers in another one is to be called by its name.
//!
//! Every dialect gives itself away by members that no other has; an error report is of no dialect.

use crate::Payload;
use crate::json::{self, Raw, Source, object_of, truthy, word};

object_of! {
    /// The members by which payloads are told apart.
    Traits {
        object: "object",
        kind: "type",
        event_id: "event_id",
        role: "role",
        choices: "choices",
        candidates: "candidates",
        feedback: "promptFeedback",
        server: "serverContent",
        set_up: "setupComplete",
        done: "done",
        message: "message",
        response: "response",
        finish_reason: "finish_reason",
        output: "output",
        request_id: "request_id",
        stop_reason: "stopReason",
        instance: "model_instance_id",
        header: "header",
        rpc: "jsonrpc",
    }
}

object_of! {
    Header {
        event: "event",
    }
}

/// The id of the dialect that `payload` is of; `None` where it could be of several, or of none.
pub fn recognise(payload: &Payload<'_>) -> Option<&'static str> {
    if let Payload::Record { kind: "event", .. } = payload {
        return Some("bedrock-converse");
    }
    Source::with(payload.bytes(), |source| {
        // Events that are read as lines, under another media type.
        let text = source.text.trim();
        let text = text.strip_prefix("data:").map_or(text, str::trim_start);
        let raw = json::value(text).ok()?;
        of(json::elements(raw).first().copied().unwrap_or(raw))
    })
}

/// Whether a reply in the dialect `found` is one that who asked in `asked` can have meant: Vertex carries two of them, and the two Realtime
/// dialects have most names in common.
pub fn is_kin(asked: &str, found: &str) -> bool {
    asked == found
        || matches!(
            (asked, found),
            ("vertex", "gemini" | "anthropic-messages") | ("qwen-realtime", "openai-realtime") | ("gemini", "vertex")
        )
}

fn of(raw: Raw<'_>) -> Option<&'static str> {
    let traits: Traits<'_> = json::members(raw)?;
    if traits.rpc.is_some() {
        return Some("mcp");
    }
    if let Some(object) = word(traits.object) {
        match &*object {
            "response" => return Some("openai-responses"),
            object if object.starts_with("chat.completion") || object == "text_completion" => return Some("openai-chat"),
            _ => {}
        }
    }
    if let Some(found) = word(traits.kind).and_then(|kind| of_type(&kind, &traits)) {
        return Some(found);
    }
    let begins = |raw: Option<Raw<'_>>, with: char| raw.is_some_and(|raw| raw.get().starts_with(with));
    if traits.server.is_some() || traits.set_up.is_some() {
        Some("gemini-live")
    } else if begins(traits.choices, '[') {
        Some("openai-chat")
    } else if begins(traits.candidates, '[') || begins(traits.feedback, '{') {
        Some("gemini")
    } else if traits.done.is_some_and(|done| matches!(done.get(), "true" | "false")) && (traits.message.or(traits.response)).is_some() {
        Some("ollama")
    } else if begins(traits.output, '{') && traits.stop_reason.is_some() {
        Some("bedrock-converse")
    } else if begins(traits.output, '{') && traits.request_id.is_some() {
        Some("dashscope")
    } else if begins(traits.output, '[') && traits.instance.is_some() {
        Some("lmstudio")
    } else if traits.header.and_then(json::members::<Header<'_>>).is_some_and(|header| header.event.is_some()) {
        Some("dashscope-task")
    } else if begins(traits.message, '{') && truthy(traits.finish_reason).is_some() {
        Some("cohere")
    } else {
        None
    }
}

fn of_type(kind: &str, traits: &Traits<'_>) -> Option<&'static str> {
    Some(match kind {
        "message" if traits.role.is_some() => "anthropic-messages",
        "message_start" | "message_delta" | "message_stop" | "content_block_start" | "content_block_delta" | "content_block_stop" => {
            "anthropic-messages"
        }
        "message-start" | "message-end" | "content-start" | "content-delta" | "content-end" | "tool-plan-delta" | "tool-call-start"
        | "tool-call-delta" | "tool-call-end" | "citation-start" | "citation-end" => "cohere",
        "start-step"
        | "finish-step"
        | "text-start"
        | "text-delta"
        | "text-end"
        | "reasoning-start"
        | "reasoning-delta"
        | "reasoning-end"
        | "tool-input-start"
        | "tool-input-delta"
        | "tool-input-available"
        | "tool-output-available" => "ai-sdk-ui",
        "chat.start" | "chat.end" | "message.start" | "message.delta" | "message.end" | "prompt_processing.start" | "model_load.start" => {
            "lmstudio"
        }
        // Events of Realtime have an id each, those of the Responses API a number.
        _ if kind.starts_with("response.") && traits.event_id.is_none() => "openai-responses",
        _ if ["response.", "session.", "conversation.", "input_audio_buffer."].iter().any(|start| kind.starts_with(start)) => {
            "openai-realtime"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Payload, dialect};

    #[test]
    fn every_dialect_gives_itself_away() {
        for (id, payload) in [
            ("openai-chat", r#"{"id":"c","object":"chat.completion.chunk","choices":[]}"#),
            ("openai-chat", r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#),
            ("openai-responses", r#"{"type":"response.created","sequence_number":0,"response":{}}"#),
            ("openai-responses", r#"{"id":"r","object":"response","output":[]}"#),
            ("openai-realtime", r#"{"type":"session.created","event_id":"e","session":{}}"#),
            ("openai-realtime", r#"{"type":"response.created","event_id":"e","response":{}}"#),
            ("anthropic-messages", r#"{"type":"message_start","message":{}}"#),
            ("anthropic-messages", r#"{"id":"m","type":"message","role":"assistant","content":[]}"#),
            ("gemini", r#"{"candidates":[{"content":{"parts":[]}}]}"#),
            ("gemini", r#"[{"candidates":[]}]"#),
            ("gemini", r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#),
            ("gemini-live", r#"{"setupComplete":{}}"#),
            ("dashscope", r#"{"output":{"text":"a"},"request_id":"r"}"#),
            ("dashscope-task", r#"{"header":{"event":"task-started","task_id":"t"},"payload":{}}"#),
            ("ollama", r#"{"model":"m","message":{"role":"assistant","content":""},"done":false}"#),
            ("ollama", "data: {\"model\":\"m\",\"response\":\"a\",\"done\":true}"),
            ("cohere", r#"{"type":"message-start","id":"m"}"#),
            ("cohere", r#"{"id":"m","finish_reason":"COMPLETE","message":{"role":"assistant"}}"#),
            ("bedrock-converse", r#"{"output":{"message":{}},"stopReason":"end_turn"}"#),
            ("mcp", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
            ("ai-sdk-ui", r#"{"type":"text-delta","id":"1","delta":"a"}"#),
            ("lmstudio", r#"{"type":"message.delta","content":"a"}"#),
            ("lmstudio", r#"{"model_instance_id":"m","output":[]}"#),
        ] {
            assert_eq!(recognise(&Payload::Line(payload.as_bytes())), Some(id), "{payload}");
            assert!(dialect::find(id).is_some() && is_kin(id, id));
        }
        assert_eq!(recognise(&Payload::Record { kind: "event", name: "messageStart", data: b"{}" }), Some("bedrock-converse"));
    }

    #[test]
    fn what_could_be_anybodys_is_nobodys() {
        for payload in [
            "",
            "[DONE]",
            "[]",
            "{}",
            "hello",
            "{\"choices\"",
            r#"{"error":{"message":"no","type":"invalid_request_error","code":"x"}}"#,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"no"}}"#,
            r#"{"type":"ping"}"#,
            r#"{"object":"list","data":[]}"#,
            r#"{"message":"invalid api token"}"#,
            r#"{"code":"InvalidApiKey","message":"no","request_id":"r"}"#,
            r#"{"status":"ok"}"#,
        ] {
            assert_eq!(recognise(&Payload::Line(payload.as_bytes())), None, "{payload}");
        }
    }
}
