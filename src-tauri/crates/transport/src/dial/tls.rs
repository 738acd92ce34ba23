//! TLS with rustls: the platform's roots and the target's own, or no check at all, by choice.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Stream;
use crate::endpoint::Endpoint;
use crate::tap::Counted;
use crate::{Blame, Error, HttpVersion, Phase, Target};

/// The platform's roots are read again after this long, so that a root installed meanwhile counts.
const ROOTS_LAST: Duration = Duration::from_secs(300);

static PLATFORM: Mutex<Option<(Instant, Arc<Verifier>)>> = Mutex::new(None);

/// How to speak TLS to `target`. Reads roots, which can take tens of milliseconds, on a thread for that.
pub(super) async fn config(target: &Target, version: HttpVersion) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if target.insecure {
        Arc::new(AcceptAll(Arc::clone(&provider)))
    } else {
        let (roots, provider) = (target.roots.clone(), Arc::clone(&provider));
        tokio::task::spawn_blocking(move || verifier(&roots, provider)).await.map_err(|error| {
            Error::new(Blame::Local, "local", "Reading the trusted roots was interrupted.").evidence(error.to_string())
        })??
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Blame::Local, "tls", "TLS cannot be set up.").evidence(error.to_string()))?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    let protocols: &[&[u8]] = match version {
        HttpVersion::Http11 => &[b"http/1.1"],
        HttpVersion::Http2 => &[b"h2"],
        HttpVersion::Auto => &[b"h2", b"http/1.1"],
    };
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

fn verifier(roots: &[PathBuf], provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let unusable = |error: rustls::Error| {
        Error::new(Blame::Configuration, "no-roots", "There is no root certificate to check the server's against.")
            .evidence(error.to_string())
            .next("Install the system's root certificates (on Debian: ca-certificates), or name a PEM file with roots.")
    };
    if roots.is_empty() {
        let mut platform = PLATFORM.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, verifier)) = &*platform
            && read.elapsed() < ROOTS_LAST
        {
            return Ok(Arc::clone(verifier) as _);
        }
        let verifier = Arc::new(Verifier::new(provider).map_err(unusable)?);
        *platform = Some((Instant::now(), Arc::clone(&verifier)));
        return Ok(verifier);
    }
    let mut extra = Vec::new();
    for path in roots {
        let bad = |evidence: String| {
            Error::new(Blame::Configuration, "bad-root", format!("The root certificates in {} cannot be used.", path.display()))
                .evidence(evidence)
                .next("Name a PEM file with at least one BEGIN CERTIFICATE block.")
        };
        let certificates =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|error| bad(error.to_string()))?;
        if certificates.is_empty() {
            return Err(bad("no certificate in the file".into()));
        }
        for certificate in &certificates {
            rustls::RootCertStore::empty().add(certificate.clone()).map_err(|error| bad(error.to_string()))?;
        }
        extra.extend(certificates);
    }
    Ok(Arc::new(Verifier::new_with_extra_roots(extra, provider).map_err(unusable)?))
}

/// The handshake; with the stream, what was agreed, and whether that is HTTP/2.
pub(super) async fn handshake(
    tcp: Counted<TcpStream>,
    config: Arc<ClientConfig>,
    endpoint: &Endpoint,
    target: &Target,
    version: HttpVersion,
) -> Result<(Stream, Phase, bool), Error> {
    let host = endpoint.host.to_string();
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|error| {
        Error::new(Blame::User, "bad-url", format!("{host} cannot be a certificate's name."))
            .evidence(error.to_string())
            .next("Use the server's DNS name.")
    })?;
    let stream = TlsConnector::from(config).connect(name, tcp).await.map_err(|error| failed(&error, &host))?;
    let (_, session) = stream.get_ref();
    let alpn = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
    let h2 = alpn == "h2";
    if version == HttpVersion::Http2 && !h2 {
        return Err(no_http2(&host, format!("ALPN agreed on {}", if alpn.is_empty() { "nothing" } else { &alpn })));
    }
    let phase = Phase::Tls {
        version: session.protocol_version().and_then(|version| version.as_str()).unwrap_or("unknown").replace('_', "."),
        cipher: session.negotiated_cipher_suite().map(|suite| iana(suite.suite())).unwrap_or_default(),
        alpn,
        insecure: target.insecure,
    };
    Ok((Stream::Tls(Box::new(stream)), phase, h2))
}

