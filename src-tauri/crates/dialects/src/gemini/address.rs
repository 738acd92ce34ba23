//! Where a model is: its name and the method are part of the path.

use std::borrow::Cow;

/// The path below `base` of `method` on `model`, starting with `/`.
///
/// `base` is host and port by the SDK's convention, with or without a prefix; a base that already ends in a version (`/v1beta`) or in a
/// publisher (`/publishers/google`, as on Vertex AI) is taken at its word. `model` may be written with `models/` or `tunedModels/` before it.
pub(crate) fn path(base: &str, model: &str, method: &str) -> String {
    let base = base.trim().split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let path = base.split_once("://").map_or(base, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let mut last_two = path.rsplit('/');
    let (last, before) = (last_two.next().unwrap_or_default(), last_two.next().unwrap_or_default());
    let publisher = before == "publishers";
    let version = if publisher || is_version(last) { "" } else { "/v1beta" };
    let (collection, name) = match model.trim().split_once('/') {
        Some(("models", name)) => ("models", name),
        Some(("tunedModels", name)) if !publisher => ("tunedModels", name),
        _ => ("models", model.trim()),
    };
    format!("{version}/{collection}/{}:{method}", encoded(name))
}

fn is_version(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The last part of a URL's path: model and method.
fn last(url: &str) -> Option<(&str, &str)> {
    let path = url.split(['?', '#']).next()?;
    let (before, method) = path.rsplit_once(':')?;
    (!method.contains('/')).then_some((before, method))
}

/// The method that a URL names, e.g. `generateContent`.
pub(crate) fn method(url: &str) -> Option<&str> {
    last(url).map(|(_, method)| method)
}

/// The model that a URL names, as it would be typed: without `models/`, with what else stands before it.
pub(crate) fn model(url: &str) -> Option<String> {
    let (before, _) = last(url)?;
    if let Some((_, name)) = before.rsplit_once("/models/") {
        return Some(decoded(name).into_owned());
    }
    let (_, name) = before.rsplit_once("/tunedModels/")?;
    Some(format!("tunedModels/{}", decoded(name)))
}

/// Percent-encodes all but RFC 3986's unreserved characters: a slash in a model's name is part of the name.
fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Undoes percent-encoding; what is not UTF-8 then stays as it was.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    let bytes = name.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%').then(|| name.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok())).flatten();
        out.push(escape.unwrap_or(byte));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).map_or(Cow::Borrowed(name), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::model as named;
    use super::*;

    #[test]
    fn models_go_into_the_path_and_come_out_again() {
        for (base, model, expected) in [
            ("https://h", "gemini-3-flash", "/v1beta/models/gemini-3-flash:generateContent"),
            ("https://h/", "models/gemini-3-flash", "/v1beta/models/gemini-3-flash:generateContent"),
            ("https://h/v1beta", "m", "/models/m:generateContent"),
            ("https://h/v1alpha/", "m", "/models/m:generateContent"),
            ("https://h/gemini", "lab/steady", "/v1beta/models/lab%2Fsteady:generateContent"),
            ("https://h/vault", "m", "/v1beta/models/m:generateContent"),
            ("https://h", "tunedModels/é 1", "/v1beta/tunedModels/%C3%A9%201:generateContent"),
            ("https://h/v1/projects/p/locations/l/publishers/google", "m", "/models/m:generateContent"),
            ("https://h/v1/publishers/google?x=1", "models/m", "/models/m:generateContent"),
        ] {
            let path = path(base, model, "generateContent");
            assert_eq!(path, expected);
            assert_eq!(named(&format!("https://h{path}?alt=sse")).unwrap(), model.trim_start_matches("models/"));
            assert_eq!(method(&path), Some("generateContent"));
        }
        assert_eq!(named("https://h:80/v1/models"), None);
        assert_eq!(method("https://h:80/v1"), None);
        assert_eq!(named("/v1beta/models/a%zz:x").unwrap(), "a%zz");
    }
}
