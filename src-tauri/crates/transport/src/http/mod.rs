//! One HTTP request and its response, over hyper's connection API on a tapped stream.
//!
//! hyper keeps the protocol correct; what it delivers is discarded, because the journal has the bytes. The connection is driven
//! by the caller's own task: when [`exchange`] is dropped or cancelled, nothing of it lives on.

mod drive;
mod failure;
mod multiplexed;

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::header::{HeaderMap, HeaderValue, PROXY_AUTHORIZATION};
use ::http::{Method, Uri, Version};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;

pub use multiplexed::Multiplexed;

use crate::dial::{self, Established};
use crate::endpoint::Endpoint;
use crate::progress::{Progress, total};
use crate::redact::Patterns;
use crate::request::{self, Field};
use crate::tap::{self, Count, End, Frames, Tap};
use crate::{Blame, Control, Error, Journal, Limits, Mark, Request, Target};

/// How long the body may take to end by itself after [`Control::finish`].
const GRACE: Duration = Duration::from_secs(1);

/// Dials `target` as connection `conn`, sends `request` and reads the response to its end, whatever its status; redirects are not
/// followed. Everything is in `journal`, see the crate's head for the marks.
///
/// HTTP/1.1: Host, User-Agent, then the fields as given; names are written in title case. No Accept-Encoding is added.
///
/// # Errors
/// Those of [`dial::dial`], and by code: `bad-header`, `bad-method`, `no-key`; `http-protocol` (the response breaks HTTP),
/// `stream-reset` (HTTP/2), `empty-reply`, `cut` (it ended early), `reset`; `timeout-first-byte`, `timeout-idle`, `timeout-total`;
/// `cancelled`.
pub async fn exchange(target: &Target, request: &Request, journal: Journal, conn: u32, control: &Control) -> Result<(), Error> {
    exchange_seen(target, request, journal, conn, control, &mut |_| ControlFlow::Continue(())).await
}

/// What an exchange sees of its response, for those who must act on it at once.
#[derive(Debug)]
pub enum Seen<'a> {
    /// The final response's head.
    Head {
        /// Status code.
        status: u16,
        /// Its fields.
        headers: &'a HeaderMap,
    },
    /// The next bytes of the body, free of chunk lines and frames; still under its content coding.
    Data(&'a Bytes),
}

/// Is told what an exchange sees; with a break it has seen enough: the connection is closed, and the exchange succeeds.
pub type See<'a> = dyn FnMut(Seen<'_>) -> ControlFlow<()> + Send + 'a;

/// As [`exchange`], and tells `see` of the response as it comes.
///
/// # Errors
/// As [`exchange`].
pub async fn exchange_seen(
    target: &Target,
    request: &Request,
    journal: Journal,
    conn: u32,
    control: &Control,
    see: &mut See<'_>,
) -> Result<(), Error> {
    exchanges(target, request, journal, conn, control, false, see).await
}

/// As [`exchange`], twice on one connection: the second request begins at [`Mark::Again`], when the first one's response is over. With
/// HTTP/1.1 the server must keep the connection open for it.
///
/// # Errors
/// As [`exchange`].
pub async fn exchange_again(target: &Target, request: &Request, journal: Journal, conn: u32, control: &Control) -> Result<(), Error> {
    exchanges(target, request, journal, conn, control, true, &mut |_| ControlFlow::Continue(())).await
}

async fn exchanges(
    target: &Target,
    request: &Request,
    journal: Journal,
    conn: u32,
    control: &Control,
    twice: bool,
    see: &mut See<'_>,
) -> Result<(), Error> {
    let patterns = dial::patterns(target, request::basic(&request.headers)).map(Arc::new);
    let (count, progress) = (Arc::default(), control.progress());
    progress.set_live(true);
    let outcome = tokio::select! {
        biased;
        () = control.cancelled() => Err(Error::cancelled()),
        error = total(target.limits.total) => Err(error),
        outcome = attempt(target, request, &journal, conn, control, patterns.as_ref(), &count, twice, see) => outcome,
    };
    // The socket is closed by now.
    conclude(outcome, &journal, conn, &count, progress, patterns.as_deref())
}

/// Writes a connection's last marks.
pub(crate) fn conclude(
    outcome: Result<(), Error>,
    journal: &Journal,
    conn: u32,
    count: &Count,
    progress: &Progress,
    patterns: Option<&Patterns>,
) -> Result<(), Error> {
    match outcome {
        Ok(()) => {
            progress.set_live(false);
            dial::overhead(journal, conn, count, Some(progress));
            journal.mark(conn, Mark::Closed);
            Ok(())
        }
        Err(error) => Err(conclude_failed(error, journal, conn, count, progress, patterns)),
    }
}

