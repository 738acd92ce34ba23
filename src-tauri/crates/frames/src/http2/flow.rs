//! Flow-control windows (RFC 9113 §5.2, §6.9), from the frames of both directions.
//!
//! A window belongs to whoever sends DATA: SETTINGS_INITIAL_WINDOW_SIZE and WINDOW_UPDATE of the other side open it, DATA with its
//! padding closes it. A setting counts from where the sender acknowledges it, which is a place in its own bytes; a WINDOW_UPDATE has no
//! such place and counts when it is told. So the window of one's own sending is what the library under the log went by; that of the
//! peer's sending is as wide as one's own updates made it, and the peer saw them a way later.

use std::collections::VecDeque;

use super::{Frame, Side, settings};

/// A window before the first SETTINGS and WINDOW_UPDATE (RFC 9113 §6.9.2).
pub const DEFAULT: i64 = 65_535;

/// The largest window (RFC 9113 §6.9.1).
pub const LARGEST: i64 = (1 << 31) - 1;

/// Open streams of a direction that are followed.
const STREAMS: usize = 4096;

/// SETTINGS without acknowledgment that are remembered.
const UNACKNOWLEDGED: usize = 256;

/// A window around a frame that moved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Bytes before.
    pub before: i64,
    /// Bytes after; below 0 where a setting took away what was used already (RFC 9113 §6.9.2).
    pub after: i64,
}

/// What a frame did to the windows of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Whose sending the windows are for, as the side that sends the DATA; `None` where the frame moved none.
    pub of: Option<Side>,
    /// The stream's window, of a DATA or WINDOW_UPDATE frame.
    pub stream: Option<Moved>,
    /// The connection's, likewise.
    pub connection: Option<Moved>,
    /// The rule it breaks, with its section: a FLOW_CONTROL_ERROR.
    pub fault: Option<String>,
    /// From here on more streams are open than are followed: told once.
    pub lost: bool,
}

/// The windows of one connection.
#[derive(Debug, Default)]
pub struct Flow {
    /// For what the client sends, and what the server sends.
    directions: [Direction; 2],
}

#[derive(Debug)]
struct Direction {
    connection: i64,
    /// What a stream's window is when it opens.
    initial: i64,
    /// Of each SETTINGS frame of the receiver that the sender has not acknowledged, the initial window it names.
    announced: VecDeque<Option<u32>>,
    /// Open streams and their windows.
    streams: Vec<(u32, i64)>,
    /// The latest stream opened by the client, and by the server.
    latest: [u32; 2],
    /// Of the open streams, those whose window is used up.
    dry: usize,
    lost: bool,
}

impl Default for Direction {
    fn default() -> Self {
        Self { connection: DEFAULT, initial: DEFAULT, announced: VecDeque::new(), streams: Vec::new(), latest: [0; 2], dry: 0, lost: false }
    }
}

const fn index(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}

impl Flow {
    /// The window that keeps `side` from sending: 0 for the connection's, else a stream; `None` while it may send on every open stream,
    /// or has none open.
    pub fn exhausted(&self, side: Side) -> Option<u32> {
        let direction = &self.directions[index(side)];
        if direction.streams.is_empty() {
            return None;
        }
        if direction.connection <= 0 {
            return Some(0);
        }
        (direction.dry > 0).then(|| direction.streams.iter().find(|(_, left)| *left <= 0).map(|(id, _)| *id))?
    }

    /// The windows of `side`'s sending: of the connection, and of a stream that is open.
    pub fn windows(&self, side: Side, stream: u32) -> (i64, Option<i64>) {
        let direction = &self.directions[index(side)];
        (direction.connection, direction.streams.iter().find(|(id, _)| *id == stream).map(|(_, left)| *left))
    }

    /// The next frame that `side` sent.
    pub fn frame(&mut self, side: Side, frame: &Frame<'_>) -> Effect {
        const ACK: u8 = 1;
        const END_STREAM: u8 = 1;
        let mut effect = Effect::default();
        match frame.kind {
            super::DATA => {
                effect = self.directions[index(side)].sent(frame.stream, frame.span.len() as i64 - super::HEADER as i64);
                effect.of = Some(side);
            }
            super::HEADERS => {
                for direction in &mut self.directions {
                    effect.lost |= direction.open(side, frame.stream);
                }
            }
            super::WINDOW_UPDATE => {
                if let Some(four) = frame.payload.first_chunk() {
                    let by = i64::from(u32::from_be_bytes(*four) & 0x7fff_ffff);
                    effect = self.directions[index(other(side))].grown(frame.stream, by);
                    effect.of = Some(other(side));
                }
            }
            super::SETTINGS if frame.flags & ACK != 0 => {
                effect.fault = self.directions[index(side)].acknowledged();
                effect.of = Some(side);
            }
            super::SETTINGS => {
                let initial = settings(frame.payload).filter(|(id, _, _)| *id == 4).map(|(_, _, value)| value).last();
                let direction = &mut self.directions[index(other(side))];
                direction.announced.push_back(initial.filter(|value| i64::from(*value) <= LARGEST));
                if direction.announced.len() > UNACKNOWLEDGED {
                    effect.fault = direction.acknowledged();
                }
            }
            super::RST_STREAM => self.directions.iter_mut().for_each(|direction| direction.close(frame.stream)),
            _ => {}
        }
        if matches!(frame.kind, super::DATA | super::HEADERS) && frame.flags & END_STREAM != 0 {
            self.directions[index(side)].close(frame.stream);
        }
        effect
    }
}

