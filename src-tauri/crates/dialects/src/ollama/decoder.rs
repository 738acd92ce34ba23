//! Decodes Ollama's objects: lines of a stream and whole replies, of `/api/chat` and of `/api/generate`.

use std::borrow::Cow;
use std::fmt::Write;

use super::body::stand_in;
use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, truthy, word};
use crate::report::{self, Report};
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status, Usage, strange};

object_of! {
    /// A line, or a whole reply.
    Line {
        message: "message",
        response: "response",
        thinking: "thinking",
        done: "done",
        done_reason: "done_reason",
        error: "error",
        signin: "signin_url",
        status: "status",
        prompt: "prompt_eval_count",
        output: "eval_count",
        total_duration: "total_duration",
        load_duration: "load_duration",
        prompt_duration: "prompt_eval_duration",
        output_duration: "eval_duration",
        created_at: "created_at",
    }
}

object_of! {
    /// A message, or a piece of one.
    Message {
        content: "content",
        thinking: "thinking",
        tool_calls: "tool_calls",
        images: "images",
    }
}

object_of! {
    /// A tool call.
    Call {
        id: "id",
        function: "function",
    }
}

object_of! {
    /// What is called.
    Function {
        name: "name",
        arguments: "arguments",
    }
}

/// The decoder: what must be remembered from line to line.
#[derive(Default)]
pub(super) struct Lines {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    /// How many tool calls came.
    calls: usize,
    /// `done: true` came.
    done: bool,
    /// The peer reported an error.
    failed: bool,
}

impl Decoder for Lines {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        Source::with(payload.bytes(), |source| self.line(&source, &mut teller));
    }

    fn whole(&self) -> bool {
        self.done && !self.failed
    }

    fn ended(&self) -> bool {
        self.done
    }
}

impl Lines {
    fn line(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        let line = json::object::<Line<'_>>(source.text);
        if let Some(status) = self.refused {
            let signin = line.and_then(|line| line.signin);
            self.fail(report::of_body(source, status), teller);
            return sign_in(source, signin, teller);
        }
        let Some(line) = line else {
            self.failed |= strange::tell(source, WHAT, teller);
            return;
        };
        if let Some(message) = line.message.and_then(json::members::<Message<'_>>) {
            teller.text(DeltaKind::Reasoning, source, message.thinking);
            teller.text(DeltaKind::Text, source, message.content);
            if let Some(calls) = message.tool_calls {
                json::each(calls, |raw| self.call(source, raw, teller));
            }
            if let Some(images) = message.images {
                teller.control("images", source.at(images.get()));
            }
        }
        teller.text(DeltaKind::Reasoning, source, line.thinking);
        teller.text(DeltaKind::Text, source, line.response);
        if let Some(error) = truthy(line.error) {
            self.fail(report::of_member(source, error), teller);
            sign_in(source, line.signin, teller);
        }
        if line.done.is_some_and(|done| done.get() == "true") {
            self.end(source, &line, teller);
        }
        if teller.told() == 0 {
            let own = line.message.is_some() || line.response.is_some() || line.done.is_some() && line.created_at.is_some();
            match line.status.and_then(json::content) {
                // Other endpoints of Ollama, such as the download of a model.
                Some(status) => teller.control(&json::unescaped(status), source.at(status)),
                None if own => teller.control("empty", 0..0),
                None => self.failed |= strange::tell(source, WHAT, teller),
            }
        }
    }

    fn fail(&mut self, report: Report<'_>, teller: &mut Teller<'_>) {
        self.failed = true;
        teller.tell(report.delta());
    }

    /// A call comes whole. It need not have an id, and `function.index`, where there is one, counts per reply as we do.
    fn call(&mut self, source: &Source<'_>, raw: Raw<'_>, teller: &mut Teller<'_>) {
        let Some(call) = json::members::<Call<'_>>(raw) else {
            return teller.control("tool_calls", source.at(raw.get()));
        };
        let function = call.function.and_then(json::members::<Function<'_>>).unwrap_or_default();
        let (text, at) = function.arguments.map_or((Cow::Borrowed("{}"), 0..0), |raw| (json::shown(raw), source.place(raw)));
        let id = word(call.id).unwrap_or_else(|| stand_in(self.calls).into());
        let part = Part::Tool { index: self.calls as u64, id: Some(id), name: word(function.name), whole: true };
        self.calls += 1;
        teller.tell(Delta { kind: DeltaKind::ToolCall, text, at, part });
    }

    /// The last line: counts, times, and why it is the last.
    fn end(&mut self, source: &Source<'_>, line: &Line<'_>, teller: &mut Teller<'_>) {
        // Counts of zero are left out, so what is not there is not known to be anything else.
        let usage = Usage {
            input_tokens: count(line.prompt),
            output_tokens: count(line.output),
            // What is thought is generated as well, and counted with the rest.
            output_includes_reasoning: Some(true),
            ..Usage::default()
        };
        if usage.input_tokens.or(usage.output_tokens).is_some() {
            let at = line.output.or(line.prompt).map_or(0..0, |raw| source.place(raw));
            teller.tell(Delta { part: Part::Usage(usage), ..Delta::new(DeltaKind::Usage, words(line), at) });
        }
        let times = times(line);
        if !times.is_empty() {
            teller.control(&times, line.total_duration.map_or(0..0, |raw| source.place(raw)));
        }
        if let Some(reason) = line.done_reason.filter(|reason| word(Some(*reason)).is_some()) {
            teller.finish(&json::shown(reason), source.place(reason));
        }
        self.done = true;
        teller.end("done", line.done.map_or(0..0, |raw| source.place(raw)));
    }
}

const WHAT: &str = "an Ollama reply";

/// Where to sign in, as a 401 of Ollama's cloud tells.
fn sign_in(source: &Source<'_>, url: Option<Raw<'_>>, teller: &mut Teller<'_>) {
    if let Some(url) = url.filter(|url| word(Some(*url)).is_some()) {
        teller.control(&format!("sign in at {}", json::shown(url)), source.place(url));
    }
}

fn words(line: &Line<'_>) -> String {
    let counts = [("prompt_eval_count", line.prompt), ("eval_count", line.output)];
    let told = counts.into_iter().filter_map(|(name, raw)| Some(format!("{name} {}", raw?.get())));
    told.collect::<Vec<_>>().join(", ")
}

/// The durations in words; Ollama counts nanoseconds.
fn times(line: &Line<'_>) -> String {
    let durations =
        [("load", line.load_duration), ("prompt", line.prompt_duration), ("reply", line.output_duration), ("total", line.total_duration)];
    durations.into_iter().filter_map(|(name, raw)| Some((name, count(raw)?))).fold(String::new(), |mut words, (name, nanoseconds)| {
        let comma = if words.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(words, "{comma}{name} {:.3} ms", nanoseconds as f64 / 1e6);
        words
    })
}
