//! A cURL command as a draft: what documentation shows, and what browsers copy.
//!
//! A key that stands in the command is not kept in the draft, which is stored and shown: it is handed over apart, and `{key}` stands in its place.

mod options;
#[cfg(test)]
mod tests;
mod words;

use base64::Engine as _;
use serde_json::Value;
use weir_dialects::{Ask, Dialect, Transport, dialect, provider, provider::Provider};
use weir_secrets::Secret;

use self::options::Command;
use self::words::{Variable, variables};
use crate::Error;
use crate::view::{Draft, HeaderLine};

/// What a command came to.
#[derive(Debug)]
pub struct Imported {
    /// The request.
    pub draft: Draft,
    /// The key that stood in it by value, to be stored or forgotten.
    pub key: Option<Secret>,
    /// What was left out or could not be taken over, a sentence each.
    pub notes: Vec<String>,
}

/// Fields that every client sets by itself, or that say how this body is sent rather than what it is.
const USUAL: &[&str] =
    &["host", "content-length", "connection", "accept-encoding", "user-agent", "transfer-encoding", "accept-language", "priority", "te"];

/// Fields whose value is a key.
const KEYS: &[&str] = &["authorization", "api-key", "x-api-key", "x-goog-api-key", "xi-api-key", "x-dashscope-api-key"];

/// Members of a query that are a key.
const QUERY_KEYS: &[&str] = &["key", "api-key", "api_key", "apikey", "access_token", "token"];

/// Reads a command of a POSIX shell or of Windows' `cmd`.
///
/// # Errors
/// `curl`: it is no cURL command, or has no URL that can be asked.
pub fn read(text: &str) -> Result<Imported, Error> {
    let refused =
        |what: &str| Error::new("user", "curl", what, "Nothing was changed.", "", "Paste a command that begins with curl and names a URL.");
    let words = words::split(text).map_err(|why| refused(&why))?;
    let mut command = options::read(&words).map_err(|why| refused(&why))?;
    let mut key = Taken::default();
    let url = address(&mut command, &mut key).map_err(|why| refused(&why))?;
    let mut headers = fields(&mut command, &mut key);
    let body = plain(&command.body, &mut command.notes);

    let guessed = dialect::guess(&url).or_else(|| by_body(&body, &url, &headers));
    let dialect = guessed.unwrap_or(&weir_dialects::raw::Raw);
    let (transport, ask) = question(dialect, &url, &body, &command, &headers);
    if dialect.id() == "raw" {
        if !["", "GET", "POST"].contains(&command.method.as_str()) {
            command.notes.push(format!("The method {} is not taken over: Weir sends GET, or POST where there is a body.", command.method));
        }
    } else if ask.raw_body.is_some() {
        command.notes.push("The form cannot hold all of its body: the body is sent as it stands.".into());
    }
    // What the dialect sends by itself needs no line of the user's.
    let usual = dialect.call(&ask, transport, &url, true, "").map(|call| call.headers).unwrap_or_default();
    headers.retain(|own| {
        !spoken(dialect, own) && !usual.iter().any(|field| field.name.eq_ignore_ascii_case(&own.name) && field.value == own.value)
    });

    let known = at(&url, dialect.id());
    let auth = known.map_or(dialect.auth(), |provider| provider.auth.as_str());
    // The key goes where the provider wants it anyway.
    headers.retain(|header| {
        // Another scheme than the usual one (Deepgram's `Token`, `Basic`) is the user's own.
        let usual =
            |(name, value): (&str, &str)| name.eq_ignore_ascii_case(&header.name) && value.trim().eq_ignore_ascii_case(&header.value);
        !auth.split_once(':').is_some_and(usual)
    });
    let whole = known.is_none_or(|provider| !same(provider, dialect, &ask, transport, &url));
    let draft = Draft {
        provider: known.map_or(String::new(), |provider| provider.id.clone()),
        dialect: dialect.id().into(),
        transport,
        http: command.http.clone(),
        base_url: None,
        url: whole.then(|| url.clone()),
        ask,
        headers,
        insecure: command.insecure,
        title: None,
        keep_open: false,
        deflate: false,
        reused: false,
    };
    if let Some(variable) = &key.variable {
        command.notes.push(format!("The key stood in the variable {variable}: here it is the stored one."));
    }
    Ok(Imported { draft, key: key.value.map(|value| Secret::new(&value)), notes: command.notes })
}

/// The key, as far as the command told it.
#[derive(Default)]
struct Taken {
    value: Option<String>,
    variable: Option<String>,
}

