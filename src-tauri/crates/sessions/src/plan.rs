//! What a session was asked to do: everything but the key's value, so that it can be kept, shown and sent again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use weir_dialects::{Call, Dialect, dialect, provider::Provider};
use weir_transport::{Header, HttpVersion, Limits, Proxy, Request, Target, Value};

use crate::view::{Draft, HeaderLine, Preview, Settings};
use crate::{Error, credentials};

/// A plan. Secrets stand in it as `{key}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The draft it came from.
    pub draft: Draft,
    /// Dialect that decodes the answer.
    pub dialect: String,
    /// What is sent.
    pub call: Call,
    /// Time limits in seconds, 0 for none: connect, first byte, idle, total.
    pub limits: [f64; 4],
    /// `system`, `direct` or a proxy's URL.
    pub proxy: String,
    /// What a console asked: it goes another way than a question to a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<crate::view::ConsoleDraft>,
}

/// Where the key of a session comes from.
#[derive(Clone, Debug, Default)]
pub enum KeyChoice {
    /// The provider's stored key if there is one, else none.
    #[default]
    Stored,
    /// None is sent.
    None,
    /// This one, e.g. from an environment variable.
    Given(weir_secrets::Secret),
}

impl Plan {
    /// The plan for `draft` to `known`, its provider if it has one. `lab` is the running Lab's address (scheme, host and port), if it runs; `keyed` tells whether a key is there to be sent.
    pub fn new(draft: &Draft, known: Option<&Provider>, settings: &Settings, lab: Option<&str>, keyed: bool) -> Result<Self, Error> {
        if known.is_none() && draft.base_url.is_none() && draft.url.is_none() {
            return Err(Error::new(
                "user",
                "provider",
                format!("There is no provider «{}».", draft.provider),
                "Nothing was sent.",
                "",
                "Choose one of the list, or give a base URL.",
            ));
        }
        let typed = draft.ask.raw_body.as_deref().unwrap_or_default();
        credentials::whole(&draft.headers, &[draft.url.as_deref(), draft.base_url.as_deref()], &[], &[typed])?;
        let dialect = chosen(draft, known)?;
        let (base, whole) = endpoint(draft, known, dialect, lab)?;
        // Where the user says where the key goes, it goes nowhere else.
        let placed = base.contains("{key") || draft.headers.iter().any(|line| line.value.contains("{key"));
        let auth = match known {
            Some(provider) if keyed && !placed => &provider.auth,
            None if keyed && !placed => dialect.auth(),
            _ => "",
        };
        let mut call = dialect.call(&draft.ask, draft.transport, &base, whole, auth)?;
        for own in draft.headers.iter().filter(|h| !h.name.trim().is_empty()) {
            call.headers.retain(|h| !h.name.eq_ignore_ascii_case(own.name.trim()));
        }
        let own = draft.headers.iter().filter(|h| !h.name.trim().is_empty());
        call.headers.extend(own.map(|h| weir_dialects::Header { name: h.name.trim().into(), value: h.value.trim().into() }));
        Ok(Self {
            draft: draft.clone(),
            dialect: dialect.id().into(),
            call,
            limits: [f64::from(settings.connect_seconds), f64::from(settings.first_byte_seconds), f64::from(settings.idle_seconds), 0.0],
            proxy: settings.proxy.clone(),
            console: None,
        })
    }

