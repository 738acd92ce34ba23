//! Error reports, in every form peers send them: JSON of many shapes, an HTML page from a gateway, plain text, nothing.

use std::borrow::Cow;
use std::ops::Range;

use crate::delta::Part;
use crate::json::{self, Raw, Source, object_of, shown, truthy, word};
use crate::{Delta, DeltaKind};

/// What went wrong, in the peer's own words.
pub(crate) struct Report<'a> {
    /// The peer's code or type, or "".
    code: Cow<'a, str>,
    /// The peer's message.
    message: Cow<'a, str>,
    /// Where the message stands in the payload.
    at: Range<usize>,
}

impl<'a> Report<'a> {
    /// A report in our words, where the peer gave none.
    pub(crate) fn plain(message: &'a str) -> Self {
        Self { code: "".into(), message: message.into(), at: 0..0 }
    }

    /// The delta that carries the report.
    pub(crate) fn delta(self) -> Delta<'a> {
        Delta { kind: DeltaKind::Error, text: self.message, at: self.at, part: Part::Error { code: self.code } }
    }
}

object_of! {
    /// The members in which the world's APIs put their errors.
    Fields {
        error: "error",
        code: "code",
        kind: "type",
        status: "status",
        message: "message",
        msg: "msg",
        detail: "detail",
        description: "error_description",
        errors: "errors",
        title: "title",
        object: "object",
        loc: "loc",
    }
}

/// Tells the error of a body that came under an error status. There always is one to tell.
pub(crate) fn of_body<'a>(source: &Source<'a>, status: u16) -> Report<'a> {
    let text = source.text.trim();
    if text.is_empty() {
        return Report { code: "".into(), message: format!("HTTP {status} with an empty body").into(), at: 0..0 };
    }
    if let Ok(raw) = json::value(source.text) {
        return of_json(source, raw);
    }
    of_page(source).unwrap_or(Report { code: "".into(), message: text.into(), at: source.at(text) })
}

/// Tells the error in a payload that came as success, if the payload is an error report at all.
pub(crate) fn in_success<'a>(source: &Source<'a>, raw: Raw<'a>) -> Option<Report<'a>> {
    let fields: Fields<'_> = match raw.get().as_bytes().first() {
        // Some Google endpoints wrap their error object in an array.
        Some(b'[') => match json::elements(raw)[..] {
            [only] => json::members(only)?,
            _ => return None,
        },
        _ => json::members(raw)?,
    };
    let named = |raw: Option<Raw<'_>>| word(raw).is_some_and(|word| word == "error");
    let coded = truthy(fields.code).is_some() && word(fields.message.or(fields.msg)).is_some();
    // Some say nothing but a message: no reply is like that.
    let alone = || {
        let mut keys = 0;
        word(fields.message).is_some() && json::keys(raw, |_| keys += 1) && keys == 1
    };
    (truthy(fields.error).is_some() || named(fields.object) || named(fields.kind) || coded || alone()).then(|| of_json(source, raw))
}

/// Tells the error that a truthy `error` member holds.
pub(crate) fn of_member<'a>(source: &Source<'a>, error: Raw<'a>) -> Report<'a> {
    of_json(source, error)
}

/// Tells an HTML page by its title.
pub(crate) fn of_page<'a>(source: &Source<'a>) -> Option<Report<'a>> {
    let text = source.text.trim_start();
    if !text.starts_with('<') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|tag| {
        let start = tag + lower[tag..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(text[start..end].trim())
    });
    Some(match title.filter(|title| !title.is_empty()) {
        Some(title) => Report { code: "".into(), message: entities(title), at: source.at(title) },
        None => Report { code: "".into(), message: "an HTML page without a title".into(), at: 0..0 },
    })
}

/// The five entities that titles use.
fn entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&").into()
}

/// How deep reports may lie in one another: peers wrap twice at most, and a hostile one must not exhaust the stack.
const DEPTH: u8 = 4;

fn of_json<'a>(source: &Source<'a>, raw: Raw<'a>) -> Report<'a> {
    at_depth(source, raw, 0)
}

fn at_depth<'a>(source: &Source<'a>, raw: Raw<'a>, depth: u8) -> Report<'a> {
    let whole = |raw: Raw<'a>| Report { code: "".into(), message: shown(raw), at: source.place(raw) };
    if depth > DEPTH {
        return whole(raw);
    }
    let of_json = |source, raw| at_depth(source, raw, depth + 1);
    if let Some(first) = json::elements(raw).first().copied() {
        return of_json(source, first);
    }
    let Some(fields) = json::members::<Fields<'_>>(raw) else {
        return whole(raw);
    };
    let message = [fields.message, fields.msg, fields.description].into_iter().flatten().find(|raw| word(Some(*raw)).is_some());
    match truthy(fields.error) {
        // {"error":{…}}: the object tells it all; a code may stand beside it.
        Some(error) if error.get().starts_with('{') => {
            let mut report = of_json(source, error);
            if report.code.is_empty() {
                report.code = code(&[fields.code, fields.status]);
            }
            report
        }
        // {"error":"invalid_client","error_description":"…"}, {"error":"Bad Request","message":"…"}: the error is a code.
        Some(error) => match message {
            Some(message) => Report { code: code(&[fields.code, Some(error)]), message: shown(message), at: source.place(message) },
            None => Report { code: code(&[fields.code, fields.kind, fields.status]), message: shown(error), at: source.place(error) },
        },
        None => {
            let kind = fields.kind.filter(|kind| word(Some(*kind)).is_none_or(|kind| kind != "error"));
            let code = code(&[fields.code, kind, fields.status]);
            let told = message.or(truthy(fields.detail)).or(truthy(fields.errors)).or(fields.title).or(fields.message);
            match told {
                Some(told) if told.get().starts_with('[') => match details(told) {
                    Some(message) => Report { code, message: message.into(), at: source.at(told.get()) },
                    None => Report { code, ..of_json(source, told) },
                },
                Some(told) if told.get().starts_with('{') => {
                    let inner = of_json(source, told);
                    Report { code: if code.is_empty() { inner.code } else { code }, ..inner }
                }
                Some(told) => Report { code, message: shown(told), at: source.place(told) },
                // {"type":"insufficient_quota","code":"insufficient_quota"}: nothing but its name.
                None if !code.is_empty() => Report { message: code.clone(), code, at: source.place(raw) },
                None => whole(raw),
            }
        }
    }
}

/// The first of these that says something.
fn code<'a>(candidates: &[Option<Raw<'a>>]) -> Cow<'a, str> {
    candidates.iter().find_map(|raw| truthy(*raw)).map(shown).unwrap_or_default()
}

/// A list of validation errors, as FastAPI sends: `body.messages: Field required; …`.
fn details(list: Raw<'_>) -> Option<String> {
    let lines: Vec<String> = json::elements(list)
        .into_iter()
        .map(|entry| match json::members::<Fields<'_>>(entry) {
            Some(fields) => {
                let message = fields.msg.or(fields.message).map_or(Cow::Borrowed(entry.get()), shown);
                let path: Vec<_> = fields.loc.map(|loc| json::elements(loc).into_iter().map(shown).collect()).unwrap_or_default();
                if path.is_empty() { message.into_owned() } else { format!("{}: {message}", path.join(".")) }
            }
            None => shown(entry).into_owned(),
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}
