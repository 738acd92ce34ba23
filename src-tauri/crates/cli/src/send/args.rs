//! The flags of `send`, and the draft they make.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{ArgAction, ValueEnum};
use weir_dialects::{Ask, Message, Params, Role, Transport, dialect, provider};
use weir_sessions::Error;
use weir_sessions::view::{Draft, HeaderLine};

use crate::summary::Detail;

/// Send one request and print the reply as it comes: text on standard output, a summary on standard error.
#[derive(clap::Args)]
pub struct Args {
    /// Provider; lab (no account, nothing leaves this machine) where no address is given either.
    #[arg(long, value_name = "ID")]
    pub provider: Option<String>,
    /// Base URL in place of the provider's, as the dialect's official SDK takes it.
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    pub base_url: Option<String>,
    /// Whole endpoint.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// API dialect; the provider's first, or what the URL's path tells, where absent. raw decodes nothing.
    #[arg(long, value_name = "ID")]
    pub dialect: Option<String>,
    /// How the reply is to travel; the dialect's first where absent.
    #[arg(long, value_enum, value_name = "NAME")]
    pub transport: Option<Travel>,
    /// HTTP version. auto: what TLS agrees on, 1.1 without TLS.
    #[arg(long, value_enum, value_name = "VERSION", default_value = "auto")]
    pub http: Http,
    /// Model.
    #[arg(long, value_name = "M")]
    pub model: Option<String>,
    /// System prompt.
    #[arg(long, value_name = "S")]
    pub system: Option<String>,
    /// Prompt; - reads it from standard input.
    #[arg(long, value_name = "P")]
    pub prompt: Option<String>,
    /// - reads the prompt from standard input.
    #[arg(value_name = "-", value_parser = ["-"], conflicts_with = "prompt")]
    pub stdin: Option<String>,
    /// Sampling temperature.
    #[arg(long, value_name = "T")]
    pub temperature: Option<f64>,
    /// Tokens of the reply at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_tokens: Option<u64>,
    /// A field of the request's own, again and again; {key} in it stands for the key.
    #[arg(long = "header", value_name = "K: V", action = ArgAction::Append)]
    pub headers: Vec<String>,
    /// The body, sent as it is in place of one made from the other flags; - reads it from standard input.
    #[arg(long, value_name = "FILE")]
    pub body: Option<PathBuf>,
    /// Where the key comes from; the keychain for a provider that has one there, else none.
    #[arg(long, value_name = "keychain|env:NAME|none")]
    pub key: Option<String>,
    /// Accept any certificate.
    #[arg(long)]
    pub insecure: bool,
    /// Keep the run in this file, not in the library.
    #[arg(long, value_name = "FILE.weir", conflicts_with = "no_record")]
    pub record: Option<PathBuf>,
    /// Keep nothing.
    #[arg(long)]
    pub no_record: bool,
    /// Seconds that all of it may take.
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<f64>,
    /// Print every delta as a line of JSON, the summary last.
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,
    /// Print the summary alone, without text and reasoning.
    #[arg(long)]
    pub quiet: bool,
}

/// A transport on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Travel {
    Http,
    Sse,
    Ndjson,
    Websocket,
    Eventstream,
}

impl From<Travel> for Transport {
    fn from(travel: Travel) -> Self {
        match travel {
            Travel::Http => Self::Http,
            Travel::Sse => Self::Sse,
            Travel::Ndjson => Self::Ndjson,
            Travel::Websocket => Self::Websocket,
            Travel::Eventstream => Self::Eventstream,
        }
    }
}

/// An HTTP version on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Http {
    #[value(name = "1.1")]
    One,
    #[value(name = "2")]
    Two,
    Auto,
}

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Keychain,
    Environment(String),
    None,
}

/// What goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The reply's text.
    Text,
    /// JSON: with the whole summary every delta too, else the summary alone.
    Json(Detail),
}

impl Output {
    /// By `--json` and `--quiet`.
    pub fn of(json: bool, quiet: bool) -> Self {
        match (json, quiet) {
            (_, true) => Self::Json(Detail::Quiet),
            (true, _) => Self::Json(Detail::Whole),
            _ => Self::Text,
        }
    }
}

/// A field of the request's own. Checked here and not by clap, which repeats what it refuses: it may be a key with the name forgotten.
pub fn header(text: &str) -> Result<HeaderLine, Error> {
    let wrong = |why: &str| Error::new("user", "header", why, "Nothing was sent.", "", "Write --header 'Name: value'.");
    let (name, value) = text.split_once(':').ok_or_else(|| wrong("A header has a colon between name and value."))?;
    let name = name.trim();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(wrong("What stands before the colon cannot be a header's name."));
    }
    Ok(HeaderLine { name: name.into(), value: value.trim().into() })
}

