//! What a client compressed, read as if it had not: tungstenite knows no extension, so it is given plain frames in place of
//! compressed ones. What is written goes out as it is.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use flate2::{Decompress, FlushDecompress, Status};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{MESSAGE, deflate::TAIL, frame};

/// Bytes read at once.
const READ: usize = 16 << 10;

/// A socket whose compressed messages are inflated while they are read.
pub(super) struct Inflating<S> {
    io: S,
    /// None where no compression was agreed: then nothing is touched.
    frames: Option<Frames>,
}

impl<S> Inflating<S> {
    /// `agreed` says whether the client's window is dropped after each message; none without compression.
    pub(super) fn new(io: S, agreed: Option<bool>) -> Inflating<S> {
        Inflating { io, frames: agreed.map(Frames::new) }
    }
}

struct Frames {
    /// Read and not yet understood.
    raw: Vec<u8>,
    /// Bytes of a plain frame still to be passed on as they are.
    passing: u64,
    /// To be handed on, from `told`.
    plain: Vec<u8>,
    told: usize,
    inflate: Decompress,
    forget: bool,
    /// The compressed message under way.
    message: Option<(u8, Vec<u8>)>,
}

impl Frames {
    fn new(forget: bool) -> Frames {
        let inflate = Decompress::new(false);
        Frames { raw: Vec::new(), passing: 0, plain: Vec::new(), told: 0, inflate, forget, message: None }
    }

    /// Understands as much of `raw` as is there.
    fn read(&mut self) {
        let mut at = 0;
        loop {
            let rest = &self.raw[at..];
            if self.passing > 0 {
                let take = rest.len().min(usize::try_from(self.passing).unwrap_or(usize::MAX));
                self.plain.extend_from_slice(&rest[..take]);
                self.passing -= take as u64;
                at += take;
                if self.passing > 0 {
                    break;
                }
                continue;
            }
            let Some((head, length)) = head(rest) else { break };
            let (opcode, fin, compressed) = (rest[0] & 0x0F, rest[0] & 0x80 != 0, rest[0] & frame::RSV1 != 0);
            let control = opcode & 8 != 0;
            let begins = compressed && matches!(opcode, frame::TEXT | frame::BINARY) && self.message.is_none();
            let goes_on = !compressed && opcode == frame::CONTINUATION && self.message.is_some();
            let masked = rest[1] & 0x80 != 0;
            if !begins && !goes_on || !masked {
                if self.message.is_some() && !control || begins {
                    // A new message within one, or one not masked: tungstenite is to see a frame it must refuse.
                    self.refuse(false);
                } else {
                    self.plain.extend_from_slice(&rest[..head]);
                    self.passing = length;
                }
                at += head;
                continue;
            }
            let so_far = self.message.as_ref().map_or(0, |(_, bytes)| bytes.len()) as u64;
            if length.saturating_add(so_far) > MESSAGE as u64 {
                self.refuse(true);
                at = self.raw.len();
                break;
            }
            let whole = head + length as usize;
            if rest.len() < whole {
                break;
            }
            let key = [rest[head - 4], rest[head - 3], rest[head - 2], rest[head - 1]];
            let payload = rest[head..whole].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
            self.message.get_or_insert_with(|| (opcode, Vec::new())).1.extend(payload);
            at += whole;
            if fin && let Some((opcode, bytes)) = self.message.take() {
                match self.inflate(bytes) {
                    Ok(payload) => self.plain.extend_from_slice(&frame::whole(opcode, &payload, Some([0; 4]))),
                    Err(large) => self.refuse(large),
                }
            }
        }
        self.raw.drain(..at);
    }

