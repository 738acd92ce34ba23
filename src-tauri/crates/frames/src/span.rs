//! Where something stands in its stream.

use std::ops::Range;

/// A half-open byte range `start..end` in one layer's stream, counted from that stream's first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte; never below `start`.
    pub end: u64,
}

impl Span {
    /// `start..end`.
    pub const fn new(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// Bytes in the range.
    pub const fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether the range holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether the two share a byte.
    pub const fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl From<Range<u64>> for Span {
    fn from(range: Range<u64>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// How much of one unit a dissector keeps in memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one event, line or message that are handed on whole. A longer unit is still found and its
    /// range told, but its payload is not gathered.
    pub unit: usize,
    /// Bytes of one header section (HTTP heads, trailers, HPACK blocks).
    pub head: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unit: 128 << 20, head: 1 << 20 }
    }
}