/// Where the key comes from, by the value of `--key`. Checked here for the reason that [`header`] gives.
pub fn key(text: Option<&str>) -> Result<Option<Key>, Error> {
    match text.map(|text| (text, text.strip_prefix("env:"))) {
        None => Ok(None),
        Some(("keychain", _)) => Ok(Some(Key::Keychain)),
        Some(("none", _)) => Ok(Some(Key::None)),
        Some((_, Some(name))) if !name.is_empty() => Ok(Some(Key::Environment(name.into()))),
        Some(_) => Err(Error::new(
            "user",
            "key-choice",
            "--key does not say where the key comes from.",
            "Nothing was sent.",
            "",
            "Write keychain, env:NAME or none. A key itself has no place on the command line, where every program can read it.",
        )),
    }
}

/// A time limit in seconds.
pub fn seconds(text: &str) -> Result<f64, String> {
    // A year: beyond that a limit is none.
    let fits = |seconds: &f64| *seconds > 0.0 && *seconds <= 31_536_000.0;
    text.parse::<f64>().ok().filter(fits).ok_or_else(|| "a time limit is a number of seconds above 0".to_owned())
}

impl Args {
    /// What goes to standard output.
    pub fn output(&self) -> Output {
        Output::of(self.json, self.quiet)
    }

    /// The request, read from the flags, standard input and files.
    pub fn draft(&self) -> Result<Draft, Error> {
        let nowhere = self.provider.is_none() && self.base_url.is_none() && self.url.is_none();
        let provider = self.provider.clone().unwrap_or_else(|| if nowhere { "lab".into() } else { String::new() });
        let dialect = self.dialect.clone().unwrap_or_default();
        let raw_body = self.body.as_deref().map(body).transpose()?;
        let prompt = match (&self.prompt, &self.stdin) {
            (Some(prompt), _) if prompt != "-" => Some(prompt.clone()),
            (None, None) => None,
            _ => Some(standard_input("prompt")?),
        };
        let known = provider::find(&provider);
        let transport = self.transport.map_or_else(|| self.usual_transport(&dialect, known), Transport::from);
        let raw = self.speaks(&dialect, known) == "raw";
        if prompt.is_none() && raw_body.is_none() && !raw {
            return Err(Error::new(
                "user",
                "no-prompt",
                "There is nothing to send.",
                "Nothing was sent.",
                "",
                "Give --prompt TEXT, - for standard input, or --body FILE.",
            ));
        }
        Ok(Draft {
            transport,
            http: match self.http {
                Http::One => "1.1",
                Http::Two => "2",
                Http::Auto => "auto",
            }
            .into(),
            base_url: self.base_url.clone(),
            url: self.url.clone(),
            ask: Ask {
                model: self.model.clone().or_else(|| known?.models.first().cloned()).unwrap_or_default(),
                system: self.system.clone().unwrap_or_default(),
                messages: prompt.into_iter().map(|text| Message::new(Role::User, text)).collect(),
                params: Params { temperature: self.temperature, max_tokens: self.max_tokens, ..Params::default() },
                raw_body,
                ..Ask::default()
            },
            headers: self.headers.iter().map(|text| header(text)).collect::<Result<_, _>>()?,
            insecure: self.insecure,
            title: None,
            keep_open: false,
            deflate: false,
            reused: false,
            provider,
            dialect,
        })
    }

    /// The dialect that will be spoken, as the engine chooses it.
    fn speaks<'a>(&self, dialect: &'a str, known: Option<&'static provider::Provider>) -> &'a str {
        match (dialect, &self.url, known) {
            ("", Some(url), _) => dialect::guess(url).map_or("raw", |dialect| dialect.id()),
            ("", None, Some(provider)) => provider.dialects.first().map_or("openai-chat", |(id, _)| id.as_str()),
            ("", None, None) => "openai-chat",
            (id, ..) => id,
        }
    }

    fn usual_transport(&self, dialect: &str, known: Option<&'static provider::Provider>) -> Transport {
        let address = self.url.as_ref().or(self.base_url.as_ref());
        let offers = dialect::find(self.speaks(dialect, known)).map_or(&[][..], |dialect| dialect.transports());
        // An address that begins with ws says it already.
        if address.is_some_and(|url| url.starts_with("ws:") || url.starts_with("wss:")) && offers.contains(&Transport::Websocket) {
            return Transport::Websocket;
        }
        offers.first().copied().unwrap_or_default()
    }
}

fn body(path: &Path) -> Result<String, Error> {
    if path == Path::new("-") {
        return standard_input("body");
    }
    let bytes = std::fs::read(path).map_err(|error| {
        Error::new(
            "user",
            "no-file",
            "The body cannot be read.",
            "Nothing was sent.",
            format!("{}: {error}", path.display()),
            "Give the path of a file that is there.",
        )
    })?;
    text(bytes, "body")
}

fn standard_input(what: &str) -> Result<String, Error> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| {
        Error::new(
            "local",
            "stdin",
            format!("The {what} cannot be read from standard input."),
            "Nothing was sent.",
            error.to_string(),
            "Give it in another way.",
        )
    })?;
    text(bytes, what)
}

fn text(bytes: Vec<u8>, what: &str) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::new(
            "user",
            "not-text",
            format!("The {what} is not UTF-8."),
            "Nothing was sent.",
            format!("byte {at} is where it stops being text"),
            "Save it as UTF-8.",
        )
    })
}
