//! Function calls: whole ones, and on Vertex AI those whose arguments come as patches.

use std::borrow::Cow;

use super::body::MADE;
use super::patches::{Fragment, Patched};
use crate::delta::Part;
use crate::json::{self, Raw, Source, object_of, string, truthy, word};
use crate::teller::Teller;
use crate::{Delta, DeltaKind};

object_of! {
    /// `functionCall`.
    Fields {
        id: "id",
        name: "name",
        args: "args",
        partial: "partialArgs",
        will_continue: "willContinue",
    }
}

object_of! {
    /// An element of `partialArgs`.
    Patch {
        path: "jsonPath",
        text: "stringValue",
        number: "numberValue",
        boolean: "boolValue",
        will_continue: "willContinue",
    }
}

/// The calls of one response, or of all turns on a socket.
#[derive(Default)]
pub(crate) struct Calls {
    /// The next call's key; never starts again.
    next: u64,
    /// The call whose arguments are still to come.
    open: Option<Open>,
}

struct Open {
    key: u64,
    id: String,
    arguments: Patched,
}

impl Calls {
    /// Tells a `functionCall`; its key. A call without an id is given one, since results are matched by it.
    pub(crate) fn tell(&mut self, source: &Source<'_>, raw: Raw<'_>, teller: &mut Teller<'_>) -> u64 {
        let fields = json::members::<Fields<'_>>(raw).unwrap_or_default();
        let id = word(fields.id);
        // A fragment that names no function, or the open call's own id, goes on with the open call.
        let goes_on = |open: &Open| word(fields.name).is_none() || id.as_deref() == Some(&open.id);
        let more = truthy(fields.will_continue).is_some();
        if self.open.as_ref().is_some_and(goes_on) {
            return self.go_on(source, &fields, more, teller);
        }
        self.close(teller);
        let key = self.next;
        self.next += 1;
        let id = id.unwrap_or_else(|| Cow::Owned(format!("{MADE}{}", key + 1)));
        let mut open = Open { key, id: id.clone().into_owned(), arguments: Patched::default() };
        let part = Part::Tool { index: key, id: Some(id), name: word(fields.name), whole: false };
        if more || fields.partial.is_some() {
            teller.tell(Delta { part, ..Delta::new(DeltaKind::ToolCall, "", 0..0) });
            open.patch(source, fields.partial, teller);
            self.open = Some(open);
            if !more {
                self.close(teller);
            }
        } else {
            let (text, at) = fields.args.map_or(("{}", 0..0), |args| (args.get(), source.at(args.get())));
            teller.tell(Delta { part, ..Delta::new(DeltaKind::ToolCall, text, at) });
        }
        key
    }

    fn go_on(&mut self, source: &Source<'_>, fields: &Fields<'_>, more: bool, teller: &mut Teller<'_>) -> u64 {
        let Some(open) = &mut self.open else {
            return self.next;
        };
        let key = open.key;
        open.patch(source, fields.partial, teller);
        if let Some(args) = fields.args.filter(|args| truthy(Some(*args)).is_some()) {
            // All of them after all.
            let part = Part::Tool { index: key, id: None, name: None, whole: true };
            teller.tell(Delta { part, ..Delta::new(DeltaKind::ToolCall, args.get(), source.at(args.get())) });
            self.open = None;
        } else if !more {
            self.close(teller);
        }
        key
    }

    /// No more comes of the call that is open.
    pub(crate) fn close(&mut self, teller: &mut Teller<'_>) {
        if let Some(open) = self.open.take() {
            let end = open.arguments.end();
            tell(open.key, end.text.into(), 0..0, end.whole, teller);
        }
    }
}

impl Open {
    fn patch(&mut self, source: &Source<'_>, patches: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let Some(patches) = patches else { return };
        json::each(patches, |raw| {
            let patch = json::members::<Patch<'_>>(raw).unwrap_or_default();
            let path = patch.path.and_then(string).unwrap_or_default();
            let more = truthy(patch.will_continue).is_some();
            let value = match [patch.text, patch.number, patch.boolean].into_iter().flatten().next() {
                Some(value) => value.get(),
                // `null` counts as absent everywhere else; here it is one of the values.
                None if has_null(raw) => "null",
                // An empty string need not be written.
                None => "\"\"",
            };
            match self.arguments.apply(&path, value, more) {
                Some(Fragment { text, .. }) if text.is_empty() => teller.control("partialArgs", source.at(raw.get())),
                Some(fragment) => {
                    let content = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
                    // Only what goes in as it came has a place: a piece of a string, without what is put around it.
                    let at = if fragment.text == content && !content.contains('\\') { source.at(content) } else { 0..0 };
                    tell(self.key, fragment.text.into(), at, fragment.whole, teller);
                }
                None => teller.unknown(&format!("a patch of arguments that does not fit: {path}")),
            }
        });
    }
}

fn has_null(patch: Raw<'_>) -> bool {
    let mut found = false;
    json::keys(patch, |key| found |= key == "nullValue");
    found
}

fn tell(key: u64, text: Cow<'_, str>, at: std::ops::Range<usize>, whole: bool, teller: &mut Teller<'_>) {
    let part = Part::Tool { index: key, id: None, name: None, whole };
    teller.tell(Delta { part, ..Delta::new(DeltaKind::ToolCall, text, at) });
}
