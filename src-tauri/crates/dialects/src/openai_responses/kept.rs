//! The text of one kind, part by part, as its deltas add up: what a part's final form is held against.

/// The parts told so far, in order of appearance.
#[derive(Default)]
pub(super) struct Kept {
    parts: Vec<Part>,
    /// A part or item began since the last text without an index came.
    fresh: bool,
}

struct Part {
    output: Option<u64>,
    part: u64,
    text: String,
}

impl Kept {
    /// A part or item begins.
    pub(super) fn begin(&mut self) {
        self.fresh = true;
    }

    /// Text of a part came.
    pub(super) fn push(&mut self, output: Option<u64>, part: u64, text: &str) {
        let fresh = std::mem::take(&mut self.fresh) && output.is_none();
        match self.find(output, part).filter(|_| !fresh) {
            Some(at) => self.parts[at].text.push_str(text),
            None => self.parts.push(Part { output, part, text: text.to_owned() }),
        }
    }

    /// Takes a part's final form. All the text of this kind, if it is not what the deltas said; `None` if it is, or if no delta of that
    /// part came. Without an index only a longer form of the part told last is believed to be of that part.
    pub(super) fn corrected(&mut self, output: Option<u64>, part: u64, whole: &str) -> Option<String> {
        if whole.is_empty() {
            return None;
        }
        let at = self.find(output, part)?;
        let known = &mut self.parts[at].text;
        if known == whole || output.is_none() && !whole.starts_with(known.as_str()) {
            return None;
        }
        whole.clone_into(known);
        Some(self.parts.iter().map(|part| part.text.as_str()).collect())
    }

    fn find(&self, output: Option<u64>, part: u64) -> Option<usize> {
        match output {
            Some(_) => self.parts.iter().rposition(|known| known.output == output && known.part == part),
            None => self.parts.len().checked_sub(1).filter(|at| self.parts[*at].output.is_none()),
        }
    }
}
