//! A lane as it is written on the command line: `name=A,provider=lab,transport=sse,reuse`.

use weir_dialects::{Ask, Message, Role, Transport, dialect, provider::Provider};
use weir_sessions::compare::{Connection, Lane};
use weir_sessions::view::Draft;
use weir_sessions::{Engine, Error};

/// What lanes have where they do not say otherwise.
pub struct Common<'a> {
    /// Prompt.
    pub prompt: &'a str,
    /// Provider.
    pub provider: &'a str,
    /// Model; "" for the provider's first.
    pub model: &'a str,
}

/// Parts of a specification: commas divide them, a comma in a value is written `\,`.
fn parts(spec: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in spec.chars() {
        let last = parts.len() - 1;
        match c {
            ',' if !escaped => parts.push(String::new()),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            ',' => parts[last].push(','),
            c => {
                // Only a comma is escaped: elsewhere the backslash is itself.
                if escaped {
                    parts[last].push('\\');
                }
                parts[last].push(c);
            }
        }
        escaped = false;
    }
    parts
}

/// Reads a lane.
///
/// # Errors
/// `lane`, with what is wrong in it.
pub fn read(spec: &str, common: &Common<'_>, engine: &Engine) -> Result<Lane, Error> {
    let wrong = |why: String| {
        Error::new(
            "user",
            "lane",
            why,
            "Nothing was sent.",
            spec,
            "Write KEY=VALUE, …: name, provider, base-url, url, model, dialect, transport, http, coding, prompt, system, max-tokens, header=K: V; and the words reuse, deflate, insecure.",
        )
    };
    let (mut name, mut provider, mut transport) = (None, common.provider.to_owned(), None);
    let (mut base_url, mut url, mut dialect_id, mut model) = (None, None, String::new(), common.model.to_owned());
    let mut draft = Draft {
        provider: String::new(),
        dialect: String::new(),
        transport: Transport::Sse,
        http: "auto".into(),
        base_url: None,
        url: None,
        ask: Ask { messages: vec![Message::new(Role::User, common.prompt)], ..Ask::default() },
        headers: Vec::new(),
        insecure: false,
        title: None,
        keep_open: false,
        deflate: false,
        reused: false,
    };
    let mut lane_coding = String::new();
    let (mut connection, mut deflate) = (Connection::Cold, false);
    for part in parts(spec).iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        let Some((key, value)) = part.split_once('=') else {
            match part {
                "reuse" | "reused" => connection = Connection::Reused,
                "cold" => connection = Connection::Cold,
                "deflate" => deflate = true,
                "insecure" => draft.insecure = true,
                word => return Err(wrong(format!("A lane knows no «{word}»."))),
            }
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "name" => name = Some(value.to_owned()),
            "provider" => value.clone_into(&mut provider),
            "base-url" => base_url = Some(value.to_owned()),
            "url" => url = Some(value.to_owned()),
            "model" => value.clone_into(&mut model),
            "dialect" => value.clone_into(&mut dialect_id),
            "transport" => {
                let known = [Transport::Http, Transport::Sse, Transport::Ndjson, Transport::Websocket, Transport::Eventstream];
                let found = known.into_iter().find(|transport| transport.name() == value);
                transport = Some(found.ok_or_else(|| wrong(format!("There is no transport «{value}».")))?);
            }
            "http" if matches!(value, "1.1" | "2" | "auto") => value.clone_into(&mut draft.http),
            "http" => return Err(wrong(format!("HTTP versions are 1.1, 2 and auto, not «{value}»."))),
            "coding" => value.clone_into(&mut lane_coding),
            "connection" if value == "reused" => connection = Connection::Reused,
            "connection" if value == "cold" => connection = Connection::Cold,
            "prompt" => draft.ask.messages = vec![Message::new(Role::User, value)],
            "system" => value.clone_into(&mut draft.ask.system),
            "max-tokens" => {
                let tokens = value.parse().map_err(|_| wrong(format!("«{value}» is no number of tokens.")))?;
                draft.ask.params.max_tokens = Some(tokens);
            }
            "header" => draft.headers.push(crate::send::header(value)?),
            key => return Err(wrong(format!("A lane knows no «{key}»."))),
        }
    }
    if base_url.is_some() || url.is_some() {
        provider = if spec.contains("provider=") { provider } else { String::new() };
    }
    let known = engine.provider(&provider);
    let spoken = spoken(&dialect_id, known.as_ref(), url.as_deref(), transport);
    let offers = dialect::find(&spoken).map_or(&[][..], |dialect| dialect.transports());
    draft.transport =
        transport.or_else(|| offers.iter().copied().find(|t| *t == Transport::Sse)).or(offers.first().copied()).unwrap_or_default();
    draft.ask.model = if model.is_empty() { known.as_ref().and_then(|p| p.models.first().cloned()).unwrap_or_default() } else { model };
    (draft.provider, draft.dialect, draft.base_url, draft.url) = (provider, spoken, base_url, url);
    let name = name.unwrap_or_else(|| usual(&draft, connection, &lane_coding, deflate));
    Ok(Lane { name, draft, connection, coding: lane_coding, deflate })
}

