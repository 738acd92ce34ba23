//! The end of a response: what of it was not told yet, its usage, and why it ended.

use std::borrow::Cow;

use super::super::calls::Ties;
use super::Responses;
use super::shapes::{Incomplete, Item, Response};
use crate::json::{self, Raw, Source, truthy, word};
use crate::report::{self, Report};
use crate::teller::Teller;

impl Responses {
    /// The whole response at its end: what of it was not told yet, then usage and how it ended.
    pub(super) fn over<'a>(&mut self, source: &Source<'a>, lane: usize, kind: &str, raw: Raw<'a>, teller: &mut Teller<'_>) {
        let response = json::members::<Response<'_>>(raw).unwrap_or_default();
        if let Some(output) = response.output {
            let state = self.at(lane);
            let streams = [state.text.any() || state.refusal.any(), state.reasoning.any() || state.summary.any()];
            let mut index = 0;
            json::each(output, |raw| {
                if let Some(item) = json::members::<Item<'_>>(raw) {
                    let reasoning = word(item.kind).is_some_and(|kind| kind == "reasoning");
                    if item.is_call() {
                        let text = |raw: Option<Raw<'a>>| word(raw).unwrap_or_default();
                        let arguments = item.arguments.or(item.input).map(json::shown).unwrap_or_default();
                        let ties = Ties { output: None, item: &text(item.id), call: &text(item.call_id) };
                        if !self.at(lane).calls.knows(ties, &text(item.name), &arguments) {
                            self.open_call(source, lane, None, &item, teller);
                        }
                    } else if !streams[usize::from(reasoning)] {
                        self.at(lane).begin();
                        self.item(source, lane, Some(index), &item, teller);
                    }
                }
                index += 1;
            });
        }
        self.at(lane).name(source, response.id, teller);
        teller.usage(source, response.usage);
        let status = word(response.status).unwrap_or_else(|| kind.strip_prefix("response.").unwrap_or(kind).to_owned().into());
        let error = truthy(response.error);
        if let Some(error) = error {
            self.gave_up(lane, report::of_member(source, error), teller);
        } else if status == "failed" {
            self.gave_up(lane, Report::plain("the response failed, without a reason"), teller);
        }
        let reason = response.incomplete.and_then(json::members::<Incomplete<'_>>).and_then(|incomplete| incomplete.reason);
        let (finish, at) = match word(reason) {
            Some(word) => (word, reason.map_or(0..0, |raw| source.place(raw))),
            None => (Cow::Borrowed(&*status), response.status.map_or(0..0, |raw| source.place(raw))),
        };
        if matches!(&*status, "in_progress" | "queued") {
            // A background response that was only taken on.
            return teller.control(&status, at);
        }
        teller.finish(&finish, at);
        // A steered response is followed by its successor, which nobody has to ask for.
        let steered = finish == "steered";
        self.at(lane).over(!steered);
        if !steered {
            teller.end(kind, 0..0);
        }
    }
}
