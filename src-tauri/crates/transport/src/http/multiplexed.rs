//! Many requests at once on one HTTP/2 connection.

use ::http::{Method, Uri, Version};
use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinHandle;

use super::{See, Seen, Upload, failure};
use crate::progress::Progress;
use crate::{Blame, Error, Journal, Request, Target, dial, request};

/// An open HTTP/2 connection. Dropping it closes the connection, and ends what runs on it.
pub struct Multiplexed {
    sender: http2::SendRequest<Upload>,
    target: Target,
    driver: JoinHandle<()>,
}

impl Multiplexed {
    /// Dials `target` (with HTTP/2 by prior knowledge, or by ALPN over TLS) as connection `conn`.
    ///
    /// # Errors
    /// Those of [`dial()`], and `http-protocol` where the other end does not speak HTTP/2.
    pub async fn open(target: &Target, journal: Journal, conn: u32) -> Result<Self, Error> {
        let connection = dial(target, journal, conn).await?;
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(connection)).await;
        let (sender, driven) = handshake.map_err(|error| failure::classify(&error, &Progress::default()))?;
        let driver = tokio::spawn(async move {
            // How it ended, each exchange on it is told.
            let _ = driven.await;
        });
        Ok(Self { sender, target: target.clone(), driver })
    }

    /// Sends `request` as a stream of its own and tells `see` of the response until it ends.
    ///
    /// # Errors
    /// `bad-header`, `bad-url`, `bad-method`, and those of a response that breaks off.
    pub async fn exchange(&self, request: &Request, see: &mut See<'_>) -> Result<(), Error> {
        let endpoint = crate::endpoint::Endpoint::parse(&self.target)?;
        let mut fields = request::fields(&self.target, &endpoint, &request.headers)?;
        request::framing(&mut fields, request)?;
        let mut headers = request::map(fields);
        // What HTTP/1.1 calls Host is :authority here (RFC 9113, section 8.3.1).
        headers.remove(::http::header::HOST);
        let scheme = if endpoint.tls { "https" } else { "http" };
        let bad = |code: &str, what: &str| Error::new(Blame::User, code, what.to_owned());
        let uri = Uri::try_from(format!("{scheme}://{}{}", endpoint.authority(), endpoint.path_and_query(&self.target)?))
            .map_err(|_| bad("bad-url", "The URL's path or query cannot be sent."))?;
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| bad("bad-method", "The method cannot be sent."))?;
        let body = Upload { handed_over: Default::default(), body: request.body.clone() };
        let mut outgoing = ::http::Request::new(body);
        *outgoing.method_mut() = method;
        *outgoing.uri_mut() = uri;
        *outgoing.version_mut() = Version::HTTP_2;
        *outgoing.headers_mut() = headers;
        let progress = Progress::default();
        let failed = |error: hyper::Error| failure::classify(&error, &progress);
        let mut sender = self.sender.clone();
        sender.ready().await.map_err(failed)?;
        let (head, mut body) = sender.send_request(outgoing).await.map_err(failed)?.into_parts();
        if see(Seen::Head { status: head.status.as_u16(), headers: &head.headers }).is_break() {
            return Ok(());
        }
        while let Some(frame) = body.frame().await {
            if let Some(data) = frame.map_err(failed)?.data_ref()
                && see(Seen::Data(data)).is_break()
            {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Drop for Multiplexed {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
