//! TLS with a certificate made at start, for clients that insist on it. An authority that nobody else has signs one certificate for
//! this machine's own names; its key is forgotten at once, and it may sign for no other names, so that trusting it endangers nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::HEAD_TIME;

/// What cannot be said before the certificate is there.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// No key, or no signature.
    #[error(transparent)]
    Made(#[from] rcgen::Error),
    /// The TLS library does not take it.
    #[error(transparent)]
    Taken(#[from] rustls::Error),
}

/// The Lab's side of TLS.
#[derive(Clone)]
pub(super) struct Tls {
    /// The authority's certificate.
    pub ca_pem: Arc<str>,
    both: TlsAcceptor,
    http1: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// How long the certificates hold. Some clients take none that holds for more than 825 days.
const DAYS: u64 = 397;

impl Tls {
    pub(super) fn new() -> Result<Tls, CertificateError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let day = Duration::from_secs(86_400);
        let mut params = CertificateParams::default();
        // A clock that is a little off must not make them invalid.
        params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(day);
        params.not_after = date_time_ymd(1970, 1, 1) + now + day * DAYS as u32;
        let (v4, v6) = (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST);

        let mut authority = params.clone();
        authority.distinguished_name.push(DnType::CommonName, "Weir Lab (this run only)");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        authority.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![
                GeneralSubtree::DnsName("localhost".into()),
                GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(v4.octets(), 32)),
                GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(v6.octets(), 128)),
            ],
            excluded_subtrees: Vec::new(),
        });
        let authority_key = KeyPair::generate()?;
        let ca = authority.self_signed(&authority_key)?;

        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.subject_alt_names =
            vec![SanType::DnsName("localhost".try_into()?), SanType::IpAddress(IpAddr::V4(v4)), SanType::IpAddress(IpAddr::V6(v6))];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &Issuer::from_params(&authority, &authority_key))?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let http1 = Arc::new(config.clone()).into();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls { ca_pem: ca.pem().into(), both: Arc::new(config).into(), http1 })
    }

    /// Shakes hands on `stream`. The client chooses by ALPN, of which it is offered HTTP/2 where `http2`.
    pub(super) async fn accept(
        &self,
        stream: super::wire::Wire,
        http2: bool,
    ) -> io::Result<tokio_rustls::server::TlsStream<super::wire::Wire>> {
        let acceptor = if http2 { &self.both } else { &self.http1 };
        timeout(HEAD_TIME, acceptor.accept(stream)).await?
    }
}

/// Whether what the client sends first is a TLS record of a handshake (RFC 8446 §5.1); nothing is taken from the stream. No request
/// begins with this byte, so one port serves both.
pub(super) async fn is_begun(stream: &TcpStream) -> bool {
    let mut first = [0; 1];
    matches!(timeout(HEAD_TIME, stream.peek(&mut first)).await, Ok(Ok(1))) && first[0] == 22
}
