//! Decodes JSON-RPC 2.0 messages: a response of JSON, or those of an event stream until the response is among them.

use crate::delta::Part;
use crate::json::{self, Raw, Source, object_of, truthy, word};
use crate::report;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status, strange};

object_of! {
    /// A request, notification or response.
    Message {
        jsonrpc: "jsonrpc",
        id: "id",
        method: "method",
        params: "params",
        result: "result",
        error: "error",
    }
}

object_of! {
    /// Any result; the members of a tool's among others.
    Outcome {
        content: "content",
        failed: "isError",
        server: "serverInfo",
        kind: "resultType",
    }
}

object_of! {
    /// A content block.
    Content {
        kind: "type",
        text: "text",
    }
}

object_of! {
    /// What notifications tell for people.
    Params {
        message: "message",
        progress: "progress",
        data: "data",
    }
}

/// The decoder: what must be remembered from message to message.
#[derive(Default)]
pub(super) struct Rpc {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    /// 202: a notification was taken, and nothing is to be answered.
    accepted: bool,
    /// The response came.
    done: bool,
    /// It is an error, or its tool failed.
    failed: bool,
}

impl Decoder for Rpc {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
        self.accepted = status.code == 202;
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        let event = matches!(payload, Payload::Event { .. });
        Source::with(payload.bytes(), |source| {
            if let Some(status) = self.refused {
                self.failed = true;
                return teller.tell(report::of_body(&source, status).delta());
            }
            if event && source.text.is_empty() {
                // Sent first, with an id, so that a client has a place to resume from (revision 2025-11-25).
                return teller.control("cursor", 0..0);
            }
            match json::value(source.text) {
                // A batch, as revision 2025-03-26 had them.
                Ok(raw) if raw.get().starts_with('[') => {
                    json::each(raw, |raw| self.message(&source, raw, &mut teller));
                }
                Ok(raw) => self.message(&source, raw, &mut teller),
                // The old transport of 2024-11-05 begins with where to post to.
                Err(_) if event && source.text.starts_with(['/', 'h']) => teller.control("endpoint", source.at(source.text)),
                Err(_) => {}
            }
            if teller.told() == 0 {
                self.failed |= strange::tell(&source, WHAT, &mut teller);
            }
        });
    }

    fn whole(&self) -> bool {
        (self.done || self.accepted) && !self.failed
    }

    fn ended(&self) -> bool {
        self.done
    }
}

const WHAT: &str = "a JSON-RPC message";

impl Rpc {
    fn message<'a>(&mut self, source: &Source<'a>, raw: Raw<'a>, teller: &mut Teller<'_>) {
        let message = json::members::<Message<'_>>(raw).unwrap_or_default();
        if message.jsonrpc.is_none() {
            return;
        }
        if let Some(method) = message.method.filter(|method| word(Some(*method)).is_some()) {
            // The server's own request or notification: its words, where it has some for people.
            let params = message.params.and_then(json::members::<Params<'_>>).unwrap_or_default();
            let told = [params.message, params.progress, params.data].into_iter().flatten().next();
            let word = json::shown(method);
            return match told {
                Some(told) => teller.control(&format!("{word}: {}", json::shown(told)), source.place(told)),
                None => teller.control(&word, source.place(method)),
            };
        }
        if let Some(error) = message.error {
            self.failed = true;
            teller.tell(report::of_member(source, error).delta());
            self.done = true;
        } else if let Some(result) = message.result {
            self.result(source, result, teller);
            self.done = true;
        }
        if self.done {
            teller.end("response", message.id.map_or(0..0, |id| source.place(id)));
        }
    }

    fn result<'a>(&mut self, source: &Source<'a>, raw: Raw<'a>, teller: &mut Teller<'_>) {
        let outcome = json::members::<Outcome<'_>>(raw).unwrap_or_default();
        let failed = truthy(outcome.failed).is_some();
        let mut reason = None;
        if let Some(content) = outcome.content {
            json::each(content, |raw| {
                let block = json::members::<Content<'_>>(raw).unwrap_or_default();
                let told = if failed {
                    reason = reason.or(block.text);
                    block.text.is_some()
                } else {
                    teller.text(DeltaKind::Text, source, block.text)
                };
                if !told {
                    teller.control(&word(block.kind).unwrap_or_else(|| "content".into()), source.at(raw.get()));
                }
            });
        }
        if failed {
            // The call was carried out, and it is the tool that could not do its work.
            self.failed = true;
            let (text, at) = reason.map_or(("the tool failed without a word".into(), 0..0), |raw| (json::shown(raw), source.place(raw)));
            teller.tell(Delta { kind: DeltaKind::Error, text, at, part: Part::Error { code: "isError".into() } });
        } else if let Some(kind) = outcome.kind.filter(|kind| word(Some(*kind)).is_some_and(|kind| kind != "complete")) {
            teller.control(&json::shown(kind), source.place(kind));
        }
        if teller.told() == 0 {
            let shown = outcome.server.unwrap_or(raw);
            teller.control(if outcome.server.is_some() { "initialize" } else { "result" }, source.at(shown.get()));
        }
    }
}
