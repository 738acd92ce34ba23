//! What a client may say on an open Responses socket, and the API's parameters beyond the common ones.

use crate::{ClientEvent, Extra};

/// Templates for the composer.
pub(super) static CLIENT: &[ClientEvent] = &[
    ClientEvent {
        name: "response.create",
        about: "Asks for a response; with previous_response_id only the new input items are sent.",
        template: r#"{"type":"response.create","model":"","previous_response_id":"","input":""}"#,
    },
    ClientEvent {
        name: "response.create (warm-up)",
        about: "Reads the context in and answers with a response id to go on from, without any output.",
        template: r#"{"type":"response.create","model":"","generate":false,"input":""}"#,
    },
    ClientEvent {
        name: "response.create (lane)",
        about: "Asks on a lane of its own: lanes run beside each other, a lane answers one after the other, events name it.",
        template: r#"{"type":"response.create","stream_id":"lane-1","model":"","input":""}"#,
    },
    ClientEvent {
        name: "response.create (tool result)",
        about: "Answers a tool call, by its call_id, and goes on.",
        template: r#"{"type":"response.create","model":"","previous_response_id":"","input":[{"type":"function_call_output","call_id":"","output":""}]}"#,
    },
    ClientEvent {
        name: "response.steer",
        about: "Puts a word into the response under way: it may end as incomplete (steered), and its successor comes by itself.",
        template: r#"{"type":"response.steer","previous_response_id":"","input":[{"type":"message","role":"user","content":""}]}"#,
    },
];

const fn extra(path: &'static str, kind: &'static str, about: &'static str) -> Extra {
    Extra { path, kind, about }
}

/// Parameters that [`crate::Params`] has no field for.
pub(super) static EXTRAS: &[Extra] = &[
    extra("previous_response_id", "string", "The response to go on from; only new input is sent then"),
    extra("conversation", "string", "A stored conversation to go on with; not together with previous_response_id"),
    extra("reasoning.summary", "string", "auto, concise or detailed: shows a summary of the reasoning"),
    extra("include", "array", "More to be told, e.g. [\"reasoning.encrypted_content\"], which makes reasoning go back without storing"),
    extra("store", "boolean", "Keep the response at the provider; default true"),
    extra("background", "boolean", "Run it apart from the connection; not over WebSocket"),
    extra("text.verbosity", "string", "low, medium or high: how much is said"),
    extra("parallel_tool_calls", "boolean", "Whether several tools may be called at once; default true"),
    extra("max_tool_calls", "integer", "Calls of built-in tools at most"),
    extra("truncation", "string", "disabled (default) or auto: drops the middle of a conversation that is too long"),
    extra("top_logprobs", "integer", "0..20: the likeliest tokens to tell at each place"),
    extra("service_tier", "string", "auto, default, flex, scale or priority"),
    extra("metadata", "object", "Up to 16 pairs of text kept with the response"),
    extra("prompt", "object", "{id, version, variables}: a prompt kept at the provider"),
    extra("prompt_cache_key", "string", "Requests with the same key share the prompt cache"),
    extra("prompt_cache_retention", "string", "in_memory or 24h"),
    extra("safety_identifier", "string", "A stable hash that tells your users apart"),
    extra("user", "string", "Older name for safety_identifier and prompt_cache_key"),
    extra("stream_options.include_obfuscation", "boolean", "false leaves the random padding out"),
    extra("stream_id", "string", "WebSocket: the lane this response runs on"),
    extra("generate", "boolean", "WebSocket: false warms the context up and generates nothing"),
];
