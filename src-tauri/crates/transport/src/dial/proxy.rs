//! Whether a proxy stands between, and the tunnel through it.

use std::env;
use std::net::IpAddr;

use base64::prelude::{BASE64_STANDARD, Engine};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use url::{Host, Url};

use crate::endpoint::Endpoint;
use crate::{Blame, Error, Proxy};

/// A proxy to go through.
#[derive(Clone, Debug)]
pub(crate) struct Via {
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// The Proxy-Authorization field's value.
    pub(crate) authorization: Option<String>,
}

impl Via {
    /// What must not be logged: the credentials as `user:password`.
    pub(crate) fn secret(&self) -> Option<String> {
        let coded = self.authorization.as_deref()?.strip_prefix("Basic ")?;
        String::from_utf8(BASE64_STANDARD.decode(coded).ok()?).ok()
    }

    fn parse(text: &str) -> Result<Self, Error> {
        // The text may hold a password: it is no evidence.
        let bad = |message: &str| {
            Error::new(Blame::Configuration, "bad-proxy", message)
                .evidence("from the proxy setting, or from HTTPS_PROXY, HTTP_PROXY or ALL_PROXY")
                .next("Give an http:// proxy, e.g. http://127.0.0.1:3128, or choose a direct connection.")
        };
        let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) }
            .map_err(|_| bad("The proxy's address cannot be read."))?;
        if url.scheme() != "http" {
            return Err(bad(&format!("Weir does not speak to {} proxies.", url.scheme())));
        }
        let host = url.host().map(|host| host.to_owned()).ok_or_else(|| bad("The proxy's address names no host."))?;
        let authorization = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let credentials = format!("{}:{}", percent_decode(url.username()), percent_decode(url.password().unwrap_or_default()));
            format!("Basic {}", BASE64_STANDARD.encode(credentials))
        });
        Ok(Self { host, port: url.port_or_known_default().unwrap_or(80), authorization })
    }
}

fn percent_decode(text: &str) -> String {
    let pair = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

/// An environment variable that is set to something.
pub(crate) fn environment(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The proxy for `endpoint`, if any.
pub(crate) fn choose(proxy: &Proxy, endpoint: &Endpoint, environment: &dyn Fn(&str) -> Option<String>) -> Result<Option<Via>, Error> {
    match proxy {
        Proxy::Direct => Ok(None),
        Proxy::Url(url) => Via::parse(url).map(Some),
        Proxy::System => {
            if is_loopback(&endpoint.host) {
                return Ok(None);
            }
            // Lower case first, as curl does: some daemons set HTTP_PROXY from a request's Proxy field.
            let either = |name: &str| environment(&name.to_lowercase()).or_else(|| environment(name));
            if either("NO_PROXY").is_some_and(|list| exempt(&list, endpoint)) {
                return Ok(None);
            }
            let own = if endpoint.tls { "HTTPS_PROXY" } else { "HTTP_PROXY" };
            either(own).or_else(|| either("ALL_PROXY")).map(|url| Via::parse(&url)).transpose()
        }
    }
}

fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether NO_PROXY's list names the endpoint: `*`, a domain with everything below it, an address, a network as `10.0.0.0/8`,
/// each with an optional port.
fn exempt(list: &str, endpoint: &Endpoint) -> bool {
    let host = endpoint.host.to_string().to_lowercase();
    let bare = host.trim_matches(['[', ']']);
    let address: Option<IpAddr> = bare.parse().ok();
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_lowercase();
        if entry == "*" {
            return true;
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse::<u16>().ok()),
            _ => (entry.as_str(), None),
        };
        if port.is_some_and(|port| port != endpoint.port) {
            return false;
        }
        let name = name.trim_matches(['[', ']']).trim_start_matches('.').trim_start_matches("*.");
        match (address, name.split_once('/')) {
            (Some(address), Some((network, bits))) => {
                network.parse().ok().zip(bits.parse().ok()).is_some_and(|(network, bits)| within(address, network, bits))
            }
            (Some(address), None) => name.parse() == Ok(address),
            (None, _) => bare == name || bare.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
        }
    })
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            bits <= 32 && (u32::from(address) ^ u32::from(network)).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            bits <= 128 && (u128::from(address) ^ u128::from(network)).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// A proxy's answer may be this long, not longer.
const MAX_HEAD: usize = 64 << 10;

