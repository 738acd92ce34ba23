//! Where the bytes go: every received byte is owned by one layer, and by the row or carrier that it is part of.
//!
//! A byte is booked when the unit that owns it is complete, so that what is booked never changes; what has come of unfinished units is
//! pending. A row's own bytes are all that came in its stream since the unit before it (a blank line between two events is the
//! second's), less what an inner layer got. An entry tells what differs from the one before it, in some two to five bytes; sums over
//! any range cost a block's decoding.

/// Who can own a byte, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Owner {
    /// Heads and trailers of HTTP/1.1.
    Head,
    /// Chunk lines, and what else frames HTTP/1.1.
    Chunk,
    /// HTTP/2 frames, less the DATA in them.
    H2,
    /// A body that is no stream, less its JSON.
    Body,
    /// What is compressed, whatever it holds: no byte of it belongs to one byte of what is inside.
    Coding,
    /// Event streams, less their data.
    Sse,
    /// Line ends of JSON lines.
    Ndjson,
    /// Event streams of AWS, less their payloads.
    Eventstream,
    /// WebSocket frames, less their payloads.
    Ws,
    /// JSON, less what it says.
    Json,
    /// Text as it stands in the JSON.
    Text,
    /// Reasoning likewise.
    Reasoning,
    /// Tool-call arguments likewise.
    Tool,
}

/// The names of [`Owner`]s, in their order.
pub const OWNERS: [&str; 13] =
    ["http-head", "chunk", "h2", "body", "content-coding", "sse", "ndjson", "eventstream", "ws", "json", "text", "reasoning", "tool-call"];

/// Bytes by owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares(pub [u64; OWNERS.len()]);

impl Shares {
    /// So many bytes of one owner.
    pub fn of(owner: Owner, bytes: u64) -> Self {
        let mut shares = Self::default();
        shares.0[owner as usize] = bytes;
        shares
    }

    /// Adds what others own.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// What is left without a part of it.
    pub fn less(mut self, part: &Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(part.0) {
            *mine = mine.saturating_sub(theirs);
        }
        self
    }

    /// At most `bytes` go from one owner to another; tells how many went.
    pub fn pass(&mut self, from: Owner, to: Owner, bytes: u64) -> u64 {
        let bytes = bytes.min(self.0[from as usize]);
        self.0[from as usize] -= bytes;
        self.0[to as usize] += bytes;
        bytes
    }

    /// All bytes.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Names and bytes of those who own any.
    pub fn named(&self) -> Vec<(String, u64)> {
        OWNERS.iter().zip(self.0).filter(|(_, bytes)| *bytes > 0).map(|(name, bytes)| ((*name).to_owned(), bytes)).collect()
    }
}

/// Entries in a block.
const BLOCK: usize = 512;

/// What the rows, or the carriers, of a session own: an entry each, in order.
#[derive(Debug, Default)]
pub struct Book {
    /// Full blocks: the sum of all entries before, and the entries.
    blocks: Vec<(Shares, Box<[u8]>)>,
    /// The block that is being filled.
    tail: Vec<u8>,
    /// Entries in it, and the newest of them.
    filled: usize,
    previous: Shares,
    /// The sum of all entries before the tail, and of all but the last.
    before: Shares,
    all: Shares,
    /// The last entry, which may still change.
    last: Option<Shares>,
}

impl Book {
    /// The next entry.
    pub fn push(&mut self, entry: Shares) {
        if let Some(done) = self.last.replace(entry) {
            write(&self.previous, &done, &mut self.tail);
            self.all.add(&done);
            self.filled += 1;
            self.previous = done;
            if self.filled == BLOCK {
                self.blocks.push((self.before, std::mem::take(&mut self.tail).into_boxed_slice()));
                (self.before, self.filled, self.previous) = (self.all, 0, Shares::default());
            }
        }
    }

    /// The last entry, to be told more exactly.
    pub fn last_mut(&mut self) -> Option<&mut Shares> {
        self.last.as_mut()
    }

    /// The sum of all.
    pub fn total(&self) -> Shares {
        let mut total = self.all;
        total.add(&self.last.unwrap_or_default());
        total
    }

    /// The sum of the first `count`.
    pub fn first(&self, count: usize) -> Shares {
        let mut sum;
        let (mut bytes, mut left) = match self.blocks.get(count / BLOCK) {
            Some((before, block)) => {
                sum = *before;
                (&block[..], count % BLOCK)
            }
            None => {
                sum = self.before;
                (&self.tail[..], count - self.blocks.len() * BLOCK)
            }
        };
        let mut entry = Shares::default();
        while left > 0 && !bytes.is_empty() {
            read(&mut entry, &mut bytes);
            sum.add(&entry);
            left -= 1;
        }
        if left > 0 {
            sum.add(&self.last.unwrap_or_default());
        }
        sum
    }