impl Taken {
    /// Takes the key out of a word, which is all key; what is left there is `{key}`.
    fn take(&mut self, word: &str) -> String {
        match variables(word).first() {
            Some(Variable { name, .. }) => self.variable = Some(name.clone()),
            // What documentation writes where the key is to be.
            None if word.contains(['<', '[', '{']) || word.contains("...") || word.to_uppercase().contains("YOUR") => {}
            None if word.is_empty() => {}
            None => self.value = Some(word.to_owned()),
        }
        "{key}".to_owned()
    }
}

/// The URL, its key taken out.
fn address(command: &mut Command, key: &mut Taken) -> Result<String, String> {
    let given = plain(&command.url, &mut command.notes);
    let given = if given.contains("://") { given } else { format!("http://{given}") };
    let scheme = given.split("://").next().unwrap_or_default().to_lowercase();
    if !["http", "https", "ws", "wss"].contains(&scheme.as_str()) {
        return Err(format!("The scheme {scheme} is none that Weir speaks."));
    }
    let (address, query) = given.split_once('?').map_or((given.as_str(), None), |(address, query)| (address, Some(query)));
    let mut pairs: Vec<String> =
        query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
    for pair in &mut pairs {
        if let Some((name, value)) = pair.split_once('=')
            && QUERY_KEYS.contains(&name.to_lowercase().as_str())
        {
            *pair = format!("{name}={}", key.take(value));
        }
    }
    if command.get {
        pairs.extend(std::mem::take(&mut command.body).into_iter().filter(|part| !part.is_empty()));
    }
    // A host's own key parameter is put back by its provider or dialect.
    let dialect = dialect::guess(address);
    let elsewhere =
        dialect.is_some_and(|dialect| !at(address, dialect.id()).map_or(dialect.auth(), |provider| &provider.auth).starts_with('?'));
    // A token of the query is of another kind than the key of a field: Gemini Live's short-lived ones go nowhere else.
    let is_token = |pair: &str| pair.to_lowercase().contains("token=");
    pairs.retain(|pair| !elsewhere || !pair.ends_with("={key}") || is_token(pair));
    Ok(if pairs.is_empty() { address.to_owned() } else { format!("{address}?{}", pairs.join("&")) })
}

/// The header fields worth keeping, keys taken out of them.
fn fields(command: &mut Command, key: &mut Taken) -> Vec<HeaderLine> {
    if let Some(user) = command.user.take() {
        let value = match variables(&user).is_empty() {
            true => base64::engine::general_purpose::STANDARD.encode(&user),
            false => user,
        };
        command.headers.push(format!("Authorization: Basic {value}"));
    }
    let mut kept = Vec::new();
    for line in std::mem::take(&mut command.headers) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let (name, value) = (name.trim().to_owned(), value.trim());
        let lower = name.to_lowercase();
        if value.is_empty()
            || USUAL.contains(&lower.as_str())
            || lower.starts_with("sec-ch-")
            || lower.starts_with("sec-fetch-")
            || lower.starts_with(':')
        {
            continue;
        }
        if lower == "cookie" {
            command.notes.push("Cookies are left out: they are secrets of a browser's session.".into());
            continue;
        }
        if lower.starts_with("sec-websocket-") || lower == "upgrade" {
            continue;
        }
        let value = if KEYS.contains(&lower.as_str()) {
            match value.split_once(' ') {
                Some((scheme, rest)) if !scheme.is_empty() && variables(scheme).is_empty() => format!("{scheme} {}", key.take(rest.trim())),
                _ => key.take(value),
            }
        } else {
            plain(&[value.to_owned()], &mut command.notes)
        };
        kept.push(HeaderLine { name, value });
    }
    kept
}

/// Pieces of a body joined, shell variables as they were written: nobody here knows their values.
fn plain<T: AsRef<str>>(pieces: &[T], notes: &mut Vec<String>) -> String {
    let joined = pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("&");
    let mut out = joined.clone();
    for Variable { name, sign } in variables(&joined) {
        out = out.replace(&sign, &format!("${{{name}}}"));
        let note = format!("The variable {name} has no value here: it stands as ${{{name}}}.");
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    out
}

/// The dialect that can read the body, where the path says nothing.
fn by_body(body: &str, url: &str, headers: &[HeaderLine]) -> Option<&'static dyn Dialect> {
    if headers.iter().any(|header| header.name.eq_ignore_ascii_case("anthropic-version")) {
        return dialect::find("anthropic-messages");
    }
    let reads = |dialect: &&dyn Dialect| dialect.transports().iter().any(|transport| dialect.read(body, url, *transport).is_some());
    dialect::ALL.iter().copied().find(|dialect| !body.is_empty() && reads(dialect))
}