impl Direction {
    /// Whether the stream is the first that is too many.
    fn open(&mut self, by: Side, stream: u32) -> bool {
        // A stream's identifier says who opened it (RFC 9113 §5.1.1); later header blocks open nothing.
        let latest = &mut self.latest[usize::from(stream.is_multiple_of(2))];
        if (by == Side::Client) == stream.is_multiple_of(2) || stream <= *latest {
            return false;
        }
        *latest = stream;
        if self.streams.len() >= STREAMS {
            return !std::mem::replace(&mut self.lost, true);
        }
        self.streams.push((stream, self.initial));
        self.dry += usize::from(self.initial <= 0);
        false
    }

    fn close(&mut self, stream: u32) {
        if let Some(at) = self.streams.iter().position(|(id, _)| *id == stream) {
            let (_, left) = self.streams.swap_remove(at);
            self.dry -= usize::from(left <= 0);
        }
    }

    fn sent(&mut self, stream: u32, bytes: i64) -> Effect {
        // Until a setting is acknowledged it cannot be told which one the sender goes by.
        let sure = self.announced.iter().all(Option::is_none);
        let connection = Moved { before: self.connection, after: self.connection - bytes };
        self.connection = connection.after.max(i64::from(i32::MIN));
        let mut effect = Effect { connection: Some(connection), ..Effect::default() };
        if let Some((_, left)) = self.streams.iter_mut().find(|(id, _)| *id == stream) {
            let moved = Moved { before: *left, after: (*left - bytes).max(i64::from(i32::MIN)) };
            *left = moved.after;
            self.dry += usize::from(moved.after <= 0 && moved.before > 0);
            effect.stream = Some(moved);
        }
        let over = |moved: Moved| if bytes > 0 { (-moved.after).min(bytes) } else { 0 };
        let excess = [("the connection", Some(connection)), ("the stream", effect.stream)];
        effect.fault = excess.into_iter().filter(|_| sure).find_map(|(what, moved)| {
            let over = moved.map(over).filter(|over| *over > 0)?;
            Some(format!("{over} of {bytes} bytes are more than the window of {what} lets through (RFC 9113 §6.9.1)"))
        });
        effect
    }

    fn grown(&mut self, stream: u32, by: i64) -> Effect {
        let raise = |left: &mut i64, what: &str| {
            let moved = Moved { before: *left, after: (*left + by).min(LARGEST) };
            *left = moved.after;
            let fault = (moved.before + by > LARGEST)
                .then(|| format!("the window of {what} grows to {}, past 2^31-1 (RFC 9113 §6.9.1)", moved.before + by));
            (moved, fault)
        };
        if stream == 0 {
            let (moved, fault) = raise(&mut self.connection, "the connection");
            return Effect { connection: Some(moved), fault, ..Effect::default() };
        }
        let Some((id, left)) = self.streams.iter_mut().find(|(id, _)| *id == stream) else { return Effect::default() };
        let (moved, fault) = raise(left, &format!("stream {id}"));
        self.dry -= usize::from(moved.before <= 0 && moved.after > 0);
        Effect { stream: Some(moved), fault, ..Effect::default() }
    }

    /// The sender goes by the next of the receiver's settings from here on.
    fn acknowledged(&mut self) -> Option<String> {
        let initial = i64::from(self.announced.pop_front()??);
        let by = initial - std::mem::replace(&mut self.initial, initial);
        let mut fault = None;
        for (id, left) in &mut self.streams {
            if *left + by > LARGEST {
                fault = Some(format!("the setting takes the window of stream {id} to {}, past 2^31-1 (RFC 9113 §6.9.2)", *left + by));
            }
            *left = (*left + by).clamp(i64::from(i32::MIN), LARGEST);
        }
        self.dry = self.streams.iter().filter(|(_, left)| *left <= 0).count();
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Frame<'_> {
        Frame { span: Span::new(0, 9 + payload.len() as u64), kind, flags, stream, payload, headers: None }
    }

    fn data(flow: &mut Flow, side: Side, stream: u32, bytes: usize) -> Effect {
        flow.frame(side, &frame(0, 0, stream, &vec![0; bytes]))
    }

