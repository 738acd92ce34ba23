//! Where a call goes: the endpoint's URL from a base URL, and the key's place in the request.

use url::Url;

use crate::{AskError, Header, Transport};

/// The endpoint's URL. `base` follows the dialect's official SDK and `path` (starting with `/`) is put below it, unless it stands
/// there already; with `whole`, `base` is the endpoint. WebSocket gives `ws`/`wss`, all else `http`/`https`, whichever of the two was given.
pub(crate) fn url(base: &str, path: &str, whole: bool, transport: Transport) -> Result<Url, AskError> {
    let fault = |why: &str| AskError::Url { url: base.to_owned(), why: why.to_owned() };
    let base_trimmed = base.trim();
    let authority = base_trimmed.split(['?', '#']).next().unwrap_or_default();
    if let Some((_, rest)) = authority.split_once('{') {
        let name = rest.split('}').next().unwrap_or(rest);
        return Err(fault(&format!("{{{name}}} is to be filled in")));
    }
    let mut url = Url::parse(base_trimmed).map_err(|error| fault(&error.to_string()))?;
    let secure = match url.scheme() {
        "https" | "wss" => true,
        "http" | "ws" => false,
        other => return Err(fault(&format!("its scheme is {other}"))),
    };
    let scheme = match (transport, secure) {
        (Transport::Websocket, true) => "wss",
        (Transport::Websocket, false) => "ws",
        (_, true) => "https",
        (_, false) => "http",
    };
    if url.set_scheme(scheme).is_err() {
        return Err(fault("its scheme cannot be changed"));
    }
    url.set_fragment(None);
    if !whole {
        let under = url.path().trim_end_matches('/');
        if !under.ends_with(path) {
            let joined = format!("{under}{path}");
            url.set_path(&joined);
        }
    }
    Ok(url)
}

/// `base` with `{model}` in it replaced by the model's name, as one segment of a path; an empty name leaves it to be filled in.
pub(crate) fn with_model(base: &str, model: &str) -> String {
    if model.is_empty() || !base.contains("{model}") {
        return base.to_owned();
    }
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(byte);
    let segment: String =
        model.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
    base.replace("{model}", &segment)
}

/// Puts the key's place into the request: `Name: value` becomes a field, `?name=value` goes to the query, "" is no key.
pub(crate) fn authorize(auth: &str, url: &mut Url, headers: &mut Vec<Header>) {
    let auth = auth.trim();
    if let Some(query) = auth.strip_prefix('?') {
        // Written as text: the URL library's own pair writer would escape the braces of `{key}`.
        let joined = match url.query().filter(|present| !present.is_empty()) {
            Some(present) => format!("{present}&{query}"),
            None => query.to_owned(),
        };
        url.set_query(Some(&joined));
    } else if let Some((name, value)) = auth.split_once(':') {
        headers.push(Header { name: name.trim().to_owned(), value: value.trim().to_owned() });
    }
}

/// A header field.
pub(crate) fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: value.to_owned() }
}

/// Whether `url` is on `host` or one of its subdomains.
pub(crate) fn on(url: &Url, host: &str) -> bool {
    url.host_str().is_some_and(|at| at.strip_suffix(host).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}