/// How the reply travels, and the question. The first transport over which the dialect would send just this is the one.
fn question(dialect: &dyn Dialect, url: &str, body: &str, command: &Command, headers: &[HeaderLine]) -> (Transport, Ask) {
    let socket = url.starts_with("ws");
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    // Gemini and Bedrock are asked for a stream by the path.
    let by_path = |transport: Transport| match transport {
        Transport::Websocket => socket,
        _ if socket => false,
        Transport::Sse if address.contains(":streamGenerateContent") => query.contains("alt=sse"),
        Transport::Sse => !address.ends_with(":generateContent"),
        Transport::Eventstream => address.ends_with("-stream") || dialect.id() == "raw",
        Transport::Http => !address.ends_with("-stream") && !query.contains("alt=sse"),
        Transport::Ndjson => true,
    };
    let offers = || dialect.transports().iter().copied().filter(|transport| by_path(*transport));
    let given: Option<Value> = serde_json::from_str(body).ok();
    let spoken = |name: &str| headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str());
    for transport in offers() {
        let Some(ask) = dialect.read(body, url, transport) else { continue };
        let Ok(call) = dialect.call(&ask, transport, url, true, "") else { continue };
        let built = call.messages.first().map_or(call.body.as_str(), |message| message.text.as_str());
        // DashScope is asked for a stream by a field.
        let by_field =
            call.headers.iter().any(|header| header.name.eq_ignore_ascii_case("x-dashscope-sse")) == spoken("x-dashscope-sse").is_some();
        let path = |url: &str| url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/').to_owned();
        if serde_json::from_str(built).ok() == given && path(&call.url) == path(url) && by_field {
            return (transport, ask);
        }
    }
    let wants = |media: &str| spoken("accept").is_some_and(|accept| accept.contains(media));
    let streamed = command.unbuffered || wants("text/event-stream") || given.as_ref().is_some_and(|body| body["stream"] == true);
    let transport = offers().find(|transport| (*transport == Transport::Http) != streamed).or_else(|| offers().next());
    let transport = transport.unwrap_or(if socket { Transport::Websocket } else { Transport::Http });
    let ask = Ask { raw_body: (!body.is_empty()).then(|| body.to_owned()), ..Ask::default() };
    (transport, ask)
}

/// Whether the dialect sets the field by itself.
fn spoken(dialect: &dyn Dialect, header: &HeaderLine) -> bool {
    let json = header.value.to_lowercase().starts_with("application/json");
    match header.name.to_lowercase().as_str() {
        "content-type" => dialect.id() != "raw" || json,
        "accept" => dialect.id() != "raw" || json || ["*/*", "text/event-stream"].contains(&header.value.as_str()),
        "x-dashscope-sse" => dialect.id() == "dashscope",
        _ => false,
    }
}

/// The provider whose host this is, the one that speaks the dialect first; its host may have a name of the user's in front.
fn at(url: &str, dialect: &str) -> Option<&'static Provider> {
    let host = |url: &str| url.split("://").nth(1).unwrap_or_default().split(['/', '?']).next().unwrap_or_default().to_lowercase();
    let here = host(url);
    let fits = |base: &str| {
        let there = host(base);
        match there.split_once('}') {
            _ if base.starts_with('{') => false,
            Some((before, after)) => here.ends_with(after) && here.starts_with(before.split('{').next().unwrap_or_default()),
            None => here == there || here.replace("localhost", "127.0.0.1") == there.replace("localhost", "127.0.0.1"),
        }
    };
    // Two providers may share a host: the longer path is the closer.
    let close = |base: &str| {
        let mut rest = url;
        let mut literal =
            base.split('?').next().unwrap_or_default().split_once("://").map_or(base, |(_, rest)| rest).split(['{', '}']).step_by(2);
        let all = literal.all(|piece| {
            rest.split_once(piece).is_some_and(|(_, after)| {
                rest = after;
                true
            })
        });
        if all { base.len() } else { 0 }
    };
    let candidates = provider::all().iter().flat_map(|provider| provider.dialects.iter().map(move |(id, base)| (provider, id, base)));
    let mut found: Vec<_> = candidates.filter(|(_, id, base)| *id == dialect && fits(base)).collect();
    found.sort_by_key(|(_, _, base)| std::cmp::Reverse(close(base)));
    found.first().map(|(provider, _, _)| *provider)
}

/// Whether the provider's own base URL leads to the same place.
fn same(provider: &Provider, dialect: &dyn Dialect, ask: &Ask, transport: Transport, url: &str) -> bool {
    let base = provider.dialects.iter().find(|(id, _)| id == dialect.id()).map(|(_, base)| base.as_str()).unwrap_or_default();
    dialect.call(ask, transport, base, false, "").is_ok_and(|call| call.url == url)
}
