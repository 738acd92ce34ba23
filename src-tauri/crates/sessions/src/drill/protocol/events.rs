//! A plain event stream, as an `EventSource` asks for it (WHATWG HTML §9.2).

use std::time::Duration;

use super::{Asked, Heard, Protocol, Said};

/// The Lab's numbered events.
pub(in crate::drill) struct Events {
    count: u32,
    last_id: String,
}

impl Events {
    pub(in crate::drill) fn new(count: u32) -> Self {
        Self { count, last_id: String::new() }
    }
}

impl Protocol for Events {
    fn ask(&mut self) -> Asked {
        let mut headers = vec![("accept", "text/event-stream".to_owned()), ("cache-control", "no-cache".to_owned())];
        if !self.last_id.is_empty() {
            headers.push(("last-event-id", self.last_id.clone()));
        }
        Asked::Http { method: "GET", path: format!("/sse?count={}", self.count), headers, body: String::new() }
    }

    fn ask_again(&mut self) -> Option<Asked> {
        Some(self.ask())
    }

    fn hear(&mut self, heard: Heard<'_>) -> Vec<Said> {
        match heard {
            Heard::Event { data, id } => {
                id.clone_into(&mut self.last_id);
                // "event 7 of 60": the seventh word.
                let number = data.strip_prefix("event ").and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
                let mut said: Vec<Said> =
                    number.and_then(|n| n.checked_sub(1)).map(|n| Said::Words(format!("t{n:04}"))).into_iter().collect();
                if number == Some(self.count) {
                    said.push(Said::Whole);
                }
                said
            }
            Heard::Silent { id } => {
                id.clone_into(&mut self.last_id);
                Vec::new()
            }
            Heard::Message(_) | Heard::Body(_) => Vec::new(),
        }
    }

    /// "A few seconds", by the standard.
    fn pause(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn takes_no_for_an_answer(&self) -> bool {
        true
    }
}
