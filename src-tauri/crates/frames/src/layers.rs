//! The layer map: from a range in an inner layer's stream to the ranges it came from in the layer outside.

use crate::Span;

/// Runs a block holds: 16 KiB.
const BLOCK: usize = 1024;

/// Runs of `inner → outer`, in order. Runs that continue each other are merged, so an undivided body costs one run.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// In blocks that never move: a body of a million chunks costs their runs, and no slack or copying as it grows.
    blocks: Vec<Vec<(u64, u64)>>,
    len: usize,
    inner_end: u64,
    outer_end: u64,
}

impl Map {
    /// Appends the next `outer.len()` bytes of the inner stream, found at `outer`. Empty spans change nothing.
    pub fn push(&mut self, outer: Span) {
        if outer.is_empty() {
            return;
        }
        if self.len == 0 || self.outer_end != outer.start {
            if self.len.is_multiple_of(BLOCK) {
                // Most bodies have few runs: only the first block grows by doubling.
                self.blocks.push(Vec::with_capacity(if self.len == 0 { 1 } else { BLOCK }));
            }
            if let Some(block) = self.blocks.last_mut() {
                block.push((self.inner_end, outer.start));
            }
            self.len += 1;
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
        self.blocks.iter().map(|block| block.capacity() * size_of::<(u64, u64)>()).sum()
    }

    fn run(&self, at: usize) -> Option<(u64, u64)> {
        self.blocks.get(at / BLOCK)?.get(at % BLOCK).copied()
    }

    /// Runs that begin at `inner` or before.
    fn runs_to(&self, inner: u64) -> usize {
        let block = self.blocks.partition_point(|block| block.first().is_some_and(|&(start, _)| start <= inner));
        block.checked_sub(1).map_or(0, |block| block * BLOCK + self.blocks[block].partition_point(|&(start, _)| start <= inner))
    }

    /// The outer ranges of `inner`, in order; what lies behind the end so far is left out.
    pub fn outer(&self, inner: Span) -> Vec<Span> {
        let end = inner.end.min(self.inner_end);
        let mut at = inner.start;
        let mut found = Vec::new();
        let mut run = self.runs_to(at);
        while let Some((inner_start, outer_start)) = run.checked_sub(1).filter(|_| at < end).and_then(|run| self.run(run)) {
            let run_end = self.run(run).map_or(self.inner_end, |(start, _)| start);
            let stop = end.min(run_end);
            found.push(Span::new(outer_start + (at - inner_start), outer_start + (stop - inner_start)));
            at = stop;
            run += 1;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_map_back_byte_by_byte_whatever_the_runs() {
        let mut map = Map::default();
        let (mut bytes, mut at) = (Vec::new(), 7);
        for n in 0..5_000 {
            // Every third piece continues the one before it; some are empty.
            at += if n % 3 == 0 { 0 } else { 5 };
            let span = Span::new(at, at + n % 4);
            map.push(span);
            bytes.extend(span.start..span.end);
            at = span.end;
        }
        assert_eq!(map.len(), bytes.len() as u64);
        for start in (0..bytes.len()).step_by(13) {
            for length in [0, 1, 2, 9, 4_000] {
                let end = (start + length).min(bytes.len());
                let outer: Vec<u64> =
                    map.outer(Span::new(start as u64, (start + length) as u64)).iter().flat_map(|span| span.start..span.end).collect();
                assert_eq!(outer, bytes[start..end]);
            }
        }
        assert!(Map::default().outer(Span::new(0, 9)).is_empty());
    }
}
