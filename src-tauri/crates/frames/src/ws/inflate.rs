//! The receiving half of permessage-deflate (RFC 7692 §7.2.2).

use flate2::{Decompress, FlushDecompress, Status};

/// DEFLATE's largest window (RFC 1951 §2).
const WINDOW: usize = 32 << 10;

/// What a sender takes off the end of every message (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The data is not DEFLATE, or needs a window that was lost with an earlier message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// One direction's decompressor.
#[derive(Debug)]
pub(super) struct Inflate {
    stream: Decompress,
    takeover: bool,
    /// An earlier message could not be read, and with it the window is gone.
    lost: bool,
    /// A block marked final was read, and nothing since.
    ended: bool,
    /// The last bytes inflated, at least [`WINDOW`] of them once there were as many. Final blocks end zlib's
    /// stream, but not the sender's window (RFC 7692 §7.2.3.4): the next stream starts with these.
    window: Vec<u8>,
    output: Vec<u8>,
}

impl Inflate {
    /// A decompressor that keeps its window from message to message or not.
    pub(super) fn new(takeover: bool) -> Self {
        Self { stream: Decompress::new(false), takeover, lost: false, ended: false, window: Vec::new(), output: vec![0; 16 << 10] }
    }

    /// Whether the window is kept from message to message.
    pub(super) fn takeover(&self) -> bool {
        self.takeover
    }

    /// What the next message may refer to: the last bytes inflated, none without takeover. `None` where they are lost.
    pub(super) fn window(&self) -> Option<&[u8]> {
        if !self.takeover {
            return Some(&[]);
        }
        (!self.lost).then(|| &self.window[self.window.len().saturating_sub(WINDOW)..])
    }

    /// Goes on behind a message that left this window.
    pub(super) fn resume(&mut self, window: &[u8]) {
        let window = &window[window.len().saturating_sub(WINDOW)..];
        self.window = window.to_vec();
        self.ended = false;
        self.stream.reset(false);
        self.lost = !window.is_empty() && self.stream.set_dictionary(window).is_err();
    }

    /// Starts a compressed message.
    pub(super) fn begin(&mut self) -> Result<(), Unreadable> {
        if !self.takeover {
            self.stream.reset(false);
            self.window.clear();
            self.ended = false;
            self.lost = false;
        }
        if self.lost { Err(Unreadable) } else { Ok(()) }
    }

    /// Inflates the next bytes of the message and hands the output on in pieces.
    pub(super) fn feed(&mut self, mut bytes: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), Unreadable> {
        while !self.lost {
            let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(bytes, &mut self.output, FlushDecompress::None);
            let consumed = (self.stream.total_in() - before_in) as usize;
            let produced = (self.stream.total_out() - before_out) as usize;
            bytes = &bytes[consumed..];
            self.ended &= consumed == 0;
            if produced > 0 {
                self.remember(produced);
                out(&self.output[..produced]);
            }
            match status {
                Ok(Status::StreamEnd) => {
                    self.restart();
                    if bytes.is_empty() {
                        return Ok(());
                    }
                }
                Ok(_) if bytes.is_empty() && produced < self.output.len() => return Ok(()),
                Ok(_) if consumed > 0 || produced > 0 => {}
                Ok(_) | Err(_) => self.lost = true,
            }
        }
        Err(Unreadable)
    }

    /// Ends the message: puts back what the sender took off its end.
    pub(super) fn end(&mut self, out: &mut impl FnMut(&[u8])) -> Result<(), Unreadable> {
        // Behind a final block that fills its last byte there is no block the tail could belong to.
        if self.ended && !self.lost { Ok(()) } else { self.feed(&TAIL, out) }
    }

    fn remember(&mut self, produced: usize) {
        self.window.extend_from_slice(&self.output[..produced]);
        // Dropping rarely keeps the moving cheap.
        if self.window.len() >= 4 * WINDOW {
            self.window.drain(..self.window.len() - WINDOW);
        }
    }

    /// A new stream that starts with the old one's window.
    fn restart(&mut self) {
        self.stream.reset(false);
        let window = &self.window[self.window.len().saturating_sub(WINDOW)..];
        self.lost = self.stream.set_dictionary(window).is_err();
        self.ended = true;
    }
}
