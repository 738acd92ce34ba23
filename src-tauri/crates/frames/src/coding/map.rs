//! From decoded bytes to coded ones and back.

use crate::Span;

/// Runs of `decoded ↔ coded`, in order. Unlike in [`crate::layers::Map`], the two sides of a run differ in length: all of one side
/// belongs to all of the other. A run without decoded bytes is the coding's own: a header, a checksum.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// Where each run ends, decoded and coded.
    ends: Vec<(u64, u64)>,
    inner: u64,
    outer: u64,
    /// Only lengths are kept.
    lengths: bool,
}

impl Map {
    /// A map that tells lengths alone.
    pub(super) fn without_runs() -> Self {
        Self { lengths: true, ..Self::default() }
    }

    /// Decoded bytes so far.
    pub fn len(&self) -> u64 {
        self.inner
    }

    /// Whether nothing was decoded yet.
    pub fn is_empty(&self) -> bool {
        self.inner == 0
    }

    /// Bytes the runs take on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.ends.capacity() * size_of::<(u64, u64)>()
    }

    /// The coded ranges of `inner`, in order; what lies behind the end so far is left out.
    pub fn outer(&self, inner: Span) -> Vec<Span> {
        let end = inner.end.min(self.inner);
        let mut found: Vec<Span> = Vec::new();
        let mut at = self.ends.partition_point(|&(run_end, _)| run_end <= inner.start);
        while let Some((run, coded)) = self.run(at).filter(|(run, _)| inner.start < end && run.start < end) {
            if !run.is_empty() {
                match found.last_mut().filter(|last| last.end == coded.start) {
                    Some(last) => last.end = coded.end,
                    None => found.push(coded),
                }
            }
            at += 1;
        }
        found
    }

    /// The decoded range that the coded bytes `outer` take part in; empty where they are the coding's own.
    pub fn inner(&self, outer: Span) -> Span {
        let first = self.ends.partition_point(|&(_, run_end)| run_end <= outer.start);
        let start = self.run(first).filter(|(_, coded)| coded.end > outer.start).map_or(self.inner, |(run, _)| run.start);
        let mut end = start;
        let mut at = first;
        while let Some((run, _)) = self.run(at).filter(|(_, coded)| coded.start < outer.end && outer.start < coded.end) {
            end = run.end;
            at += 1;
        }
        Span::new(start, end)
    }

    /// A run's two sides; the last one is what no mark has ended yet.
    fn run(&self, at: usize) -> Option<(Span, Span)> {
        let (inner_start, outer_start) = match at {
            0 => (0, 0),
            at => *self.ends.get(at - 1)?,
        };
        let (inner_end, outer_end) = self.ends.get(at).copied().unwrap_or((self.inner, self.outer));
        (outer_start < outer_end || inner_start < inner_end).then(|| (Span::new(inner_start, inner_end), Span::new(outer_start, outer_end)))
    }

    /// So many bytes were decoded: where they stand.
    pub(super) fn grow(&mut self, bytes: u64) -> Span {
        self.inner += bytes;
        Span::new(self.inner - bytes, self.inner)
    }

    /// The coded bytes reach to here.
    pub(super) fn reach(&mut self, outer: u64) {
        self.outer = outer;
    }

    /// Ends a run here. One that decoded nothing is joined to a neighbour of its kind, so that long headers cost one run.
    pub(super) fn mark(&mut self) {
        if self.lengths {
            return;
        }
        let end = (self.inner, self.outer);
        let before = self.ends.len().checked_sub(2).map_or((0, 0), |at| self.ends[at]);
        match self.ends.last_mut() {
            Some(last) if last.1 == end.1 => *last = end,
            Some(last) if last.0 == end.0 && before.0 == last.0 => *last = end,
            None if end.1 == 0 => {}
            _ => self.ends.push(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let mut map = Map::default();
        for (inner, outer) in [(0, 10), (0, 20), (100, 64), (0, 70), (0, 80), (5, 90)] {
            map.grow(inner);
            map.reach(outer);
            map.mark();
        }
        map.grow(7);
        map.reach(93);
        assert_eq!(map.outer(Span::new(0, 1)), [Span::new(20, 64)]);
        assert_eq!(map.outer(Span::new(99, 101)), [Span::new(20, 64), Span::new(80, 90)]);
        assert_eq!(map.outer(Span::new(104, 200)), [Span::new(80, 93)]);
        assert_eq!(map.outer(Span::new(50, 50)), []);
        assert_eq!(map.outer(Span::new(112, 200)), []);
        assert_eq!(map.inner(Span::new(0, 20)), Span::new(0, 0));
        assert_eq!(map.inner(Span::new(63, 64)), Span::new(0, 100));
        assert_eq!(map.inner(Span::new(64, 80)), Span::new(100, 100));
        assert_eq!(map.inner(Span::new(30, 91)), Span::new(0, 112));
        assert_eq!(map.inner(Span::new(93, 99)), Span::new(112, 112));
        assert_eq!(map.ends.len(), 4);
        assert!(Map::default().outer(Span::new(0, 9)).is_empty());
    }
}
