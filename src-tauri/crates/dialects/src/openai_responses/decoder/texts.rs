//! Texts: as deltas, and in the final forms of parts and items, which say no more than the deltas did.

use super::super::calls::Settled;
use super::Responses;
use super::lane::Stream;
use super::shapes::{ContentPart, Item};
use crate::delta::Part;
use crate::json::{self, Raw, Source, word};
use crate::teller::Teller;
use crate::{Delta, DeltaKind};

impl Responses {
    /// A delta of a text.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn fresh(
        &mut self,
        source: &Source<'_>,
        lane: usize,
        stream: Stream,
        output: Option<u64>,
        part: u64,
        text: Option<Raw<'_>>,
        teller: &mut Teller<'_>,
    ) {
        let Some(content) = text.and_then(json::content).filter(|content| !content.is_empty()) else {
            return;
        };
        let said = json::unescaped(content);
        let lane = self.at(lane);
        lane.kept[stream as usize].push(output, part, &said);
        lane.seen(stream).mark(output, part);
        teller.tell(Delta::new(stream.kind(), said, source.at(content)));
    }

    /// A part's whole text: told only if its deltas were not, or said something else.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn part(
        &mut self,
        source: &Source<'_>,
        lane: usize,
        stream: Stream,
        output: Option<u64>,
        part: u64,
        text: Option<Raw<'_>>,
        teller: &mut Teller<'_>,
    ) {
        let lane = self.at(lane);
        if !lane.seen(stream).part(output, part) {
            if let Some(said) = text.and_then(json::string).filter(|said| !said.is_empty()) {
                lane.kept[stream as usize].push(output, part, &said);
            }
            if teller.text(stream.kind(), source, text) {
                lane.seen(stream).mark(output, part);
            }
            return;
        }
        let whole = text.and_then(json::string).and_then(|said| lane.kept[stream as usize].corrected(output, part, &said));
        if let Some(whole) = whole {
            teller.tell(Delta { part: Part::Whole, ..Delta::new(stream.kind(), whole, 0..0) });
        }
    }

    /// A whole item: what of it was not told yet.
    pub(super) fn item<'a>(&mut self, source: &Source<'a>, lane: usize, output: Option<u64>, item: &Item<'a>, teller: &mut Teller<'_>) {
        if item.is_call() {
            let at = self.call(lane, output, item.id, item.call_id);
            let told = Settled { id: item.call_id, name: item.name, arguments: item.arguments.or(item.input) };
            self.settle(source, lane, at, told, teller);
            if let Some(call) = self.at(lane).calls.get(at) {
                call.done = true;
            }
            return;
        }
        let lane = self.at(lane);
        // Valid in the item's final form alone.
        if let Some((raw, seal)) = item.encrypted.and_then(|raw| Some((raw, word(Some(raw))?)))
            && lane.sealed != *seal
        {
            lane.sealed = seal.clone().into_owned();
            teller.tell(Delta { part: Part::Signature { call: None }, ..Delta::new(DeltaKind::Control, seal, source.place(raw)) });
        }
        // Raw reasoning and its summary are two views of one thought: where one was told, the item's copy of the other is not.
        let thought = lane.reasoning.item(output) || lane.summary.item(output);
        let before = [lane.text.item(output), thought, thought, lane.refusal.item(output)];
        for (list, summary) in [(item.summary, true), (item.content, false)] {
            let Some(list) = list else { continue };
            let mut part = 0;
            json::each(list, |raw| {
                if let Some(said) = json::members::<ContentPart<'_>>(raw) {
                    let (stream, text) = said.stream(summary);
                    if !before[stream as usize] && teller.text(stream.kind(), source, text) {
                        lane.seen(stream).mark(output, part);
                    }
                }
                part += 1;
            });
        }
    }
}
