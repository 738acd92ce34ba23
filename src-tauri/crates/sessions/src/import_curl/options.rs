//! What curl's options say.

/// A command, read.
#[derive(Debug, Default)]
pub(super) struct Command {
    /// The URLs, one in the end.
    pub(super) url: Vec<String>,
    /// `-X`, or "".
    pub(super) method: String,
    /// Lines `Name: value`.
    pub(super) headers: Vec<String>,
    /// The pieces of the body; curl joins them by `&`.
    pub(super) body: Vec<String>,
    /// `user:password`.
    pub(super) user: Option<String>,
    pub(super) insecure: bool,
    /// `auto`, `1.1` or `2`.
    pub(super) http: String,
    /// `-N`: the user wanted to see it stream.
    pub(super) unbuffered: bool,
    /// `-G`: the body goes to the query.
    pub(super) get: bool,
    pub(super) notes: Vec<String>,
}

/// Long options that take a value and have no say here.
const VALUED: &[&str] = &[
    "output",
    "max-time",
    "connect-timeout",
    "proxy",
    "cert",
    "key",
    "cacert",
    "capath",
    "write-out",
    "retry",
    "retry-delay",
    "retry-max-time",
    "resolve",
    "connect-to",
    "cookie-jar",
    "interface",
    "limit-rate",
    "ciphers",
    "tls-max",
    "tls13-ciphers",
    "trace",
    "trace-ascii",
    "dump-header",
    "range",
    "dns-servers",
    "unix-socket",
    "noproxy",
    "proxy-user",
    "proxy-header",
    "preproxy",
    "socks5",
    "socks5-hostname",
    "stderr",
    "config",
    "max-redirs",
    "speed-limit",
    "speed-time",
    "keepalive-time",
    "cert-type",
    "key-type",
    "pass",
    "output-dir",
    "rate",
    "variable",
    "max-filesize",
    "time-cond",
    "local-port",
    "etag-save",
    "etag-compare",
    "netrc-file",
    "user-agent",
    "referer",
];

/// Short options that take a value.
const VALUED_SHORT: &str = "omxEwcKyYzrDCTQUtP";

/// Reads a command's words, `curl` itself first.
pub(super) fn read(words: &[String]) -> Result<Command, String> {
    let mut words = words.iter();
    let program = words.next().map(String::as_str).unwrap_or_default();
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    if !matches!(name.as_str(), "curl" | "curl.exe") {
        return Err("This is no cURL command.".into());
    }
    let mut command = Command { http: "auto".into(), ..Command::default() };
    let mut only_urls = false;
    while let Some(word) = words.next() {
        let mut value = |attached: &str| -> Result<String, String> {
            if attached.is_empty() {
                words.next().cloned().ok_or_else(|| format!("{word} wants a value."))
            } else {
                Ok(attached.to_owned())
            }
        };
        if only_urls || !word.starts_with('-') || word == "-" {
            command.url.push(word.trim().to_owned());
        } else if word == "--" {
            only_urls = true;
        } else if let Some(long) = word.strip_prefix("--") {
            let argument = match long {
                _ if takes_value(long) => value("")?,
                _ => String::new(),
            };
            option(&mut command, long, argument);
        } else {
            for (at, letter) in word[1..].char_indices() {
                let rest = &word[1 + at + letter.len_utf8()..];
                match long_of(letter) {
                    Some(long) if takes_value(long) => {
                        let argument = value(rest)?;
                        option(&mut command, long, argument);
                        break;
                    }
                    Some(long) => option(&mut command, long, String::new()),
                    None if VALUED_SHORT.contains(letter) => {
                        value(rest)?;
                        break;
                    }
                    None => {}
                }
            }
        }
    }
    match command.url.len() {
        0 => Err("It has no URL.".into()),
        1 => Ok(command),
        more => {
            command.notes.push(format!("It has {more} URLs; the first is taken."));
            command.url.truncate(1);
            Ok(command)
        }
    }
}

/// The long name of a short option that has a say here.
fn long_of(letter: char) -> Option<&'static str> {
    Some(match letter {
        'H' => "header",
        'd' => "data",
        'X' => "request",
        'u' => "user",
        'k' => "insecure",
        'N' => "no-buffer",
        'G' => "get",
        'b' => "cookie",
        'F' => "form",
        'A' => "user-agent",
        'e' => "referer",
        'I' => "head",
        _ => return None,
    })
}

fn takes_value(long: &str) -> bool {
    matches!(
        long,
        "header"
            | "data"
            | "data-raw"
            | "data-binary"
            | "data-ascii"
            | "data-urlencode"
            | "json"
            | "request"
            | "user"
            | "url"
            | "url-query"
            | "cookie"
            | "form"
            | "form-string"
            | "oauth2-bearer"
            | "aws-sigv4"
            | "upload-file"
    ) || VALUED.contains(&long)
}

fn option(command: &mut Command, long: &str, value: String) {
    match long {
        "header" if value.starts_with('@') => command.notes.push(format!("The fields of the file {} are not taken over.", &value[1..])),
        "header" => command.headers.push(value),
        "data" | "data-binary" | "data-ascii" | "json" if value.starts_with('@') => {
            let from = if value == "@-" { "standard input".to_owned() } else { format!("the file {}", &value[1..]) };
            command.notes.push(format!("The body is read from {from}, which is not here: put it in."));
        }
        // -d and its kin drop line ends only of what they read from files.
        "data" | "data-raw" | "data-binary" | "data-ascii" => command.body.push(value),
        "json" => {
            // Several are one text, not a form's members.
            match command.body.last_mut() {
                Some(last) => last.push_str(&value),
                None => command.body.push(value),
            }
            command.headers.push("Content-Type: application/json".into());
        }
        "data-urlencode" => command.body.push(urlencoded(&value)),
        "url-query" => command.notes.push("A member of the query given apart is not taken over.".into()),
        "request" => command.method = value.to_uppercase(),
        "user" => command.user = Some(value),
        "oauth2-bearer" => command.headers.push(format!("Authorization: Bearer {value}")),
        "url" => command.url.push(value),
        "cookie" => command.headers.push(format!("Cookie: {value}")),
        "aws-sigv4" => {
            command.notes.push("Signing is left to the provider's row: store ACCESS_KEY_ID:SECRET_ACCESS_KEY as its key.".into())
        }
        "form" | "form-string" | "upload-file" => command.notes.push("Files and forms of several parts are not taken over.".into()),
        "insecure" => command.insecure = true,
        "http1.1" | "http1.0" => command.http = "1.1".into(),
        "http2" | "http2-prior-knowledge" => command.http = "2".into(),
        "no-buffer" => command.unbuffered = true,
        "get" => command.get = true,
        "head" => command.method = "HEAD".into(),
        _ => {}
    }
}

/// `name=content` with the content percent-encoded, `=content`, or content alone.
fn urlencoded(value: &str) -> String {
    let encode = |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    match value.split_once('=') {
        Some(("", content)) => encode(content),
        Some((name, content)) => format!("{name}={}", encode(content)),
        None => encode(value),
    }
}
