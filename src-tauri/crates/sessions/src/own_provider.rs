//! Whether a provider that a user describes can be used.

use weir_dialects::dialect;
use weir_dialects::provider::Provider;
use weir_secrets::header::HeaderTemplate;

use crate::Error;

/// Looks at every field; the error names the first that is wrong.
pub fn check(provider: &Provider) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if provider.id.is_empty() || !provider.id.chars().all(plain) {
        return Err(wrong("Its id is to be lower-case letters, digits and hyphens.", &provider.id));
    }
    if provider.name.trim().is_empty() {
        return Err(wrong("It has no name.", ""));
    }
    if provider.dialects.is_empty() {
        return Err(wrong("It speaks no dialect.", ""));
    }
    for (id, base) in &provider.dialects {
        if dialect::find(id).is_none() {
            return Err(wrong("One of its dialects is not known.", id));
        }
        let usable = url::Url::parse(base).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "ws" | "wss") && url.has_host());
        if !usable {
            return Err(wrong("One of its base URLs is no http, https, ws or wss URL.", base));
        }
    }
    if !matches!(provider.key.as_str(), "required" | "optional" | "none") {
        return Err(wrong("Whether it wants a key is to be required, optional or none.", &provider.key));
    }
    if provider.key == "none" {
        return Ok(());
    }
    let in_query = provider.auth.strip_prefix('?').is_some_and(|query| query.contains("{key}"));
    if !in_query && HeaderTemplate::parse(&provider.auth).is_err() {
        return Err(wrong("How it wants its key is to be a header line with {key}, or ?name={key}.", &provider.auth));
    }
    Ok(())
}

fn wrong(what: &str, evidence: &str) -> Error {
    Error::new("user", "provider", what, "The provider is not kept.", evidence, "Correct it and save again.")
}
