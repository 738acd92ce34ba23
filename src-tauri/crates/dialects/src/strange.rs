//! Payloads that say nothing in the dialect that was expected: an error report in some other shape, a gateway's page, another dialect.

use crate::json::{self, Source};
use crate::report;
use crate::teller::Teller;

/// Tells such a payload; `what` names the dialect's own payload with its article, e.g. `an Ollama line`. Whether it was an error report.
pub(crate) fn tell(source: &Source<'_>, what: &str, teller: &mut Teller<'_>) -> bool {
    if source.text.trim().is_empty() {
        teller.unknown("empty");
        return false;
    }
    match json::value(source.text) {
        Ok(raw) => {
            if let Some(report) = report::in_success(source, raw) {
                teller.tell(report.delta());
                return true;
            }
            teller.unknown(&format!("{}, not {what}", json::shape(raw)));
        }
        Err(error) => {
            if let Some(page) = report::of_page(source) {
                teller.tell(page.delta());
                return true;
            }
            if ["data:", "event:", ": "].iter().any(|start| source.text.starts_with(start)) {
                teller.unknown("not JSON: it looks like server-sent events under another media type");
            } else {
                teller.unknown(&format!("not JSON: {error}"));
            }
        }
    }
    false
}
