//! Credentials that a user types into a request as they are, not by way of the keychain. They go out as they stand, and are kept out
//! of the library all the same: the log, the plan and every export have stars in their place.
//!
//! They are told by the names they stand under: of a header field, of a member of the query, of a member of a JSON body or message; and
//! by the forms in which a subprotocol carries one.

mod kept;
#[cfg(test)]
mod tests;

use serde_json::Value;
use weir_secrets::Secret;

use crate::plan::Plan;
use crate::view::HeaderLine;

pub use kept::remembered;
pub(crate) use kept::{kept, star, star_fields, starred_url, whole};

/// Ends of words in a name that say its value is a credential: `Authorization`, `X-Api-Key`, `access_token`, `X-CSRFToken`, …
const WORDS: [&str; 8] = ["authorization", "auth", "cookie", "key", "token", "secret", "password", "signature"];

/// Words in a name that say its value is none all the same: the handshake's own, what tells of caches, where a list goes on.
const INNOCENT: [&str; 5] = ["websocket", "surrogate", "idempotency", "cache", "page"];

/// Ends of the names that credentials have in JSON, small and without hyphens and underscores: `xi_api_key`, `accessToken`, …
const MEMBERS: [&str; 12] = [
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "accesstoken",
    "authtoken",
    "bearertoken",
    "refreshtoken",
    "secret",
    "password",
    "authorization",
];

/// A member's value that is shorter stands for one (`string`, `null`), and starring it out would eat ordinary words.
const SHORTEST_MEMBER: usize = 8;

/// A value of a member called `token` may be a word of a text; one of this length and without spaces is none.
const SHORTEST_TOKEN: usize = 16;

/// The field in which subprotocols are offered.
const SUBPROTOCOLS: &str = "sec-websocket-protocol";

/// Whether a field of this name carries a credential.
fn is_credential(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let says = |word: &str| WORDS.iter().any(|end| word.ends_with(end));
    let mut words = name.split(['-', '_', '.']);
    name == SUBPROTOCOLS || words.clone().any(says) && !words.any(|word| INNOCENT.contains(&word))
}

/// The secret part of each credential among `headers`: of `Bearer X` the `X`, of a cookie each value. Values that stand for the stored
/// key (`{key}`) hold none.
pub fn of_headers(headers: &[HeaderLine]) -> Vec<Secret> {
    let typed = headers.iter().filter(|line| is_credential(&line.name) && !line.value.contains("{key"));
    typed.flat_map(|line| parts(&line.name, line.value.trim())).filter(|part| !part.is_empty()).map(Secret::new).collect()
}

fn parts<'a>(name: &str, value: &'a str) -> Vec<&'a str> {
    let name = name.trim().to_ascii_lowercase();
    if name == "cookie" {
        return value.split(';').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.trim().trim_matches('"')).collect();
    }
    if name == SUBPROTOCOLS {
        let mut before = "";
        return value.split(',').map(str::trim).filter_map(|name| of_subprotocol(std::mem::replace(&mut before, name), name)).collect();
    }
    match value.split_once(' ') {
        Some((_, rest)) if name.ends_with("authorization") => vec![rest.trim()],
        _ => vec![value],
    }
}

/// The credentials in a URL's query, each as it is written and, where that differs, as a server reads it.
pub fn of_url(url: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    for (_, value) in pairs(url) {
        // A plus stands for itself in a key, whatever forms make of it.
        let form = format!("v={}", value.replace('+', "%2B"));
        let read = url::form_urlencoded::parse(form.as_bytes()).next().map_or_else(String::new, |(_, value)| value.into_owned());
        // `Authorization=Bearer%20…`, as Azure takes it.
        let bare = read.split_once(' ').map_or(read.as_str(), |(_, rest)| rest);
        found.extend([value, bare].into_iter().filter(|part| !part.is_empty()).map(Secret::new));
    }
    found
}

/// The members of a URL's query that are credentials: where the value begins, and the value.
fn pairs(url: &str) -> Vec<(usize, &str)> {
    let Some(query) = url.find('?') else { return Vec::new() };
    let end = url.find('#').filter(|end| *end > query).unwrap_or(url.len());
    let mut at = query + 1;
    let mut found = Vec::new();
    for pair in url[at..end].split('&') {
        if let Some((name, value)) = pair.split_once('=')
            && is_of_query(name)
            && !value.is_empty()
            && !value.contains("{key")
        {
            found.push((at + name.len() + 1, value));
        }
        at += pair.len() + 1;
    }
    found
}

