//! What a target's URL says: where to connect and what to ask for.

use url::{Host, Url};

use crate::redact::percent_encode;
use crate::{Blame, Error, Target, Value};

/// The place in a template that the key takes.
const KEY: &str = "{key}";
/// As [`KEY`], in Base64: for `Basic {key:base64}`.
const KEY_BASE64: &str = "{key:base64}";

/// A target's URL, checked.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// The scheme asks for TLS.
    pub(crate) tls: bool,
    /// The scheme is `ws` or `wss`.
    pub(crate) websocket: bool,
}

impl Endpoint {
    pub(crate) fn parse(target: &Target) -> Result<Self, Error> {
        let bad = |message: String, evidence: String| {
            Error::new(Blame::User, "bad-url", message)
                .evidence(quoted(&evidence))
                .next("Write the whole address, e.g. https://api.example.com/v1/chat/completions.")
        };
        let url = Url::parse(&target.url).map_err(|error| bad(format!("The URL cannot be read: {error}."), target.url.clone()))?;
        let (tls, websocket) = match url.scheme() {
            "http" => (false, false),
            "https" => (true, false),
            "ws" => (false, true),
            "wss" => (true, true),
            scheme => {
                return Err(Error::new(Blame::User, "unsupported-scheme", format!("Weir does not speak {scheme}."))
                    .evidence(format!("{scheme}: in the URL"))
                    .next("Use http, https, ws or wss."));
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            // The URL is shown and stored: credentials have no place in it.
            return Err(bad("The URL holds a user name or password.".into(), url.host_str().unwrap_or_default().into())
                .next("Take it out of the URL and store it as the key; send it with a header `Authorization: Basic {key:base64}`."));
        }
        let host = url.host().map(|host| host.to_owned()).ok_or_else(|| bad("The URL names no host.".into(), target.url.clone()))?;
        let port = url.port_or_known_default().unwrap_or(if tls { 443 } else { 80 });
        if port == 0 {
            return Err(bad("Port 0 cannot be connected to.".into(), target.url.clone()));
        }
        Ok(Self { url, host, port, tls, websocket })
    }

    /// The URL for the log: the key is still `{key}`, the fragment is not sent.
    pub(crate) fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_fragment(None);
        url.into()
    }

    /// The Host field: without the scheme's default port.
    pub(crate) fn authority(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }

    /// `host:port`, as CONNECT wants it.
    pub(crate) fn host_and_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Path and query as they are sent, with the key in the query.
    pub(crate) fn path_and_query(&self, target: &Target) -> Result<String, Error> {
        let mut path = self.url.path().to_owned();
        if let Some(query) = self.url.query() {
            path.push('?');
            // The URL standard leaves braces in a query alone; a URL that was copied may have them encoded.
            let query = query.replace("%7Bkey%7D", KEY).replace("%7bkey%7d", KEY);
            if query.contains(KEY) {
                path.push_str(&query.replace(KEY, &percent_encode(key(target, "the query")?)));
            } else {
                path.push_str(&query);
            }
        }
        Ok(path)
    }
}

/// A field's value as it is sent, and whether it is secret. `name` is for the error's words.
pub(crate) fn fill(value: &Value, target: &Target, name: &str) -> Result<(String, bool), Error> {
    use base64::prelude::{BASE64_STANDARD, Engine};
    match value {
        Value::Plain(text) => Ok((text.clone(), false)),
        Value::Keyed(template) if template.contains(KEY) || template.contains(KEY_BASE64) => {
            let key = key(target, name)?;
            Ok((template.replace(KEY, key).replace(KEY_BASE64, &BASE64_STANDARD.encode(key)), true))
        }
        Value::Keyed(text) => Ok((text.clone(), true)),
    }
}

/// What the user typed, unless it may hold a password.
fn quoted(text: &str) -> String {
    if text.contains('@') { "The URL is not shown: it may hold a password.".into() } else { format!("the URL {text:?}") }
}

fn key<'a>(target: &'a Target, place: &str) -> Result<&'a str, Error> {
    match &target.key {
        Some(key) if !key.is_empty() => Ok(key.expose()),
        _ => Err(Error::new(Blame::Configuration, "no-key", "The request needs a key, and none is set.")
            .evidence(format!("{{key}} in {place}"))
            .next("Set the provider's key, or take {key} out of the request.")),
    }
}