    /// The dialect that decodes it; `raw` where a plan names one this Weir does not know.
    pub fn dialect(&self) -> &'static dyn Dialect {
        dialect::find(&self.dialect).unwrap_or(&weir_dialects::raw::Raw)
    }

    /// The socket stays open after a turn.
    pub fn keeps_open(&self) -> bool {
        self.draft.keep_open && self.dialect().persistent(self.draft.transport)
    }

    /// Whether the key is to be put in anywhere.
    pub fn wants_key(&self) -> bool {
        let keyed = |text: &str| text.contains("{key}");
        keyed(&self.call.url) || self.call.headers.iter().any(|h| keyed(&h.value)) || self.call.subprotocols.iter().any(|p| keyed(p))
    }

    /// Nothing in the call can be a credential, as far as names tell.
    pub fn is_keyless(&self) -> bool {
        let telling = |name: &str| {
            let name = name.to_ascii_lowercase();
            ["auth", "key", "token", "cookie", "secret"].iter().any(|word| name.contains(word))
        };
        let query = self.call.url.split_once('?').map_or("", |(_, query)| query);
        !self.wants_key()
            && self.call.sign.is_none()
            && self.call.subprotocols.is_empty()
            && !self.call.headers.iter().any(|header| telling(&header.name))
            && !query.split('&').any(|pair| telling(pair.split('=').next().unwrap_or_default()))
    }

    /// Provider whose key is sent.
    pub fn keyed_by(&self) -> &str {
        self.console.as_ref().map_or(&self.draft.provider, |console| &console.key)
    }

    /// Where to connect.
    pub fn target(&self, key: Option<weir_secrets::Secret>, roots: Vec<std::path::PathBuf>) -> Target {
        let seconds = |s: f64| (s > 0.0).then(|| Duration::from_secs_f64(s));
        Target {
            url: self.call.url.clone(),
            http: match self.draft.http.as_str() {
                "1.1" => HttpVersion::Http11,
                "2" => HttpVersion::Http2,
                _ => HttpVersion::Auto,
            },
            insecure: self.draft.insecure,
            roots,
            proxy: match self.proxy.as_str() {
                "" | "system" => Proxy::System,
                "direct" => Proxy::Direct,
                url => Proxy::Url(url.into()),
            },
            limits: Limits {
                connect: seconds(self.limits[0]),
                first_byte: seconds(self.limits[1]),
                // Between two turns nothing is to be expected.
                idle: seconds(self.limits[2]).filter(|_| !self.keeps_open()),
                total: seconds(self.limits[3]),
            },
            hidden: {
                let parts = key.as_ref().filter(|_| self.call.sign.is_some()).map(crate::sign::secrets);
                parts.into_iter().flatten().chain(credentials::of_plan(self)).collect()
            },
            // What a user says on an open socket may hold a key that nobody knew of before.
            hides_later: self.draft.transport == weir_dialects::Transport::Websocket && (self.console.is_some() || self.keeps_open()),
            key,
        }
    }

    /// The HTTP request, with `signed` in place of the call's fields where it is signed.
    pub fn request(&self, signed: Option<&[weir_dialects::Header]>) -> Request {
        let headers = fields(signed.unwrap_or(&self.call.headers));
        Request { method: self.call.method.clone(), headers, body: self.call.body.clone().into_bytes().into() }
    }

    /// The fields that are sent where the call is to be signed with `key`, made for this moment.
    pub fn signed(&self, key: Option<&weir_secrets::Secret>) -> Result<Option<Vec<weir_dialects::Header>>, Error> {
        let key = key.filter(|_| self.call.sign.is_some());
        key.map(|key| crate::sign::sign(&self.call, key, std::time::SystemTime::now())).transpose()
    }

    /// Fields as the transport takes them.
    pub fn headers(&self) -> Vec<Header> {
        fields(&self.call.headers)
    }

    /// Subprotocols to offer, as the transport takes them.
    pub fn subprotocols(&self) -> Vec<Value> {
        self.call.subprotocols.iter().map(|p| value(p)).collect()
    }

    /// What is shown before sending.
    pub fn preview(&self) -> Preview {
        let messages = || self.call.messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n");
        let body = if self.call.messages.is_empty() { self.call.body.clone() } else { messages() };
        Preview {
            method: self.call.method.clone(),
            url: self.call.url.clone(),
            headers: self.call.headers.iter().map(|h| HeaderLine { name: h.name.clone(), value: h.value.clone() }).collect(),
            body,
            curl: crate::export::curl(&self.call, self.draft.insecure),
            problem: None,
            problems: Vec::new(),
        }
    }

    /// A title from the last thing the user said.
    pub fn title(&self) -> String {
        let said = self.draft.ask.messages.iter().rev().find(|m| m.role == weir_dialects::Role::User && !m.text.trim().is_empty());
        let line = said.map_or("", |m| m.text.trim()).lines().next().unwrap_or_default();
        match line {
            "" => format!("{} {}", self.call.method, self.call.url.split('?').next().unwrap_or_default()),
            line if line.chars().count() > 80 => line.chars().take(79).chain(['…']).collect(),
            line => line.to_owned(),
        }
    }

    /// Everything the user and the conversation say, for the search.
    pub fn prompt(&self) -> String {
        if self.console.is_some() {
            return self.call.url.clone();
        }
        let said = self.draft.ask.messages.iter().map(|m| m.text.as_str());
        let all = std::iter::once(self.draft.ask.system.as_str()).chain(said).filter(|text| !text.trim().is_empty());
        all.collect::<Vec<_>>().join("\n\n")
    }
}