/// rustls writes `TLS13_AES_…` where IANA has `TLS_AES_…`.
fn iana(suite: rustls::CipherSuite) -> String {
    suite.as_str().map_or_else(|| format!("{suite:?}"), |name| name.replacen("TLS13_", "TLS_", 1))
}

fn no_http2(host: &str, evidence: String) -> Error {
    Error::new(Blame::Peer, "http-version", format!("{host} does not offer HTTP/2."))
        .evidence(evidence)
        .next("Choose HTTP/1.1 or automatic.")
}

/// What a failed handshake means.
fn failed(error: &std::io::Error, host: &str) -> Error {
    const UNTRUSTED: &str =
        "If you know this server, add its root certificate in the settings, or accept any certificate for this request.";
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return Error::io(error, "TLS was being set up");
    };
    match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names = if presented.is_empty() {
                    "no name at all".to_owned()
                } else {
                    presented.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ")
                };
                Error::new(Blame::Peer, "tls-name", format!("The certificate is not for {host}."))
                    .evidence(format!("It is for {names}."))
                    .next("Use a name from the certificate in the URL. If the name is right, somebody may be between you and the server.")
            }
            CertificateError::NotValidForName => Error::new(Blame::Peer, "tls-name", format!("The certificate is not for {host}."))
                .evidence(error.to_string())
                .next("Check the host in the URL."),
            CertificateError::ExpiredContext { time, not_after } => {
                expired(host, "has expired").evidence(format!("Valid until {}, now it is {}.", day(*not_after), day(*time)))
            }
            CertificateError::NotValidYetContext { time, not_before } => {
                expired(host, "is not valid yet").evidence(format!("Valid from {}, now it is {}.", day(*not_before), day(*time)))
            }
            CertificateError::Expired | CertificateError::NotValidYet => expired(host, "is not valid now").evidence(error.to_string()),
            CertificateError::UnknownIssuer => {
                Error::new(Blame::Peer, "tls-untrusted", format!("Nobody this machine trusts vouches for {host}."))
                    .evidence("The certificate's issuer is none of the trusted roots.")
                    .next(UNTRUSTED)
            }
            other => Error::new(Blame::Peer, "tls-untrusted", format!("The certificate of {host} was rejected."))
                .evidence(format!("{other:?}"))
                .next(UNTRUSTED),
        },
        rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            no_http2(host, "TLS alert: no application protocol in common".into())
        }
        rustls::Error::AlertReceived(alert) => Error::new(Blame::Peer, "tls", format!("{host} broke off the TLS handshake."))
            .evidence(format!("TLS alert: {alert:?}"))
            .next("The server may want another TLS version, another host name or a client certificate."),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            Error::new(Blame::Peer, "tls", format!("{host} does not speak TLS on this port."))
                .evidence(error.to_string())
                .next("Check the port, or use http:// (ws://) if the server is plain.")
        }
        other => Error::new(Blame::Peer, "tls", format!("The TLS handshake with {host} failed."))
            .evidence(other.to_string())
            .next("The evidence is the TLS library's reason."),
    }
}

fn expired(host: &str, how: &str) -> Error {
    Error::new(Blame::Peer, "tls-expired", format!("The certificate of {host} {how}."))
        .next("Check this machine's clock. If it is right, the server's owner must renew the certificate.")
}

/// `2026-03-01`, by the Gregorian calendar (days to civil date).
fn day(time: UnixTime) -> String {
    let days = i64::try_from(time.as_secs() / 86_400).unwrap_or_default() + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (year_of_era + era * 400 + i64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
    format!("{year:04}-{month:02}-{day:02}")
}

/// Takes any certificate, and any signature with it. It is used when the user says so and shown wherever the connection is.
#[derive(Debug)]
struct AcceptAll(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A certificate's name without the kind that rustls writes around it, as in `DnsName("example.com")`.
fn plain(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(presented, |name| name.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_gregorian() {
        for (seconds, text) in
            [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_767_225_599, "2025-12-31"), (4_107_542_400, "2100-03-01")]
        {
            assert_eq!(day(UnixTime::since_unix_epoch(Duration::from_secs(seconds))), text);
        }
    }
}