/// Asks the proxy for a tunnel (RFC 9110, section 9.3.6). What is said here is not in the journal: it is not the exchange's.
pub(super) async fn connect(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), via: &Via, endpoint: &Endpoint) -> Result<(), Error> {
    let place = endpoint.host_and_port();
    let authorization = via.authorization.iter().map(|value| format!("Proxy-Authorization: {value}\r\n")).collect::<String>();
    let agent = crate::USER_AGENT;
    let broken = |error: std::io::Error| Error::io(&error, "the proxy was asked to connect");
    stream
        .write_all(format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: {agent}\r\n{authorization}\r\n").as_bytes())
        .await
        .map_err(broken)?;
    let mut answer = Vec::new();
    // Byte by byte, so that nothing that follows is taken; the head is short.
    while !answer.ends_with(b"\r\n\r\n") && !answer.ends_with(b"\n\n") && answer.len() < MAX_HEAD {
        answer.push(stream.read_u8().await.map_err(broken)?);
    }
    let text = String::from_utf8_lossy(&answer);
    let line = text.lines().next().unwrap_or_default();
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|digits| digits.parse::<u16>().ok());
    match status {
        Some(200..300) => Ok(()),
        Some(407) => Err(Error::new(Blame::Configuration, "proxy-refused", "The proxy wants a login (407).")
            .evidence(text.trim_end())
            .next("Put user and password into the proxy's URL: http://user:password@host:port.")),
        Some(status) => {
            Err(Error::new(Blame::Configuration, "proxy-refused", format!("The proxy refused to connect to {place} ({status})."))
                .evidence(text.trim_end())
                .next("Ask whoever runs the proxy to allow this host, or exempt it with NO_PROXY."))
        }
        None => Err(Error::new(Blame::Configuration, "proxy-protocol", "What answered is no HTTP proxy.")
            .evidence(line.chars().take(200).collect::<String>())
            .next("Check the proxy's address and port.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::parse(&Target { url: url.into(), ..Target::default() }).unwrap()
    }

    fn chosen(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let environment = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        choose(&Proxy::System, &endpoint(url), &environment).unwrap().map(|via| format!("{}:{}", via.host, via.port))
    }

    #[test]
    fn the_environment_chooses_by_scheme() {
        let variables = [("HTTPS_PROXY", "http://secure:1"), ("http_proxy", "plain:2")];
        assert_eq!(chosen("https://a.example", &variables).unwrap(), "secure:1");
        assert_eq!(chosen("wss://a.example", &variables).unwrap(), "secure:1");
        assert_eq!(chosen("http://a.example", &variables).unwrap(), "plain:2");
        assert_eq!(chosen("ws://a.example", &variables).unwrap(), "plain:2");
        assert_eq!(chosen("http://a.example", &[("all_proxy", "http://any")]).unwrap(), "any:80");
        assert_eq!(chosen("http://a.example", &[]), None);
    }

    #[test]
    fn loopback_is_direct() {
        for url in ["http://localhost:1", "http://x.localhost", "http://127.0.0.9", "http://[::1]:3"] {
            assert_eq!(chosen(url, &[("ALL_PROXY", "http://any")]), None, "{url}");
        }
    }

    #[test]
    fn no_proxy_exempts() {
        let exempts = |list: &str, url: &str| exempt(list, &endpoint(url));
        for list in ["*", "example.com", ".example.com", "x, api.example.com", "*.example.com", "example.com:443"] {
            assert!(exempts(list, "https://api.example.com"), "{list}");
        }
        for list in ["", "ample.com", "other.com", "example.com:80", "pi.example.com"] {
            assert!(!exempts(list, "https://api.example.com"), "{list}");
        }
        assert!(exempts("10.0.0.0/8", "http://10.9.8.7") && !exempts("10.0.0.0/8", "http://11.0.0.1"));
        assert!(exempts("fd00::/8", "http://[fd12::1]") && exempts("[fd12::1]:80", "http://[fd12::1]"));
        assert!(exempts("0.0.0.0/0", "http://1.2.3.4") && !exempts("1.2.3.0/33", "http://1.2.3.4"));
    }

    #[test]
    fn credentials_come_from_the_url_and_are_no_evidence() {
        let via = Via::parse("http://us%40er:p+w%3A@host:3128").unwrap();
        assert_eq!(via.secret().unwrap(), "us@er:p+w:");
        let error = Via::parse("socks5://user:hunter2@host").unwrap_err();
        assert_eq!((error.code.as_str(), error.blame), ("bad-proxy", Blame::Configuration));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