fn fields(headers: &[weir_dialects::Header]) -> Vec<Header> {
    headers.iter().map(|h| Header { name: h.name.clone(), value: value(&h.value) }).collect()
}

fn value(text: &str) -> Value {
    if text.contains("{key}") { Value::Keyed(text.into()) } else { Value::Plain(text.into()) }
}

fn chosen(draft: &Draft, known: Option<&Provider>) -> Result<&'static dyn Dialect, Error> {
    let id = match (draft.dialect.as_str(), &draft.url, known) {
        ("", Some(url), _) => return Ok(dialect::guess(url).unwrap_or(&weir_dialects::raw::Raw)),
        ("", None, Some(provider)) => provider.dialects.first().map_or("openai-chat", |(id, _)| id.as_str()),
        ("", None, None) => "openai-chat",
        (id, ..) => id,
    };
    dialect::find(id).ok_or_else(|| {
        let all: Vec<&str> = dialect::ALL.iter().map(|d| d.id()).collect();
        Error::new(
            "user",
            "dialect",
            format!("There is no dialect «{id}»."),
            "Nothing was sent.",
            format!("known: {}", all.join(", ")),
            "Choose one of these.",
        )
    })
}

/// `url` with the Lab's address in the place of `{lab}`.
pub(crate) fn filled(url: &str, lab: Option<&str>) -> Result<String, Error> {
    match (url.contains("{lab}"), lab) {
        (false, _) => Ok(url.to_owned()),
        (true, Some(lab)) => Ok(url.replace("{lab}", lab.trim_end_matches('/'))),
        (true, None) => {
            Err(Error::new("local", "lab-stopped", "The Lab does not run.", "Nothing was sent.", "", "Start it in the Lab view."))
        }
    }
}

fn endpoint(draft: &Draft, known: Option<&Provider>, dialect: &dyn Dialect, lab: Option<&str>) -> Result<(String, bool), Error> {
    let filled = |url: &str| filled(url, lab);
    if let Some(url) = draft.url.as_deref().filter(|url| !url.trim().is_empty()) {
        return Ok((filled(url.trim())?, true));
    }
    if let Some(base) = draft.base_url.as_deref().filter(|base| !base.trim().is_empty()) {
        return Ok((filled(base.trim())?, false));
    }
    let of = known.and_then(|provider| provider.dialects.iter().find(|(id, _)| *id == dialect.id()));
    match of {
        Some((_, base)) => Ok((filled(base)?, false)),
        None => Err(Error::new(
            "user",
            "provider-dialect",
            format!("{} does not speak {}.", known.map_or(draft.provider.as_str(), |p| p.name.as_str()), dialect.name()),
            "Nothing was sent.",
            known.map_or(String::new(), |p| {
                format!("it speaks: {}", p.dialects.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", "))
            }),
            "Choose another dialect, or give the URL yourself.",
        )),
    }
}
