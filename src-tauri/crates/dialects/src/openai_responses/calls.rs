//! The function calls of one response, and which of them an event speaks of.

use std::collections::HashMap;

use crate::delta::Part;
use crate::json::{self, Raw, Source, word};
use crate::{Delta, DeltaKind};

/// A function call under way.
#[derive(Default)]
pub(crate) struct Call {
    /// Key of its deltas.
    pub(crate) key: u64,
    /// Call id: what the result is to name.
    pub(crate) id: String,
    /// Function name.
    pub(crate) name: String,
    /// Arguments told so far.
    pub(crate) arguments: String,
    /// Its item is done.
    pub(crate) done: bool,
    /// Where its item stands, where the peer says so.
    output: Option<u64>,
}

/// A call's final form.
#[derive(Clone, Copy)]
pub(crate) struct Settled<'a> {
    /// Call id.
    pub(crate) id: Option<Raw<'a>>,
    /// Function name.
    pub(crate) name: Option<Raw<'a>>,
    /// Arguments, as a string that holds JSON.
    pub(crate) arguments: Option<Raw<'a>>,
}

impl Call {
    /// Takes the final form; a delta where it says more than the fragments did.
    pub(crate) fn settle<'a>(&mut self, source: &Source<'a>, told: Settled<'a>) -> Option<Delta<'a>> {
        let id = word(told.id).filter(|id| *id != self.id);
        let name = word(told.name).filter(|name| *name != self.name);
        let arguments = told.arguments.filter(|raw| json::shown(*raw) != self.arguments);
        if id.is_none() && name.is_none() && arguments.is_none() {
            return None;
        }
        if let Some(id) = &id {
            self.id = id.clone().into_owned();
        }
        if let Some(name) = &name {
            self.name = name.clone().into_owned();
        }
        let text = arguments.map(json::shown).unwrap_or_default();
        if arguments.is_some() {
            self.arguments = text.clone().into_owned();
        }
        let part = Part::Tool { index: self.key, id, name, whole: arguments.is_some() };
        Some(Delta { kind: DeltaKind::ToolCall, text, at: arguments.map_or(0..0, |raw| source.place(raw)), part })
    }
}

/// What an event tells of the call it speaks of.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ties<'a> {
    /// `output_index`.
    pub(crate) output: Option<u64>,
    /// `item_id`, or "".
    pub(crate) item: &'a str,
    /// `call_id`, or "".
    pub(crate) call: &'a str,
}

/// The calls, in order of appearance.
#[derive(Default)]
pub(crate) struct Calls {
    list: Vec<Call>,
    by_output: HashMap<u64, usize>,
    by_item: HashMap<String, usize>,
    by_call: HashMap<String, usize>,
}

impl Calls {
    /// The call that `ties` belong to: by output index (the only tie that some peers keep stable), else by item id, else by call id,
    /// else the last, if it is under way and nothing speaks against it.
    pub(crate) fn find(&self, ties: Ties<'_>) -> Option<usize> {
        let output = ties.output.and_then(|output| self.by_output.get(&output));
        let told = output.or_else(|| self.by_item.get(ties.item)).or_else(|| self.by_call.get(ties.call)).copied();
        told.or_else(|| {
            let last = self.list.len().checked_sub(1)?;
            let call = &self.list[last];
            (!call.done && (ties.output.is_none() || call.output.is_none())).then_some(last)
        })
    }

    /// Opens a call.
    pub(crate) fn open(&mut self, key: u64, ties: Ties<'_>) -> usize {
        let at = self.list.len();
        self.list.push(Call { key, output: ties.output, ..Call::default() });
        if let Some(output) = ties.output {
            self.by_output.insert(output, at);
        }
        for (map, tie) in [(&mut self.by_item, ties.item), (&mut self.by_call, ties.call)] {
            if !tie.is_empty() {
                map.insert(tie.to_owned(), at);
            }
        }
        at
    }

    /// A call that was found or opened here.
    pub(crate) fn get(&mut self, at: usize) -> Option<&mut Call> {
        self.list.get_mut(at)
    }

    /// Whether the call of a final item was told: the same ids, or if those changed the same function with the same arguments.
    pub(crate) fn knows(&self, ties: Ties<'_>, name: &str, arguments: &str) -> bool {
        self.by_item.contains_key(ties.item)
            || self.by_call.contains_key(ties.call)
            || self.list.iter().any(|call| call.name == name && call.arguments == arguments)
    }
}
