//! What is kept of a request: stars in place of its credentials.

use serde_json::Value;
use weir_dialects::{Ask, Call};
use weir_transport::redact::Patterns;

use super::{is_credential, of_headers, of_json, of_subprotocol, of_subprotocols, pairs, parts};
use crate::Error;
use crate::plan::Plan;
use crate::view::{Draft, HeaderLine};

/// A plan as it is kept: with stars for the credentials that were typed into it and for what else `hides` knows. The first is what the
/// library keeps, the second the plan that is read from it.
pub(crate) fn kept(plan: &Plan, hides: &Patterns) -> (String, Plan) {
    let mut starred = plan.clone();
    star(&mut starred.draft);
    starred.call.headers.iter_mut().for_each(|line| line.value = starred_value(&line.name, &line.value));
    starred.call.url = starred_url(&starred.call.url);
    starred_names(&mut starred.call.subprotocols);
    starred.proxy = starred_proxy(&starred.proxy);
    if let Some(console) = &mut starred.console {
        console.headers.iter_mut().for_each(|line| line.value = starred_value(&line.name, &line.value));
        console.url = starred_url(&console.url);
        starred_names(&mut console.subprotocols);
    }
    let mut value = serde_json::to_value(&starred).unwrap_or_default();
    scrub(&mut value, hides, true);
    let text = value.to_string();
    // It cannot be read where a secret is spelt like one of the plan's own words: then nothing of the request is kept.
    let read = serde_json::from_value(value).unwrap_or_else(|_| Plan {
        draft: Draft { ask: Ask::default(), headers: Vec::new(), base_url: None, url: None, ..starred.draft.clone() },
        call: Call::post("", Vec::new(), String::new()),
        console: None,
        ..starred
    });
    (text, read)
}

/// Stars for the credentials that stand in a draft's fields and addresses.
pub(crate) fn star(draft: &mut Draft) {
    draft.headers.iter_mut().for_each(|line| line.value = starred_value(&line.name, &line.value));
    for url in [&mut draft.url, &mut draft.base_url].into_iter().flatten() {
        *url = starred_url(url);
    }
    if let Some(body) = &mut draft.ask.raw_body {
        *body = starred_json(body);
    }
}

/// What a view remembers between runs, drafts among it, as it is kept: with stars for the credentials that were typed into it. A text
/// that is no JSON stays as it is.
pub fn remembered(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let before = value.clone();
    star_fields(&mut value);
    if value == before { text.to_owned() } else { value.to_string() }
}

/// Stars for the credentials in drafts, wherever they stand in `value`.
pub(crate) fn star_fields(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(star_fields),
        Value::Object(members) => {
            // A field line: its name tells.
            let name = members.get("name").and_then(Value::as_str).map(str::to_owned);
            // A message that was saved to be sent again.
            let saved = members.contains_key("form");
            for (member, value) in members.iter_mut() {
                match (member.as_str(), value) {
                    ("value", Value::String(text)) => *text = starred_value(name.as_deref().unwrap_or_default(), text),
                    ("url" | "baseUrl", Value::String(url)) => *url = starred_url(url),
                    ("body" | "rawBody" | "raw_body" | "reply", Value::String(text)) => *text = starred_json(text),
                    ("text", Value::String(text)) if saved => *text = starred_json(text),
                    ("subprotocols", Value::Array(names)) => {
                        let mut texts: Vec<String> = names.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect();
                        starred_names(&mut texts);
                        *names = texts.into_iter().map(Value::String).collect();
                    }
                    (_, other) => star_fields(other),
                }
            }
        }
        _ => {}
    }
}

/// Scrubs every text of a plan but the words that say what it is.
fn scrub(value: &mut Value, hides: &Patterns, top: bool) {
    /// Members of the plan, its draft and its console that hold words of Weir's own.
    const OWN: [&str; 6] = ["dialect", "provider", "transport", "http", "mode", "key"];
    match value {
        Value::String(text) => *text = hides.scrub(text),
        Value::Array(values) => values.iter_mut().for_each(|value| scrub(value, hides, false)),
        Value::Object(members) => {
            for (name, value) in members.iter_mut().filter(|(name, _)| !(top && OWN.contains(&name.as_str()))) {
                scrub(value, hides, top && matches!(name.as_str(), "draft" | "console"));
            }
        }
        _ => {}
    }
}

fn stars(secret: &str) -> String {
    "*".repeat(secret.chars().count())
}

pub(super) fn starred_value(name: &str, value: &str) -> String {
    let line = [HeaderLine { name: name.to_owned(), value: value.to_owned() }];
    // The longest first: one may be a part of another.
    let mut secrets = of_headers(&line);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    secrets.iter().fold(value.to_owned(), |value, secret| value.replace(secret.expose(), &stars(secret.expose())))
}

/// The URL with stars for the credentials in its query.
pub(crate) fn starred_url(url: &str) -> String {
    let mut starred = url.to_owned();
    // From the end, so that places stay true.
    for (at, value) in pairs(url).into_iter().rev() {
        starred.replace_range(at..at + value.len(), &stars(value));
    }
    starred
}

pub(super) fn starred_json(text: &str) -> String {
    of_json(text).iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), &stars(secret.expose())))
}

/// A proxy's URL without its password.
fn starred_proxy(proxy: &str) -> String {
    match url::Url::parse(proxy) {
        Ok(mut url) if url.password().is_some() => {
            // It has a host, so it can have a password.
            let _ = url.set_password(Some("***"));
            url.into()
        }
        _ => proxy.to_owned(),
    }
}

pub(super) fn starred_names(names: &mut [String]) {
    let mut before = String::new();
    for name in names {
        let given = name.trim().to_owned();
        if let Some(key) = of_subprotocol(&before, &given) {
            *name = given.replace(key, &stars(key));
        }
        before = given;
    }
}

/// Refuses what stars are left of: it was not kept and cannot be sent. `texts` are bodies and messages.
///
/// # Errors
/// `not-kept`, by blame of the user, with the place that is to be filled in anew.
pub(crate) fn whole(headers: &[HeaderLine], urls: &[Option<&str>], subprotocols: &[String], texts: &[&str]) -> Result<(), Error> {
    let is_starred = |text: &str| !text.is_empty() && text.bytes().all(|b| b == b'*');
    let gone = |line: &&HeaderLine| is_credential(&line.name) && parts(&line.name, line.value.trim()).iter().any(|part| is_starred(part));
    let (what, evidence) = if let Some(line) = headers.iter().find(gone) {
        (format!("The value of {}", line.name), format!("{}: {}", line.name, line.value))
    } else if let Some(url) = urls.iter().flatten().find(|url| pairs(url).iter().any(|(_, value)| is_starred(value))) {
        ("The key in the address".to_owned(), (*url).to_owned())
    } else if of_subprotocols(subprotocols).iter().any(|key| is_starred(key.expose())) {
        ("The key among the subprotocols".to_owned(), subprotocols.join(", "))
    } else if texts.iter().flat_map(|text| of_json(text)).any(|secret| is_starred(secret.expose())) {
        ("The key in the message".to_owned(), "A member that holds a key says nothing but stars.".to_owned())
    } else {
        return Ok(());
    };
    Err(Error::new(
        "user",
        "not-kept",
        format!("{what} was not kept."),
        "Nothing was sent.",
        evidence,
        "Type it again, or write {key} and choose a key of the keychain.",
    ))
}
