//! Response bodies: a whole one, or one that is written as the reply is said.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::coding::Coder;
use super::wire::Control;
use crate::connections::Exchange;
use crate::dialects::Event;
use crate::fault::Faults;
use crate::framing::{Framing, Record};
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
    /// The same in a content coding.
    Coded(Box<Reply>, Option<Box<Coder>>),
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
            Reply::Coded(plain, coder) => {
                let part = std::task::ready!(Pin::new(plain.as_mut()).poll_frame(cx));
                let coded = match part.and_then(|frame| frame.ok()?.into_data().ok()) {
                    Some(part) => coder.as_mut().map(|coder| coder.part(&part)),
                    None => coder.take().map(|coder| coder.end()),
                };
                Poll::Ready(coded.map(|b| Ok(Frame::data(b))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Reply::Whole(None) | Reply::Coded(_, None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Reply::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Reply::Live { .. } | Reply::Coded(..) => SizeHint::default(),
        }
    }
}

/// Writes events into a body.
pub(crate) struct BodyOutlet<'a> {
    pub parts: mpsc::Sender<Bytes>,
    pub framing: Framing,
    pub exchange: &'a Exchange,
    /// Events written.
    events: u64,
    /// Number of the event whose checksum is to be wrong.
    bad_crc: Option<u32>,
    /// A byte order mark is still to be written.
    bom: bool,
    control: Arc<Control>,
}

/// U+FEFF in UTF-8.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

impl<'a> BodyOutlet<'a> {
    pub(crate) fn new(
        parts: mpsc::Sender<Bytes>,
        framing: Framing,
        exchange: &'a Exchange,
        faults: &Faults,
        control: Arc<Control>,
    ) -> BodyOutlet<'a> {
        BodyOutlet { parts, framing, exchange, events: 0, bad_crc: faults.bad_crc, bom: faults.bom, control }
    }

    pub(super) async fn part(&mut self, mut bytes: Bytes) -> Result<(), Gone> {
        if std::mem::take(&mut self.bom) {
            bytes = [BOM, &bytes].concat().into();
        }
        let length = bytes.len();
        self.parts.send(bytes).await.map_err(|_| Gone)?;
        self.exchange.sent(length);
        Ok(())
    }
}

/// Part size for bodies that would be too large to hold.
pub(crate) const BLOCK: usize = 64 << 10;

impl Outlet for BodyOutlet<'_> {
    async fn send(&mut self, event: &Event, payload: Vec<u8>, manner: Manner) -> Result<(), Gone> {
        let Some((before, mut after)) = around(self.framing, event, self.events, &payload) else {
            return Ok(());
        };
        self.events += u64::from(!event.is_comment());
        if self.framing == Framing::Eventstream
            && self.bad_crc.map(u64::from) == Some(self.events)
            && let Some(last) = after.last_mut()
        {
            *last ^= 1;
        }
        let inside = manner.split.map(|at| before.len() + at);
        let mut bytes = Bytes::from([before, payload, after].concat());
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
        let event = Event::default();
        let mut record = None;
        let framed = if self.framing == Framing::Eventstream {
            let whole = (before.len() + after.len()) as u64 + length;
            // No message can be longer than its length can say.
            let Some((begun, head)) = Record::begin(&event, whole) else { return Ok(()) };
            (head, record.insert(begun)).0
        } else {
            around(self.framing, &event, self.events, &[]).map(|(head, _)| head).unwrap_or_default()
        };
        self.events += 1;
        let mut say = |bytes: &[u8]| {
            if let Some(record) = &mut record {
                record.update(bytes);
            }
        };
        say(before.as_bytes());
        let block = Bytes::from(vec![b'x'; BLOCK]);
        self.part([framed, before.into()].concat().into()).await?;
        let mut left = length;
        while left > 0 {
            let take = left.min(BLOCK as u64) as usize;
            say(&block[..take]);
            self.part(block.slice(..take)).await?;
            left -= take as u64;
        }
        say(after.as_bytes());
        let end = match record {
            Some(record) => record.end().to_vec(),
            None => around(self.framing, &event, 0, &[]).map(|(_, end)| end).unwrap_or_default(),
        };
        self.part([after.into(), end].concat().into()).await
    }

    async fn finish(&mut self) -> Result<(), Gone> {
        match self.framing.finish(self.events) {
            "" => Ok(()),
            end => self.part(end.into()).await,
        }
    }

    async fn ping(&mut self, count: u32) -> Result<(), Gone> {
        match self.framing {
            Framing::Sse { end, .. } => self.part(format!(": keep-alive{end}{end}").repeat(count as usize).into()).await,
            _ => Ok(()),
        }
    }

    async fn announce(&mut self, retry: Option<Duration>) -> Result<(), Gone> {
        if let (Framing::Sse { end, .. }, Some(retry)) = (self.framing, retry) {
            self.part(format!(": the Lab restarts{end}retry: {}{end}{end}", retry.as_millis()).into()).await?;
        }
        self.control.leave();
        Ok(())
    }

    async fn gone(&self) {
        self.parts.closed().await;
    }
}

/// What stands before and after `payload`, the `at`th of its body; none where such an event cannot be told.
fn around(framing: Framing, event: &Event, at: u64, payload: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    if framing != Framing::Eventstream {
        return framing.around(event, at).map(|(before, after)| (before.into(), after.into()));
    }
    if event.is_comment() {
        return None;
    }
    let (mut record, before) = Record::begin(event, payload.len() as u64)?;
    record.update(payload);
    Some((before, record.end().into()))
}

async fn drip(outlet: &mut BodyOutlet<'_>, mut bytes: Bytes, pause: Duration) -> Result<(), Gone> {
    while !bytes.is_empty() {
        outlet.part(bytes.split_to(1)).await?;
        // Even a sleep of nothing would wait for the next tick of the clock.
        if !pause.is_zero() {
            sleep(pause).await;
        }
    }
    Ok(())
}
