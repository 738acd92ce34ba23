//! Lets messages go by that nobody looks at.
//!
//! A session has its bytes from the journal; of the socket's protocol it wants that pings are answered, closes are, and breaches are told.
//! In a flood nearly all is whole, unfragmented messages, of which none of this comes. They are known by their headers (RFC 6455,
//! section 5.2) and by being UTF-8 where they say so (section 8.1), and tungstenite never sees them. Whatever else there is, from the
//! first doubtful byte to its frame's end, it sees as it came.

/// Follows the frames of a stream.
#[derive(Debug, Default)]
pub(super) struct Skim {
    /// A header that is not complete.
    header: Vec<u8>,
    /// Bytes of the open frame's payload that are still to come.
    left: u64,
    /// A message's first frame came and its last did not.
    fragmented: bool,
    /// The peer has said goodbye: what follows is not a message.
    closed: bool,
}

/// A frame's header.
struct Header {
    /// Its own length in bytes, masking key included.
    size: usize,
    payload: u64,
    opcode: u8,
    last: bool,
    /// Reserved bits and the mask are unset, as a server's are where no extension was agreed.
    plain: bool,
}

impl Header {
    /// The header that `bytes` begin with, if it is all there.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (payload, extended) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
            short => (u64::from(short), 0),
        };
        let masked = second & 0x80 != 0;
        let size = 2 + extended + if masked { 4 } else { 0 };
        (bytes.len() >= size).then_some(Self {
            size,
            payload,
            opcode: first & 0x0f,
            last: first & 0x80 != 0,
            plain: !masked && first & 0x70 == 0,
        })
    }
}

impl Skim {
    const TEXT: u8 = 1;
    const BINARY: u8 = 2;
    const CLOSE: u8 = 8;

    /// How many of the first of `bytes` are whole messages that may go by.
    pub(super) fn skip(&self, bytes: &[u8]) -> usize {
        if self.left > 0 || !self.header.is_empty() || self.fragmented || self.closed {
            return 0;
        }
        let mut at = 0;
        while let Some(length) = message(&bytes[at..]) {
            at += length;
        }
        at
    }

    /// Follows `bytes`, which are read by somebody else, to the end of the frame they begin in: how many those are. At least one, unless
    /// there is none.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if self.left == 0 {
            let header = loop {
                let Some(&byte) = bytes.get(at) else { return at };
                self.header.push(byte);
                at += 1;
                if let Some(header) = Header::read(&self.header) {
                    break header;
                }
            };
            self.header.clear();
            self.left = header.payload;
            if header.opcode < Self::CLOSE {
                self.fragmented = !header.last;
            }
            self.closed |= header.opcode == Self::CLOSE;
        }
        let payload = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - at);
        self.left -= payload as u64;
        at + payload
    }
}

/// The length of the whole message that `bytes` begin with, if nobody needs to see it.
fn message(bytes: &[u8]) -> Option<usize> {
    let header = Header::read(bytes).filter(|header| header.last && header.plain)?;
    let end = header.size.checked_add(usize::try_from(header.payload).ok()?)?;
    let payload = bytes.get(header.size..end)?;
    let passes = match header.opcode {
        Skim::TEXT => simdutf8::basic::from_utf8(payload).is_ok(),
        Skim::BINARY => true,
        _ => false,
    };
    passes.then_some(end)
}

#[cfg(test)]
mod tests;