/// The dialect: as given, what the URL tells, or the provider's first that speaks the transport.
fn spoken(given: &str, known: Option<&Provider>, url: Option<&str>, transport: Option<Transport>) -> String {
    if !given.is_empty() {
        return given.to_owned();
    }
    if let Some(url) = url {
        return dialect::guess(url).map_or("raw", |dialect| dialect.id()).to_owned();
    }
    let Some(provider) = known else { return "openai-chat".into() };
    let mut ids: Vec<&str> = provider.dialects.iter().map(|(id, _)| id.as_str()).filter(|id| *id != "raw").collect();
    // Of an HTTP dialect and one for sessions the former is meant, unless only the latter has the transport; Responses has them all.
    ids.sort_by_key(|id| *id != "openai-responses");
    let speaks = |id: &&str| dialect::find(id).is_some_and(|dialect| transport.is_none_or(|t| dialect.transports().contains(&t)));
    ids.iter().copied().find(speaks).or(ids.first().copied()).unwrap_or("openai-chat").to_owned()
}

/// A name from what sets the lane apart.
fn usual(draft: &Draft, connection: Connection, coding: &str, deflate: bool) -> String {
    let mut words = vec![draft.transport.name().to_owned()];
    if draft.http != "auto" {
        words.push(format!("HTTP/{}", draft.http));
    }
    if !coding.is_empty() {
        words.push(coding.to_owned());
    }
    if deflate {
        words.push("deflate".into());
    }
    if connection == Connection::Reused {
        words.push("reused".into());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> (tempfile::TempDir, Engine) {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(home.path()).unwrap();
        (home, engine)
    }

    const COMMON: Common<'static> = Common { prompt: "Why?", provider: "lab", model: "" };

    #[test]
    fn a_lane_is_read_with_its_words() {
        let (_home, engine) = engine();
        let lane = read("name=A\\, plain,transport=sse,http=2,coding=gzip,reuse,max-tokens=9", &COMMON, &engine).unwrap();
        assert_eq!((lane.name.as_str(), lane.coding.as_str(), lane.connection), ("A, plain", "gzip", Connection::Reused));
        assert_eq!(
            (lane.draft.http.as_str(), lane.draft.transport, lane.draft.dialect.as_str()),
            ("2", Transport::Sse, "openai-responses")
        );
        assert_eq!((lane.draft.ask.model.as_str(), lane.draft.ask.params.max_tokens), ("lab/steady", Some(9)));
        let named = read("transport=websocket,deflate", &COMMON, &engine).unwrap();
        assert_eq!(named.name, "websocket deflate");
        let chat = read("url=http://127.0.0.1:1/v1/chat/completions,transport=http", &COMMON, &engine).unwrap();
        assert_eq!((chat.draft.provider.as_str(), chat.draft.dialect.as_str()), ("", "openai-chat"));
    }

    #[test]
    fn what_it_does_not_know_is_said() {
        let (_home, engine) = engine();
        for (spec, word) in [("colour=red", "colour"), ("fast", "fast"), ("transport=smoke", "smoke"), ("http=3", "3")] {
            let error = read(spec, &COMMON, &engine).unwrap_err();
            assert_eq!(error.0.code, "lane");
            assert!(error.0.message.contains(word), "{}", error.0.message);
        }
    }
}
