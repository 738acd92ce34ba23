//! The members of events, responses and items that are read.

use super::lane::Stream;
use crate::json::{Raw, object_of, word};

object_of! {
    /// An event, or a whole response object.
    Event {
        kind: "type",
        delta: "delta",
        text: "text",
        refusal: "refusal",
        arguments: "arguments",
        input: "input",
        name: "name",
        call_id: "call_id",
        item_id: "item_id",
        output_index: "output_index",
        content_index: "content_index",
        summary_index: "summary_index",
        stream_id: "stream_id",
        item: "item",
        part: "part",
        response: "response",
        error: "error",
        object: "object",
        output: "output",
    }
}

object_of! {
    /// A response object.
    Response {
        id: "id",
        status: "status",
        error: "error",
        incomplete: "incomplete_details",
        output: "output",
        usage: "usage",
    }
}

object_of! {
    /// Why a response is incomplete.
    Incomplete {
        reason: "reason",
    }
}

object_of! {
    /// An output item.
    Item {
        kind: "type",
        id: "id",
        call_id: "call_id",
        name: "name",
        arguments: "arguments",
        input: "input",
        content: "content",
        summary: "summary",
        encrypted: "encrypted_content",
    }
}

object_of! {
    /// A part of an item's content or summary.
    ContentPart {
        kind: "type",
        text: "text",
        refusal: "refusal",
    }
}

impl<'a> ContentPart<'a> {
    /// Which text the part is of, and the text.
    pub(super) fn stream(&self, summary: bool) -> (Stream, Option<Raw<'a>>) {
        match word(self.kind).as_deref() {
            _ if summary => (Stream::Summary, self.text),
            Some("refusal") => (Stream::Refusal, self.refusal.or(self.text)),
            Some("reasoning_text" | "reasoning") => (Stream::Reasoning, self.text),
            Some("summary_text") => (Stream::Summary, self.text),
            _ => (Stream::Text, self.text),
        }
    }
}

impl Item<'_> {
    /// Whether the item is a call that the client is to answer.
    pub(super) fn is_call(&self) -> bool {
        word(self.kind).is_some_and(|kind| kind == "function_call" || kind == "custom_tool_call")
    }
}