    /// The message; or whether it is too large, rather than unreadable.
    fn inflate(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>, bool> {
        if self.forget {
            self.inflate.reset(false);
        }
        bytes.extend_from_slice(&TAIL);
        let (mut rest, mut out) = (bytes.as_slice(), Vec::with_capacity(bytes.len() * 4));
        loop {
            let (read, made) = (self.inflate.total_in(), out.len());
            let status = self.inflate.decompress_vec(rest, &mut out, FlushDecompress::Sync).map_err(|_| false)?;
            let taken = (self.inflate.total_in() - read) as usize;
            rest = &rest[taken..];
            if out.len() > MESSAGE {
                return Err(true);
            }
            if status == Status::StreamEnd {
                // A final block ends zlib's stream, not the message.
                self.inflate.reset(false);
            }
            if rest.is_empty() && out.len() < out.capacity() {
                return Ok(out);
            }
            if out.len() == out.capacity() {
                out.reserve(out.capacity().max(1024));
            } else if taken == 0 && made == out.len() {
                return Err(false);
            }
        }
    }

    /// Puts a frame in place that tungstenite refuses: one that claims to be too large, or one with a reserved bit.
    fn refuse(&mut self, large: bool) {
        if large {
            self.plain.extend_from_slice(&frame::header(frame::BINARY, true, MESSAGE as u64 + 1, Some([0; 4])));
        } else {
            self.plain.extend_from_slice(&frame::one(frame::TEXT | frame::RSV1, true, &[], Some([0; 4])));
        }
    }
}

/// Length of a frame's header and of its payload, once the header is whole (RFC 6455 §5.2).
fn head(bytes: &[u8]) -> Option<(usize, u64)> {
    let [_, second, rest @ ..] = bytes else { return None };
    let (extra, length) = match second & 0x7F {
        126 => (2, u64::from(u16::from_be_bytes(rest.first_chunk().copied()?))),
        127 => (8, u64::from_be_bytes(rest.first_chunk().copied()?)),
        length => (0, u64::from(length)),
    };
    let head = 2 + extra + if second & 0x80 != 0 { 4 } else { 0 };
    (bytes.len() >= head).then_some((head, length))
}

impl<S: AsyncRead + Unpin> AsyncRead for Inflating<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Inflating { io, frames } = &mut *self;
        let Some(frames) = frames else { return Pin::new(io).poll_read(cx, buf) };
        loop {
            if frames.told < frames.plain.len() {
                let rest = &frames.plain[frames.told..];
                let take = rest.len().min(buf.remaining());
                buf.put_slice(&rest[..take]);
                frames.told += take;
                if frames.told == frames.plain.len() {
                    frames.plain.clear();
                    frames.told = 0;
                }
                return Poll::Ready(Ok(()));
            }
            let mut bytes = [0; READ];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut *io).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            frames.raw.extend_from_slice(read.filled());
            frames.read();
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Inflating<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::super::deflate::Deflater;
    use super::*;

    const KEY: Option<[u8; 4]> = Some([9, 8, 7, 6]);

    /// What tungstenite would be given for these bytes, pushed in pieces of this size.
    fn read(bytes: &[u8], size: usize, forget: bool) -> Vec<u8> {
        let mut frames = Frames::new(forget);
        for piece in bytes.chunks(size) {
            frames.raw.extend_from_slice(piece);
            frames.read();
        }
        frames.plain
    }

    #[test]
    fn messages_come_out_plain_at_every_cut() {
        for forget in [false, true] {
            let mut deflater = Deflater::new(15, forget);
            let text = "naïve 世界 naïve 世界 ".repeat(9);
            let (one, two) = (deflater.message(text.as_bytes()).unwrap(), deflater.message(text.as_bytes()).unwrap());
            assert_eq!(two.len() < one.len() / 2, !forget, "the window lasts");
            let ping = frame::one(9, true, b"hi", KEY);
            let plain = frame::whole(frame::BINARY, &[7; 300], KEY);
            let bytes = [
                frame::one(frame::TEXT | frame::RSV1, false, &one[..5], KEY),
                ping.clone(),
                frame::one(frame::CONTINUATION, true, &one[5..], KEY),
                plain.clone(),
                frame::one(frame::BINARY | frame::RSV1, true, &two, KEY),
            ]
            .concat();
            let open = |opcode| frame::whole(opcode, text.as_bytes(), Some([0; 4]));
            let expected = [ping, open(frame::TEXT), plain, open(frame::BINARY)].concat();
            for size in 1..=bytes.len() {
                assert_eq!(read(&bytes, size, forget), expected, "{size}");
            }
        }
    }

    #[test]
    fn bombs_and_rubbish_are_refused() {
        let mut deflater = Deflater::new(15, false);
        let bomb = deflater.message(&vec![0; MESSAGE + 1]).unwrap();
        let out = read(&frame::one(frame::BINARY | frame::RSV1, true, &bomb, KEY), usize::MAX, false);
        assert_eq!(head(&out).unwrap().1, MESSAGE as u64 + 1);
        let refused = [0xC1, 0x80, 0, 0, 0, 0];
        assert_eq!(read(&frame::one(frame::TEXT | frame::RSV1, true, &[0xFF; 9], KEY), 3, false), refused);
        assert_eq!(read(&frame::one(frame::TEXT | frame::RSV1, true, &[], None), 3, false), refused);
    }
}
