//! What a `previous_response_id` can go on from. The Lab needs of the past only how long it was; ids are kept for the last
//! responses, in the order they came.

use std::collections::{HashMap, VecDeque};

/// Responses remembered.
const KEPT: usize = 1024;

/// Token counts by response id.
#[derive(Debug, Default)]
pub(crate) struct Conversations {
    tokens: HashMap<String, usize>,
    order: VecDeque<String>,
}

impl Conversations {
    /// Tokens said and heard up to and with this response; none if it is not known (any more).
    pub(crate) fn tokens(&self, id: &str) -> Option<usize> {
        self.tokens.get(id).copied()
    }

    pub(crate) fn keep(&mut self, id: String, tokens: usize) {
        if self.tokens.insert(id.clone(), tokens).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.tokens.remove(&oldest);
        }
    }
}
