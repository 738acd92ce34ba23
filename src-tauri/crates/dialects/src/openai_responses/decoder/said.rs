//! What the client says on a socket.

use super::shapes::ContentPart;
use crate::DeltaKind;
use crate::json::{self, Raw, Source, object_of, word};
use crate::teller::Teller;

object_of! {
    /// A message that the client sends.
    Sent {
        kind: "type",
        stream_id: "stream_id",
        input: "input",
    }
}

object_of! {
    /// An input item.
    Input {
        kind: "type",
        role: "role",
        content: "content",
        output: "output",
    }
}

/// Tells what the user says in `input`: a text, or the texts of the user's items and the results of tools.
pub(super) fn tell(source: &Source<'_>, input: Raw<'_>, teller: &mut Teller<'_>) {
    if teller.text(DeltaKind::Said, source, Some(input)) {
        return;
    }
    json::each(input, |raw| {
        let Some(item) = json::members::<Input<'_>>(raw) else {
            return;
        };
        if word(item.role).is_some_and(|role| role != "user") {
            return;
        }
        let content = item.content.or(item.output);
        if teller.text(DeltaKind::Said, source, content) {
            return;
        }
        if let Some(parts) = content {
            json::each(parts, |raw| {
                let part = json::members::<ContentPart<'_>>(raw).unwrap_or_default();
                teller.text(DeltaKind::Said, source, part.text);
            });
        }
    });
}
