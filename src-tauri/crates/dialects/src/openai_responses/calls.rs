//! The function calls of one response, and which of them an event speaks of.

use std::collections::HashMap;

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