fn is_of_query(name: &str) -> bool {
    // accessToken is access and Token.
    let mut apart = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && apart.ends_with(|last: char| last.is_ascii_lowercase()) {
            apart.push('_');
        }
        apart.push(c.to_ascii_lowercase());
    }
    let mut words = apart.split(['_', '-', '.']).rev();
    // The last word alone: `keyword` and `token_limit` are no credentials. `sig` is Azure's.
    let says = |last: &str| WORDS.contains(&last) || matches!(last, "apikey" | "sig");
    words.next().is_some_and(says) && !words.any(|word| INNOCENT.contains(&word))
}

/// The credentials among subprotocols: `openai-insecure-api-key.K`, `xai-client-secret.V`, and what follows `token` or `bearer`.
pub fn of_subprotocols(names: &[String]) -> Vec<Secret> {
    let mut before = "";
    names.iter().filter_map(|name| of_subprotocol(std::mem::replace(&mut before, name.trim()), name.trim())).map(Secret::new).collect()
}

fn of_subprotocol<'a>(before: &str, name: &'a str) -> Option<&'a str> {
    let named = |(scheme, _): &(&str, &str)| {
        let scheme = scheme.to_ascii_lowercase();
        ["key", "secret", "token", "bearer"].iter().any(|word| scheme.ends_with(word))
    };
    let found = if ["token", "bearer"].iter().any(|word| before.eq_ignore_ascii_case(word)) {
        Some(name)
    } else {
        // A key may have dots of its own.
        name.match_indices('.').map(|(dot, _)| (&name[..dot], &name[dot + 1..])).find(named).map(|(_, key)| key)
    };
    found.filter(|key| !key.is_empty() && !key.contains("{key"))
}

/// The credentials in JSON, as a body or the first message of a socket carries them; `text` may be several values one after another.
pub fn of_json(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    // Most texts hold none, and reading a large one takes its time.
    let ends = ["ey\"", "EY\"", "oken\"", "OKEN\"", "ecret\"", "ECRET\"", "assword\"", "ASSWORD\"", "uthorization\"", "AUTHORIZATION\""];
    if !ends.iter().any(|end| memchr::memmem::find(text.as_bytes(), end.as_bytes()).is_some()) {
        return found;
    }
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let Ok(value) = value else { break };
        gather(&value, &mut found);
    }
    found
}

fn gather(value: &Value, found: &mut Vec<Secret>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) => found.extend(of_member(name, text).map(Secret::new)),
                    other => gather(other, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
        _ => {}
    }
}

/// The secret part of a member's value, if it is a credential.
fn of_member<'a>(name: &str, value: &'a str) -> Option<&'a str> {
    let name: String = name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect();
    let value = value.trim();
    let bare = match value.split_once(' ') {
        Some((scheme, rest)) if name == "authorization" && scheme.bytes().all(|b| b.is_ascii_alphabetic()) => rest.trim(),
        _ => value,
    };
    let fits = if name == "token" { bare.len() >= SHORTEST_TOKEN } else { MEMBERS.iter().any(|end| name.ends_with(end)) };
    (fits && bare.len() >= SHORTEST_MEMBER && bare.bytes().all(|b| b.is_ascii_graphic()) && !bare.contains("{key")).then_some(bare)
}

/// All credentials that stand in a plan as they are.
pub(crate) fn of_plan(plan: &Plan) -> Vec<Secret> {
    let line = |header: &weir_dialects::Header| HeaderLine { name: header.name.clone(), value: header.value.clone() };
    let call = &plan.call;
    let mut found = of_headers(&call.headers.iter().map(line).collect::<Vec<_>>());
    found.extend(of_url(&call.url));
    found.extend(of_subprotocols(&call.subprotocols));
    found.extend(of_json(&call.body));
    let form = |header: &weir_dialects::Header| {
        header.name.eq_ignore_ascii_case("content-type") && header.value.to_ascii_lowercase().contains("x-www-form-urlencoded")
    };
    if call.headers.iter().any(form) {
        // As a token endpoint is asked: `grant_type=client_credentials&client_secret=…` (RFC 6749, section 4.4.2).
        found.extend(of_url(&format!("?{}", call.body)));
    }
    found.extend(call.messages.iter().flat_map(|message| of_json(&message.text)));
    if let Some(console) = &plan.console {
        found.extend(console.rules.iter().flat_map(|rule| of_json(&rule.reply)));
    }
    found
}
