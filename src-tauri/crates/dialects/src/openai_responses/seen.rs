//! Whether a text was already told by its deltas, so that its final, whole forms are not told again.
//!
//! A text comes up to four times: as deltas, in its `.done` event, in its part's, in its item's, and in the response's.
//! Peers leave out any of these, and the indices that tie them together.

use std::collections::HashSet;

/// What was told of one kind of text (reply, reasoning, refusal) in one response.
#[derive(Default)]
pub(crate) struct Seen {
    /// `(output_index, part index)` of the parts that were told, where events have indices.
    parts: HashSet<(u64, u64)>,
    /// The `output_index` of each.
    outputs: HashSet<u64>,
    /// The part told last.
    last: Option<(u64, u64)>,
    /// Something was told without an index since the last part or item began.
    unplaced: bool,
    /// Something was told since the last part or item began.
    open: bool,
    /// Something was told.
    any: bool,
}

impl Seen {
    /// A part or item begins.
    pub(crate) fn begin(&mut self) {
        self.unplaced = false;
        self.open = false;
    }

    /// Text of this part was told.
    pub(crate) fn mark(&mut self, output: Option<u64>, part: u64) {
        self.any = true;
        self.open = true;
        match output {
            Some(output) => {
                // Deltas of one part come in a row.
                if self.last != Some((output, part)) {
                    self.last = Some((output, part));
                    self.parts.insert((output, part));
                    self.outputs.insert(output);
                }
            }
            None => self.unplaced = true,
        }
    }

    /// Whether this part's text was told.
    pub(crate) fn part(&self, output: Option<u64>, part: u64) -> bool {
        match output {
            Some(output) => self.unplaced || self.parts.contains(&(output, part)),
            None => self.open,
        }
    }

    /// Whether any text of this item was told.
    pub(crate) fn item(&self, output: Option<u64>) -> bool {
        match output {
            Some(output) => self.unplaced || self.outputs.contains(&output),
            None => self.open,
        }
    }

    /// Whether any text of the response was told.
    pub(crate) fn any(&self) -> bool {
        self.any
    }
}
