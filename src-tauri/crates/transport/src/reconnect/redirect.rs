//! Where a redirect leads and what goes along (Fetch, "HTTP-redirect fetch").

use ::http::header::{HeaderMap, LOCATION};
use url::Url;

use crate::{Blame, Error, Header, Request, Value};

/// Redirects in one attempt (Fetch, step "if request's redirect count is 20").
pub(super) const MOST: u32 = 20;

/// Fields that describe a body, which go with it.
const OF_BODY: [&str; 5] = ["content-encoding", "content-language", "content-location", "content-type", "content-length"];

/// Fields that are credentials, whatever they hold. Fetch drops the first alone; a browser keeps the others to itself.
const CREDENTIALS: [&str; 6] = ["authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "x-goog-api-key"];

/// Whether `status` is one that Fetch follows.
pub(super) fn is_followed(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// The URL that a response points to.
pub(super) fn target(from: &Url, status: u16, headers: &HeaderMap) -> Result<Url, Error> {
    let bad = |message: &str, evidence: String| {
        Error::new(Blame::Peer, "bad-redirect", message)
            .evidence(format!("{status} from {from}: {evidence}"))
            .next("The server is at fault; ask for the address that it should have pointed to.")
    };
    let value = headers.get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned()).unwrap_or_default();
    if value.is_empty() {
        return Err(bad("The server redirects to nowhere.", "Location is missing or empty".into()));
    }
    let mut url =
        from.join(&value).map_err(|error| bad("The server redirects to what is no address.", format!("Location: {value}: {error}")))?;
    url.set_fragment(None);
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("The server redirects to another protocol.", format!("Location: {value}")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(
            "The server redirects to an address with a user name in it.",
            "The address is not shown: it may hold a password.".into(),
        ));
    }
    // The mark where the key goes in is the user's to place, never a server's.
    let text = url.as_str().to_ascii_lowercase().replace("%7b", "{").replace("%7d", "}");
    if text.contains("{key") {
        return Err(bad("The server redirects to an address that asks for the key.", format!("Location: {value}")));
    }
    Ok(url)
}

/// The request as it goes to `to`.
pub(super) fn request(mut request: Request, status: u16, from: &Url, to: &Url) -> Request {
    let post = request.method == "POST";
    let read_only = matches!(request.method.as_str(), "GET" | "HEAD");
    if (matches!(status, 301 | 302) && post) || (status == 303 && !read_only) {
        request.method = "GET".into();
        request.body = bytes::Bytes::new();
        retain(&mut request.headers, |name, _| !OF_BODY.contains(&name));
    }
    if from.origin() != to.origin() {
        retain(&mut request.headers, |name, value| !CREDENTIALS.contains(&name) && matches!(value, Value::Plain(_)) && name != "host");
    }
    request
}

fn retain(headers: &mut Vec<Header>, keep: impl Fn(&str, &Value) -> bool) {
    headers.retain(|header| keep(&header.name.to_ascii_lowercase(), &header.value));
}