/// As [`conclude`]; gives the error as it may be shown.
pub(crate) fn conclude_failed(
    error: Error,
    journal: &Journal,
    conn: u32,
    count: &Count,
    progress: &Progress,
    patterns: Option<&Patterns>,
) -> Error {
    progress.set_live(false);
    dial::overhead(journal, conn, count, Some(progress));
    let error = error.at(progress.stage()).scrub(patterns);
    journal.mark(conn, if error.code == "cancelled" { Mark::Cancelled } else { Mark::Failed(error.clone()) });
    error
}

#[allow(clippy::too_many_arguments)]
async fn attempt(
    target: &Target,
    request: &Request,
    journal: &Journal,
    conn: u32,
    control: &Control,
    patterns: Option<&Arc<Patterns>>,
    count: &Arc<Count>,
    twice: bool,
    see: &mut See<'_>,
) -> Result<(), Error> {
    let opening = dial::open(target, journal, conn)?;
    if opening.endpoint.websocket {
        return Err(Error::new(Blame::User, "unsupported-scheme", "An HTTP request needs an http or https URL.")
            .evidence(target.url.clone())
            .next("Choose WebSocket as the transport, or change the URL."));
    }
    let mut fields = request::fields(target, &opening.endpoint, &request.headers)?;
    request::framing(&mut fields, request)?;
    let endpoint = opening.endpoint.clone();
    let path = endpoint.path_and_query(target)?;
    let method = Method::from_bytes(request.method.as_bytes()).ok().filter(|method| *method != Method::CONNECT).ok_or_else(|| {
        Error::new(Blame::User, "bad-method", "The method cannot be sent.").evidence(request.method.clone()).next("Use POST or GET.")
    })?;
    let established = dial::establish(opening, target, journal, conn, false, count).await?;
    let again = twice.then(|| {
        let mut fields = request::fields(target, &endpoint, &request.headers)?;
        request::framing(&mut fields, request)?;
        let request = compose(method.clone(), &path, fields, request.body.clone(), &endpoint, &established)?;
        Ok(Again { request, journal: journal.clone(), conn })
    });
    let again = again.transpose()?;
    let request = compose(method, &path, fields, request.body.clone(), &endpoint, &established)?;
    let h2 = established.h2;
    let tap = established.tap(journal, conn, patterns, false, Arc::clone(control.progress()));
    converse(tap, h2, request, again, &target.limits, control, see).await
}

/// A second request on the connection, and where to say that it begins.
struct Again {
    request: ::http::Request<Upload>,
    journal: Journal,
    conn: u32,
}

impl Again {
    /// Says that it begins now.
    fn begin(self, progress: &Progress) -> ::http::Request<Upload> {
        progress.anew();
        self.journal.mark(self.conn, Mark::Again);
        self.request
    }
}

fn compose(
    method: Method,
    path: &str,
    fields: Vec<Field>,
    body: Bytes,
    endpoint: &Endpoint,
    established: &Established,
) -> Result<::http::Request<Upload>, Error> {
    let mut headers = request::map(fields);
    let host = headers.get(::http::header::HOST).and_then(|host| host.to_str().ok()).map_or_else(|| endpoint.authority(), str::to_owned);
    let scheme = if endpoint.tls { "https" } else { "http" };
    let uri = if established.h2 {
        // What HTTP/1.1 calls Host is :authority here (RFC 9113, section 8.3.1).
        headers.remove(::http::header::HOST);
        Uri::try_from(format!("{scheme}://{host}{path}"))
    } else if established.forward.is_some() {
        Uri::try_from(format!("{scheme}://{}{path}", endpoint.authority()))
    } else {
        Uri::try_from(path)
    };
    let uri = uri.map_err(|error| {
        Error::new(Blame::User, "bad-url", "The URL's path or query cannot be sent.")
            .evidence(error.to_string())
            .next("Percent-encode its special characters.")
    })?;
    if let Some(Some(authorization)) = &established.forward
        && let Ok(mut value) = HeaderValue::try_from(authorization)
    {
        value.set_sensitive(true);
        headers.insert(PROXY_AUTHORIZATION, value);
    }
    let mut request = ::http::Request::new(Upload { handed_over: Arc::new(AtomicBool::new(body.is_empty())), body });
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.version_mut() = if established.h2 { Version::HTTP_2 } else { Version::HTTP_11 };
    *request.headers_mut() = headers;
    Ok(request)
}

