//! The layer map: from a range in an inner layer's stream to the ranges it came from in the layer outside.

use crate::Span;

/// Runs of `inner → outer`, in order. Runs that continue each other are merged, so an undivided body costs one run.
#[derive(Clone, Debug, Default)]
pub struct Map {
    runs: Vec<(u64, u64)>,
    inner_end: u64,
    outer_end: u64,
}

impl Map {
    /// Appends the next `outer.len()` bytes of the inner stream, found at `outer`. Empty spans change nothing.
    pub fn push(&mut self, outer: Span) {
        if outer.is_empty() {
            return;
        }
        if self.runs.is_empty() || self.outer_end != outer.start {
            self.runs.push((self.inner_end, outer.start));
        }
        self.inner_end += outer.len();
        self.outer_end = outer.end;
    }

    /// Bytes in the inner stream so far.
    pub fn len(&self) -> u64 {
        self.inner_end
    }

    /// Whether nothing was mapped yet.
    pub fn is_empty(&self) -> bool {
        self.inner_end == 0
    }

    /// Bytes the runs take on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.runs.capacity() * size_of::<(u64, u64)>()
    }

    /// The outer ranges of `inner`, in order; what lies behind the end so far is left out.
    pub fn outer(&self, inner: Span) -> Vec<Span> {
        let end = inner.end.min(self.inner_end);
        let mut at = inner.start;
        let mut found = Vec::new();
        let mut run = self.runs.partition_point(|&(start, _)| start <= at);
        while at < end && run > 0 {
            let (inner_start, outer_start) = self.runs[run - 1];
            let run_end = self.runs.get(run).map_or(self.inner_end, |&(start, _)| start);
            let stop = end.min(run_end);
            found.push(Span::new(outer_start + (at - inner_start), outer_start + (stop - inner_start)));
            at = stop;
            run += 1;
        }
        found
    }
}