    fn update(flow: &mut Flow, side: Side, stream: u32, by: u32) -> Effect {
        flow.frame(side, &frame(8, 0, stream, &by.to_be_bytes()))
    }

    fn initial(flow: &mut Flow, side: Side, value: u32) {
        let payload = [&[0, 4][..], &value.to_be_bytes()].concat();
        flow.frame(side, &frame(4, 0, 0, &payload));
    }

    #[test]
    fn windows_open_and_close_as_the_standard_says() {
        let mut flow = Flow::default();
        initial(&mut flow, Side::Client, 100);
        flow.frame(Side::Client, &frame(1, 5, 1, &[]));
        assert_eq!(flow.windows(Side::Server, 1), (DEFAULT, Some(DEFAULT)), "not yet acknowledged");
        assert_eq!(flow.windows(Side::Client, 1), (DEFAULT, None), "the request is over");
        flow.frame(Side::Server, &frame(4, 1, 0, &[]));
        assert_eq!(flow.windows(Side::Server, 1), (DEFAULT, Some(100)));
        // Padding counts: the span is the frame's.
        let effect = data(&mut flow, Side::Server, 1, 60);
        assert_eq!(effect.stream, Some(Moved { before: 100, after: 40 }));
        assert_eq!(effect.connection, Some(Moved { before: DEFAULT, after: DEFAULT - 60 }));
        assert_eq!((effect.of, effect.fault, flow.exhausted(Side::Server)), (Some(Side::Server), None, None));
        data(&mut flow, Side::Server, 1, 40);
        assert_eq!((flow.exhausted(Side::Server), flow.exhausted(Side::Client)), (Some(1), None));
        // The response's head and trailers open nothing.
        flow.frame(Side::Server, &frame(1, 4, 1, &[]));
        assert_eq!(update(&mut flow, Side::Client, 1, 7).stream, Some(Moved { before: 0, after: 7 }));
        assert_eq!(flow.exhausted(Side::Server), None);
        // A smaller setting takes back what is there, and more.
        initial(&mut flow, Side::Client, 50);
        flow.frame(Side::Server, &frame(4, 1, 0, &[]));
        assert_eq!(flow.windows(Side::Server, 1).1, Some(-43));
        assert_eq!(flow.exhausted(Side::Server), Some(1));
        flow.frame(Side::Server, &frame(0, 1, 1, &[]));
        assert_eq!((flow.exhausted(Side::Server), flow.windows(Side::Server, 1).1), (None, None));
    }

    #[test]
    fn the_connection_keeps_every_stream_waiting() {
        let mut flow = Flow::default();
        initial(&mut flow, Side::Server, 1 << 20);
        flow.frame(Side::Client, &frame(4, 1, 0, &[]));
        flow.frame(Side::Client, &frame(1, 4, 1, &[]));
        assert_eq!(data(&mut flow, Side::Client, 1, DEFAULT as usize).fault, None);
        assert_eq!(flow.exhausted(Side::Client), Some(0));
        assert_eq!(update(&mut flow, Side::Server, 0, 9).connection, Some(Moved { before: 0, after: 9 }));
        assert_eq!(flow.exhausted(Side::Client), None);
        let fault = data(&mut flow, Side::Client, 1, 10).fault.expect("one too many");
        assert!(fault.starts_with("1 of 10 bytes") && fault.contains("§6.9.1"), "{fault}");
    }

    #[test]
    fn windows_past_the_largest_are_faults() {
        let mut flow = Flow::default();
        flow.frame(Side::Client, &frame(1, 5, 1, &[]));
        assert_eq!(update(&mut flow, Side::Client, 1, (LARGEST - DEFAULT) as u32).fault, None);
        assert!(update(&mut flow, Side::Client, 1, 1).fault.is_some_and(|fault| fault.contains("stream 1") && fault.contains("§6.9.1")));
        assert!(update(&mut flow, Side::Client, 0, 0x7fff_ffff).fault.is_some_and(|fault| fault.contains("the connection")));
        initial(&mut flow, Side::Client, DEFAULT as u32 + 1);
        let fault = flow.frame(Side::Server, &frame(4, 1, 0, &[])).fault.expect("the setting widens a full window");
        assert!(fault.contains("§6.9.2"), "{fault}");
        // What nobody opened has no window.
        assert_eq!(update(&mut flow, Side::Client, 9, 1), Effect { of: Some(Side::Server), ..Effect::default() });
    }

    #[test]
    fn a_peer_that_opens_streams_without_end_is_not_followed_without_end() {
        let mut flow = Flow::default();
        let lost = (0..2 * STREAMS as u32).filter(|n| flow.frame(Side::Client, &frame(1, 4, 2 * n + 1, &[])).lost).count();
        assert_eq!(lost, 1);
        assert_eq!(flow.directions[0].streams.len(), STREAMS);
    }
}