/// Sends `request` over `tap` and drains the response, within the limits for first byte and idle.
async fn converse<S>(
    mut tap: Tap<S>,
    h2: bool,
    request: ::http::Request<Upload>,
    again: Option<Again>,
    limits: &Limits,
    control: &Control,
    see: &mut See<'_>,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let progress = control.progress();
    tap.watch(if h2 { End::Stream(Frames::new()) } else { End::FlushAfter(Arc::clone(&request.body().handed_over)) });
    if let Some(again) = &again {
        tap.watch_again(if h2 { tap::Again::Stream } else { tap::Again::FlushAfter(Arc::clone(&again.request.body().handed_over)) });
    }
    let outcome = tokio::select! {
        biased;
        error = progress.overdue(limits) => Err(error),
        outcome = async { if h2 { over_http2(tap, request, again, progress, see).await } else { over_http1(tap, request, again, progress, see).await } } => outcome,
        () = async { control.finishing().await; sleep(GRACE).await } => Ok(()),
    };
    // Once the reply is complete, how the connection ends is of no matter.
    if control.is_finishing() { Ok(()) } else { outcome }
}

/// hyper's read buffer: it bounds a response's head and is what one read can take.
const BUFFER: usize = 512 << 10;

async fn over_http1<S>(
    tap: Tap<S>,
    request: ::http::Request<Upload>,
    again: Option<Again>,
    progress: &Progress,
    see: &mut See<'_>,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let handshake = http1::Builder::new()
        .title_case_headers(true)
        .read_buf_exact_size(Some(BUFFER))
        .max_headers(1000)
        // Servers that break these two rules are read by every other client; the dissector tells of the breach.
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .handshake(TokioIo::new(tap))
        .await;
    let (mut sender, connection) = handshake.map_err(|error| failure::classify(&error, progress))?;
    let drained = drive::Drained::default();
    let respond = async {
        drain(sender.send_request(request), progress, &drained, see).await?;
        if let Some(again) = again {
            sender.ready().await?;
            drain(sender.send_request(again.begin(progress)), progress, &drained, see).await?;
        }
        Ok(())
    };
    let failure = drive::drive(Box::pin(connection), drive::Spawned::default(), respond, &drained, false).await.err();
    failure.map_or(Ok(()), |errors| Err(failure::over_http1(&errors, progress)))
}

async fn over_http2<S>(
    tap: Tap<S>,
    request: ::http::Request<Upload>,
    again: Option<Again>,
    progress: &Progress,
    see: &mut See<'_>,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let spawned = drive::Spawned::default();
    let mut builder = http2::Builder::new(spawned.clone());
    // Windows so large that a fast server never waits for one; memory stays small, since all data is discarded on arrival.
    builder
        .initial_stream_window_size(8 << 20)
        .initial_connection_window_size(16 << 20)
        .adaptive_window(false)
        .max_header_list_size(256 << 10);
    let handshake = builder.handshake(TokioIo::new(tap)).await;
    let (mut sender, connection) = handshake.map_err(|error| failure::classify(&error, progress))?;
    let drained = drive::Drained::default();
    // The sender goes when the response is over, which lets hyper say GOAWAY.
    let respond = async {
        let mut outcome = drain(sender.send_request(request), progress, &drained, see).await;
        if let (Ok(()), Some(again)) = (&outcome, again) {
            outcome = match sender.ready().await {
                Ok(()) => drain(sender.send_request(again.begin(progress)), progress, &drained, see).await,
                Err(error) => Err(error),
            };
        }
        drop(sender);
        outcome
    };
    let failure = drive::drive(Box::pin(connection), spawned, respond, &drained, true).await.err();
    failure.map_or(Ok(()), |errors| Err(failure::over_http2(&errors, progress)))
}

/// Waits for the response and lets its body pass by.
async fn drain(
    response: impl Future<Output = hyper::Result<::http::Response<hyper::body::Incoming>>>,
    progress: &Progress,
    drained: &drive::Drained,
    see: &mut See<'_>,
) -> hyper::Result<()> {
    let (head, mut body) = response.await?.into_parts();
    progress.begin();
    if see(Seen::Head { status: head.status.as_u16(), headers: &head.headers }).is_break() {
        return Ok(());
    }
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        drained.count();
        if let Some(data) = frame.data_ref()
            && see(Seen::Data(data)).is_break()
        {
            break;
        }
    }
    Ok(())
}

/// A body in one piece, which tells when hyper has taken it.
struct Upload {
    body: Bytes,
    handed_over: Arc<AtomicBool>,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.handed_over.store(true, Relaxed);
        let body = std::mem::take(&mut self.body);
        Poll::Ready((!body.is_empty()).then(|| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.len() as u64)
    }
}

#[cfg(test)]
mod tests;
