//! Response bodies: a whole one, or one that is written as the reply is said.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::connections::Exchange;
use crate::play::{Gone, Manner, Outlet, breathe};

/// A body hyper can send.
#[derive(Debug)]
pub(crate) enum Reply {
    /// All at once, with a Content-Length.
    Whole(Option<Bytes>),
    /// As it comes.
    Live {
        parts: mpsc::Receiver<Bytes>,
        /// Each part in its own write. hyper writes out what it holds when a body has nothing ready, so the body says so once
        /// after each part.
        apart: bool,
        breathing: bool,
    },
}

impl Reply {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Reply {
        Reply::Whole(Some(bytes.into()))
    }

    /// A body and the end it is written from. It holds one part at most: a client that does not read stops the writer.
    pub(crate) fn live(apart: bool) -> (mpsc::Sender<Bytes>, Reply) {
        let (sender, parts) = mpsc::channel(1);
        (sender, Reply::Live { parts, apart, breathing: apart })
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Reply::Whole(bytes) => Poll::Ready(bytes.take().filter(|b| !b.is_empty()).map(|b| Ok(Frame::data(b)))),
            Reply::Live { parts, apart, breathing } => {
                if std::mem::take(breathing) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                let part = std::task::ready!(parts.poll_recv(cx));
                *breathing = *apart;
                Poll::Ready(part.map(|b| Ok(Frame::data(b))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Reply::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Reply::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Reply::Live { .. } => SizeHint::default(),
        }
    }
}

/// How events are set apart in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The WHATWG event stream format, with this line ending.
    Sse(&'static str),
    /// A line feed after each value.
    Ndjson,
    /// Nothing around the payload.
    Bare,
}

impl Framing {
    fn before(self, name: Option<&str>) -> String {
        match (self, name) {
            (Framing::Sse(end), Some(name)) => format!("event: {name}{end}data: "),
            (Framing::Sse(_), None) => "data: ".into(),
            _ => String::new(),
        }
    }

    fn after(self) -> String {
        match self {
            Framing::Sse(end) => end.repeat(2),
            Framing::Ndjson => "\n".into(),
            Framing::Bare => String::new(),
        }
    }
}

/// Writes events into a body.
pub(crate) struct BodyOutlet<'a> {
    pub parts: mpsc::Sender<Bytes>,
    pub framing: Framing,
    pub exchange: &'a Exchange,
}

impl BodyOutlet<'_> {
    async fn part(&self, bytes: Bytes) -> Result<(), Gone> {
        let length = bytes.len();
        self.parts.send(bytes).await.map_err(|_| Gone)?;
        self.exchange.sent(length);
        Ok(())
    }
}

/// Part size for bodies that would be too large to hold.
pub(crate) const BLOCK: usize = 64 << 10;

impl Outlet for BodyOutlet<'_> {
    async fn send(&mut self, name: Option<&str>, payload: Vec<u8>, manner: Manner) -> Result<(), Gone> {
        let before = self.framing.before(name);
        let inside = manner.split.map(|at| before.len() + at);
        let mut bytes = before.into_bytes();
        bytes.extend(payload);
        bytes.extend(self.framing.after().into_bytes());
        let mut bytes = Bytes::from(bytes);
        if let Some(pause) = manner.drip {
            return drip(self, bytes, pause).await;
        }
        if let Some(inside) = inside {
            self.part(bytes.split_to(inside)).await?;
            breathe().await;
        }
        self.part(bytes).await
    }

    async fn pad(&mut self, before: &str, length: u64, after: &str) -> Result<(), Gone> {
        self.part(format!("{}{before}", self.framing.before(None)).into()).await?;
        let block = Bytes::from(vec![b'x'; BLOCK]);
        let mut left = length;
        while left > 0 {
            let take = left.min(BLOCK as u64) as usize;
            self.part(block.slice(..take)).await?;
            left -= take as u64;
        }
        self.part(format!("{after}{}", self.framing.after()).into()).await
    }

    async fn gone(&self) {
        self.parts.closed().await;
    }
}

async fn drip(outlet: &BodyOutlet<'_>, mut bytes: Bytes, pause: Duration) -> Result<(), Gone> {
    while !bytes.is_empty() {
        outlet.part(bytes.split_to(1)).await?;
        // Even a sleep of nothing would wait for the next tick of the clock.
        if !pause.is_zero() {
            sleep(pause).await;
        }
    }
    Ok(())
}
