//! What the targets share: how an input says in which pieces it is fed.

use weir_frames::{Limits, Span};

/// One run's input.
pub struct Case<'a> {
    /// The stream.
    pub input: &'a [u8],
    /// A byte of choices for the target.
    pub choice: u8,
    sizes: [u8; 3],
}

impl<'a> Case<'a> {
    /// The first four bytes choose, the rest is the stream.
    pub fn new(data: &'a [u8]) -> Option<Self> {
        let (&[choice, first, second, third], input) = data.split_first_chunk()?;
        Some(Self { input, choice, sizes: [first, second, third] })
    }

    /// Limits that a short input can pass, or the real ones.
    pub fn limits(&self) -> Limits {
        if self.choice & 1 == 0 { Limits::default() } else { Limits { unit: 20, head: 48 } }
    }

    /// The stream in pieces of 1 to 32 bytes.
    pub fn pieces(&self) -> Vec<&'a [u8]> {
        let mut rest = self.input;
        let mut pieces = Vec::new();
        for size in self.sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at((usize::from(*size) % 32 + 1).min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces
    }

    /// The bytes at `span`, which must lie in the stream.
    pub fn at(&self, span: Span) -> &'a [u8] {
        assert!(span.start <= span.end && span.end <= self.input.len() as u64, "{span:?}");
        &self.input[span.start as usize..span.end as usize]
    }
}
