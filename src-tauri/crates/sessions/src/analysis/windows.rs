//! Flow control of HTTP/2 over time: the windows behind each frame that moved them, and when there was none left.

use super::chunked::Chunked;
use super::row::RowId;

/// The windows behind a frame, of whoever sends the DATA that they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The stream's; [`i32::MIN`] where the frame was of no open stream.
    pub stream: i32,
    /// The connection's.
    pub connection: i32,
}

impl Left {
    /// The stream's window, where there is one.
    pub fn of_stream(self) -> Option<i64> {
        (self.stream != i32::MIN).then_some(i64::from(self.stream))
    }

    /// What may be sent: the smaller of both windows.
    pub fn least(self) -> i64 {
        self.of_stream().unwrap_or(i64::MAX).min(i64::from(self.connection))
    }
}

/// A time in which a window of one direction was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// From the frame that used it up, nanoseconds since the session began.
    pub from: u64,
    /// To the frame that opened it again, or the end of its streams; `None` while it lasts.
    pub to: Option<u64>,
    /// Connection.
    pub conn: u32,
    /// Whose window: 0 for the connection's, else the stream.
    pub stream: u32,
    /// It is for what Weir sends.
    pub out: bool,
    /// The frame that used it up.
    pub first: RowId,
}

/// Of all HTTP/2 connections of a session. Where there is none, it holds nothing.
#[derive(Debug, Default)]
pub struct Windows {
    /// Some connection speaks HTTP/2.
    pub any: bool,
    /// By carrier, as far as the last one that moved a window.
    carriers: Chunked<Option<Left>>,
    /// By row, in order.
    rows: Vec<(u32, Left)>,
    /// In order of their beginning. Those of one direction of a connection do not overlap: what else runs out meanwhile is part of it.
    stalls: Vec<Stall>,
    /// Which of them last: two a connection at most.
    open: Vec<usize>,
    /// How many began, and how many nanoseconds those took that are over: of what is received, and of what is sent.
    sums: [(u32, u64); 2],
}

impl Windows {
    /// The windows behind a frame.
    pub fn left(&self, id: RowId) -> Option<Left> {
        if id.is_carrier() {
            return *self.carriers.get(id.index())?;
        }
        let at = self.rows.binary_search_by_key(&(id.index() as u32), |(row, _)| *row).ok()?;
        Some(self.rows[at].1)
    }

    /// When a window was used up.
    pub fn stalls(&self) -> &[Stall] {
        &self.stalls
    }

    /// How often, and how many nanoseconds until `now`, what Weir sends (`out`) or receives had no window left.
    pub fn stalled(&self, out: bool, now: u64) -> (u32, u64) {
        let (count, over) = self.sums[usize::from(out)];
        let open = self.open.iter().map(|&at| &self.stalls[at]).filter(|stall| stall.out == out);
        (count, over + open.map(|stall| now.saturating_sub(stall.from)).sum::<u64>())
    }

    /// In permille of each of `bins` equal parts of `[from, to)`: how long there was no window.
    pub fn binned(&self, out: bool, from: u64, to: u64, now: u64, bins: usize) -> Vec<u32> {
        let width = to.saturating_sub(from) as f64 / bins as f64;
        let mut part = vec![0.0_f64; bins];
        for stall in self.stalls.iter().take_while(|stall| stall.from < to).filter(|stall| stall.out == out) {
            let (start, end) = (stall.from.max(from), stall.to.unwrap_or(now).min(to));
            if end < start || width <= 0.0 {
                continue;
            }
            let place = |t: u64| (t - from) as f64 / width;
            let (first, last) = (place(start), place(end));
            let until = bins.min((last.ceil() as usize).max(first as usize + 1));
            for (bin, share) in part.iter_mut().enumerate().take(until).skip(first as usize) {
                // One that is shorter than a bin can show is still one.
                *share += (last.min(bin as f64 + 1.0) - first.max(bin as f64)).max(0.001);
            }
        }
        part.into_iter().map(|share| (share * 1000.0).ceil().min(1000.0) as u32).collect()
    }

    /// The nearest frame before or after the moment `t` that used a window up; `but` is where one stands, and is none.
    pub fn next(&self, t: u64, but: Option<RowId>, backwards: bool) -> Option<RowId> {
        let at = but.and_then(|id| self.stalls.iter().position(|stall| stall.first == id));
        let stall = match (at, backwards) {
            (Some(at), true) => self.stalls.get(at.checked_sub(1)?),
            (Some(at), false) => self.stalls.get(at + 1),
            (None, true) => self.stalls.iter().rev().find(|stall| stall.from < t),
            (None, false) => self.stalls.iter().find(|stall| stall.from >= t),
        };
        stall.map(|stall| stall.first)
    }

    /// A frame moved windows.
    pub(super) fn moved(&mut self, id: RowId, left: Left) {
        if !id.is_carrier() {
            self.rows.push((id.index() as u32, left));
            return;
        }
        while self.carriers.len() < id.index() {
            self.carriers.push(None);
        }
        self.carriers.push(Some(left));
    }

    /// Behind the frame `by`, `stream` (0 for the connection) keeps a direction from sending, or nothing does.
    pub(super) fn set(&mut self, t: u64, conn: u32, out: bool, stream: Option<u32>, by: RowId) {
        let open = self.open.iter().position(|&at| (self.stalls[at].conn, self.stalls[at].out) == (conn, out));
        match (open, stream) {
            (Some(at), None) => {
                let stall = self.open.swap_remove(at);
                let stall = &mut self.stalls[stall];
                stall.to = Some(t);
                self.sums[usize::from(out)].1 += t.saturating_sub(stall.from);
            }
            (None, Some(stream)) => {
                self.open.push(self.stalls.len());
                self.sums[usize::from(out)].0 += 1;
                self.stalls.push(Stall { from: t, to: None, conn, stream, out, first: by });
            }
            _ => {}
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.carriers.heap_bytes() + self.rows.capacity() * size_of::<(u32, Left)>() + self.stalls.capacity() * size_of::<Stall>()
    }
}
