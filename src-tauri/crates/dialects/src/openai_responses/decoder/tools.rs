//! Function calls: announced, in fragments, and in their final form.

use std::borrow::Cow;

use super::super::calls::{Settled, Ties};
use super::Responses;
use super::shapes::Item;
use crate::delta::Part;
use crate::json::{self, Raw, Source, word};
use crate::teller::Teller;
use crate::{Delta, DeltaKind};

impl Responses {
    /// A call begins.
    pub(super) fn open_call<'a>(
        &mut self,
        source: &Source<'a>,
        lane: usize,
        output: Option<u64>,
        item: &Item<'a>,
        teller: &mut Teller<'_>,
    ) {
        let (item_id, name) = (word(item.id).unwrap_or_default(), word(item.name).unwrap_or_default());
        let id = word(item.call_id).unwrap_or_else(|| item_id.clone());
        let arguments = item.arguments.or(item.input);
        let text = arguments.map(json::shown).unwrap_or_default();
        let key = self.key();
        let calls = &mut self.at(lane).calls;
        let at = calls.open(key, Ties { output, item: &item_id, call: &id });
        if let Some(call) = calls.get(at) {
            call.id = id.clone().into_owned();
            call.name = name.clone().into_owned();
            call.arguments = text.clone().into_owned();
        }
        let filled = |text: Cow<'a, str>| (!text.is_empty()).then_some(text);
        let part = Part::Tool { index: key, id: filled(id), name: filled(name), whole: false };
        teller.tell(Delta { kind: DeltaKind::ToolCall, text, at: arguments.map_or(0..0, |raw| source.place(raw)), part });
    }

    pub(super) fn key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key - 1
    }

    /// The call an event speaks of; one never announced is opened.
    pub(super) fn call(&mut self, lane: usize, output: Option<u64>, item: Option<Raw<'_>>, id: Option<Raw<'_>>) -> usize {
        let (item, id) = (word(item).unwrap_or_default(), word(id).unwrap_or_default());
        let ties = Ties { output, item: &item, call: &id };
        match self.at(lane).calls.find(ties) {
            Some(at) => at,
            None => {
                let key = self.key();
                self.at(lane).calls.open(key, ties)
            }
        }
    }

    /// A fragment of a call's arguments.
    pub(super) fn fragment(&mut self, source: &Source<'_>, lane: usize, at: usize, raw: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let (Some(raw), Some(call)) = (raw, self.at(lane).calls.get(at)) else {
            return;
        };
        let text = json::shown(raw);
        call.arguments.push_str(&text);
        let part = Part::Tool { index: call.key, id: None, name: None, whole: false };
        teller.tell(Delta { kind: DeltaKind::ToolCall, text, at: source.place(raw), part });
    }

    /// A call's final form: told only if it says more than the fragments did.
    pub(super) fn settle<'a>(&mut self, source: &Source<'a>, lane: usize, at: usize, told: Settled<'a>, teller: &mut Teller<'_>) {
        if let Some(delta) = self.at(lane).calls.get(at).and_then(|call| call.settle(source, told)) {
            teller.tell(delta);
        }
    }
}
