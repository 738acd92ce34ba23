//! A request's fields, checked and with the key in its place.

use ::http::header::{HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use crate::endpoint::{Endpoint, fill};
use crate::{Blame, Error, Header, Request, Target, Value};

/// A field as it goes out; the name keeps the case it was given in.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) given: String,
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

fn bad(message: String, evidence: &str) -> Error {
    Error::new(Blame::User, "bad-header", message).evidence(evidence).next("Correct the header or take it out.")
}

/// Host, User-Agent and the given fields, in this order; Host and User-Agent as given where they are.
pub(crate) fn fields(target: &Target, endpoint: &Endpoint, headers: &[Header]) -> Result<Vec<Field>, Error> {
    let mut fields = Vec::new();
    for header in headers {
        fields.push(field(target, &header.name, &header.value)?);
    }
    let host = fields.iter().position(|field| field.name == HOST).map(|at| fields.remove(at));
    if fields.iter().any(|field| field.name == HOST) {
        return Err(bad("A request has one Host.".into(), "Host is given twice."));
    }
    if !fields.iter().any(|field| field.name == USER_AGENT) {
        fields.insert(0, Field { given: "User-Agent".into(), name: USER_AGENT, value: HeaderValue::from_static(crate::USER_AGENT) });
    }
    let host = match host {
        Some(host) => host,
        None => field(target, "Host", &Value::Plain(endpoint.authority()))?,
    };
    fields.insert(0, host);
    Ok(fields)
}

/// One field.
pub(crate) fn field(target: &Target, name: &str, value: &Value) -> Result<Field, Error> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
        bad(
            format!("{name:?} cannot be a header's name."),
            "A name is made of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, section 5.1).",
        )
    })?;
    let (text, secret) = fill(value, target, name)?;
    // The value may be the key: it is not shown.
    let mut value = HeaderValue::from_bytes(text.trim().as_bytes())
        .map_err(|_| bad(format!("The value of {name} cannot be sent."), "It holds a line break or another control character."))?;
    value.set_sensitive(secret);
    Ok(Field { given: name.to_owned(), name: parsed, value })
}

/// Checks what the protocol sets by itself: a Content-Length is dropped if it is right.
pub(crate) fn framing(fields: &mut Vec<Field>, request: &Request) -> Result<(), Error> {
    use ::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
    if fields.iter().any(|field| field.name == TRANSFER_ENCODING) {
        return Err(bad("Transfer-Encoding is not yours to set.".into(), "The body is sent whole, with its Content-Length."));
    }
    for field in fields.iter().filter(|field| field.name == CONTENT_LENGTH) {
        if field.value.as_bytes() != request.body.len().to_string().as_bytes() {
            return Err(bad("Content-Length does not fit the body.".into(), &format!("The body has {} bytes.", request.body.len())));
        }
    }
    fields.retain(|field| field.name != CONTENT_LENGTH);
    Ok(())
}

/// The fields as a map, which keeps their order.
pub(crate) fn map(fields: Vec<Field>) -> HeaderMap {
    fields.into_iter().map(|field| (field.name, field.value)).fold(HeaderMap::new(), |mut map, (name, value)| {
        map.append(name, value);
        map
    })
}

/// Whether the key goes out as Basic authentication.
pub(crate) fn basic(headers: &[Header]) -> bool {
    headers.iter().any(|header| matches!(&header.value, Value::Keyed(text) if text.trim_start().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "))))
}