    /// The sum of those at `ids`, which ascend.
    pub fn sum(&self, ids: impl Iterator<Item = usize>) -> Shares {
        let mut sum = Shares::default();
        // The next entry that would be read, and where it stands in its block.
        let (mut at, mut bytes): (usize, &[u8]) = (0, self.blocks.first().map_or(&self.tail[..], |(_, block)| block));
        let mut entry = Shares::default();
        for id in ids {
            if id / BLOCK != at / BLOCK || id < at {
                at = id / BLOCK * BLOCK;
                bytes = self.blocks.get(id / BLOCK).map_or(&self.tail[..], |(_, block)| block);
                entry = Shares::default();
            }
            while at < id && !bytes.is_empty() {
                read(&mut entry, &mut bytes);
                at += 1;
            }
            if bytes.is_empty() {
                if id == self.blocks.len() * BLOCK + self.filled {
                    sum.add(&self.last.unwrap_or_default());
                }
            } else {
                read(&mut entry, &mut bytes);
                sum.add(&entry);
                at += 1;
                // A block's end is the next one's beginning.
                if at.is_multiple_of(BLOCK) {
                    bytes = self.blocks.get(at / BLOCK).map_or(&self.tail[..], |(_, block)| block);
                    entry = Shares::default();
                }
            }
        }
        sum
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<(Shares, Box<[u8]>)>()
            + self.blocks.iter().map(|(_, block)| block.len()).sum::<usize>()
            + self.tail.capacity()
    }
}

/// Owners by their bit in an entry's head: those that own something almost everywhere fit into its first byte.
const BITS: [Owner; 13] = [
    Owner::Json,
    Owner::Text,
    Owner::Sse,
    Owner::Chunk,
    Owner::Ws,
    Owner::H2,
    Owner::Reasoning,
    Owner::Tool,
    Owner::Ndjson,
    Owner::Eventstream,
    Owner::Coding,
    Owner::Body,
    Owner::Head,
];

/// Which owners have other bytes than in the entry before, as bits, then their bytes.
fn write(previous: &Shares, entry: &Shares, into: &mut Vec<u8>) {
    let other = |owner: Owner| previous.0[owner as usize] != entry.0[owner as usize];
    number(BITS.iter().enumerate().fold(0, |head, (bit, owner)| head | u64::from(other(*owner)) << bit), into);
    for owner in BITS.into_iter().filter(|owner| other(*owner)) {
        number(entry.0[owner as usize], into);
    }
}

/// In base 128, the lowest digit first, a set top bit for more.
fn number(mut value: u64, into: &mut Vec<u8>) {
    while value >= 128 {
        into.push(value as u8 | 128);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Makes the entry before into the next one.
fn read(entry: &mut Shares, from: &mut &[u8]) {
    let head = digits(from);
    for (bit, owner) in BITS.into_iter().enumerate() {
        if head >> bit & 1 == 1 {
            entry.0[owner as usize] = digits(from);
        }
    }
}

fn digits(from: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    while let Some((&digit, rest)) = from.split_first() {
        *from = rest;
        value |= u64::from(digit & 127) << shift;
        shift += 7;
        if digit < 128 {
            break;
        }
    }
    value
}

/// Both books of a session, and what is no row's.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Of rows.
    pub rows: Book,
    /// Of carriers.
    pub carriers: Book,
    /// What was left in a stream when its connection was over: when, and whose.
    rest: Vec<(u64, Owner, u64)>,
}

impl Ledger {
    /// Bytes that are no row's, found at the end of their connection.
    pub fn leave(&mut self, t: u64, owner: Owner, bytes: u64) {
        if bytes > 0 {
            self.rest.push((t, owner, bytes));
        }
    }

    /// All that is booked.
    pub fn total(&self) -> Shares {
        let mut total = self.rows.total();
        total.add(&self.carriers.total());
        total.add(&self.rest(|_| true));
        total
    }

    /// What was no row's, of the moments that are asked for.
    pub fn rest(&self, when: impl Fn(u64) -> bool) -> Shares {
        let mut sum = Shares::default();
        for (_, owner, bytes) in self.rest.iter().filter(|(t, _, _)| when(*t)) {
            sum.add(&Shares::of(*owner, *bytes));
        }
        sum
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.rows.heap_bytes() + self.carriers.heap_bytes() + self.rest.capacity() * size_of::<(u64, Owner, u64)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_part_of_a_book_adds_up() {
        let mut book = Book::default();
        let mut plain = Vec::new();
        for n in 0..1500_u64 {
            let mut entry = Shares::default();
            for at in 0..OWNERS.len() as u64 {
                entry.0[at as usize] = if (n + at) % 3 == 0 { (n * at) << (n % 40) } else { 0 };
            }
            book.push(entry);
            plain.push(entry);
            let summed = |entries: &[Shares]| {
                entries.iter().fold(Shares::default(), |mut sum, entry| {
                    sum.add(entry);
                    sum
                })
            };
            assert_eq!(book.total(), summed(&plain));
            if n % 97 == 0 {
                for count in 0..=plain.len() {
                    assert_eq!(book.first(count), summed(&plain[..count]), "{count} of {n}");
                }
                for step in [1, 2, 63, 512, 700] {
                    let ids: Vec<usize> = (0..plain.len()).step_by(step).collect();
                    let some: Vec<Shares> = ids.iter().map(|id| plain[*id]).collect();
                    assert_eq!(book.sum(ids.into_iter()), summed(&some), "every {step} of {n}");
                }
            }
        }
    }
}
