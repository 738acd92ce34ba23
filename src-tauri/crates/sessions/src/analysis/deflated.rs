//! A stream of WebSocket messages under permessage-deflate (RFC 7692): where it can be read from without what came before.
//!
//! A compressed message may refer to the last 32 KiB that were inflated before it. That much is kept every so often, so that any
//! message opens by inflating what came since; how often depends on the stream's length, so that the memory stays bounded.

use std::sync::Arc;

/// Bytes between two places at first.
const APART: u64 = 64 << 10;

/// Places that are kept: 8 MiB of windows.
const MOST: usize = 256;

/// What was agreed for a stream, and where one can begin to read it.
#[derive(Clone, Debug)]
pub struct Deflated {
    /// The agreed value of `Sec-WebSocket-Extensions`.
    pub extensions: String,
    /// Its first byte that is a frame's.
    pub base: u64,
    places: Vec<(u64, Arc<[u8]>)>,
    apart: u64,
}

impl Deflated {
    /// A stream whose frames begin at `base`.
    pub fn new(extensions: &str, base: u64) -> Self {
        Self { extensions: extensions.to_owned(), base, places: Vec::new(), apart: APART }
    }

    /// Between two messages: the offset in the stream, and the window there.
    pub fn border(&mut self, at: u64, window: &[u8]) {
        if at < self.places.last().map_or(self.base, |(last, _)| *last) + self.apart {
            return;
        }
        self.places.push((at, window.into()));
        if self.places.len() > MOST {
            // Every second place goes: what lies between two is twice as much.
            self.apart *= 2;
            let mut n = 0;
            self.places.retain(|_| {
                n += 1;
                n % 2 == 0
            });
        }
    }

    /// The last place before `at`, with its window.
    pub fn before(&self, at: u64) -> (u64, Arc<[u8]>) {
        let next = self.places.partition_point(|(place, _)| *place <= at);
        next.checked_sub(1).map_or_else(|| (self.base, Arc::default()), |last| self.places[last].clone())
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.places.iter().map(|(_, window)| window.len() + size_of::<(u64, Arc<[u8]>)>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_kept_apart_and_few_however_long_the_stream() {
        let mut deflated = Deflated::new("permessage-deflate", 100);
        assert_eq!(deflated.before(5000).0, 100);
        for at in 1..100_000 {
            deflated.border(100 + at * 10_000, &[at as u8]);
        }
        assert!(deflated.places.len() <= MOST);
        for at in [100_u64, 300_000, 7_000_000, 999_999_999] {
            let (place, _) = deflated.before(at);
            assert!(place <= at && at - place <= 2 * deflated.apart, "{at} from {place}, {} apart", deflated.apart);
        }
    }
}
