//! An append-only list that never moves what it holds, so that a million rows cost no slack and no copying.

/// Elements a chunk holds: at 32 bytes a row, 64 KiB.
const CHUNK: usize = 2048;

/// The list.
#[derive(Clone, Debug)]
pub struct Chunked<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<T> Chunked<T> {
    /// Appends an element and tells its index.
    pub fn push(&mut self, value: T) -> usize {
        if self.len.is_multiple_of(CHUNK) {
            // Small sessions stay small: only the first chunk grows by doubling.
            self.chunks.push(Vec::with_capacity(if self.len == 0 { 16 } else { CHUNK }));
        }
        if let Some(last) = self.chunks.last_mut() {
            last.push(value);
        }
        self.len += 1;
        self.len - 1
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The element at `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// The last element.
    pub fn last(&self) -> Option<&T> {
        self.chunks.last()?.last()
    }

    /// The last element, to be changed.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.chunks.last_mut()?.last_mut()
    }

    /// All elements from `start` on.
    pub fn iter_from(&self, start: usize) -> impl Iterator<Item = &T> {
        let skip = start % CHUNK;
        self.chunks.iter().skip(start / CHUNK).enumerate().flat_map(move |(n, chunk)| chunk.iter().skip(if n == 0 { skip } else { 0 }))
    }

    /// Index of the first element for which `before` is false; `before` must hold for a prefix.
    pub fn partition_point(&self, mut before: impl FnMut(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(&mut before) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.capacity() * size_of::<T>()).sum()
    }
}
