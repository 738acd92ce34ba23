//! The reply as blocks: runs of deltas of one kind, each delta linked to its row.

use weir_dialects::delta::Part;
use weir_dialects::{Delta, DeltaKind, Reply, ToolCall};

use super::chunked::Chunked;
use crate::view::BlockKind;

/// Where one delta's text ends in its block, and the row that carried it: 8 bytes a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    row: u32,
    /// End in the block's text, bytes.
    end: u32,
}

/// A block of the reply.
#[derive(Clone, Debug)]
pub struct ReplyBlock {
    /// What its text is.
    pub kind: BlockKind,
    /// Its text so far; the arguments for a tool call.
    pub text: String,
    /// Length of `text` in UTF-16 code units, which is how the page counts.
    pub utf16: u32,
    /// When its first and last deltas came, nanoseconds.
    pub times: (u64, u64),
    /// Call id and name.
    pub tool: Option<ToolCall>,
    /// What an audio block holds.
    pub media: Option<Media>,
    /// Times `text` was replaced as a whole: a watcher that has seen less must take it anew.
    pub rewrites: u32,
    tool_index: u64,
    pieces: Chunked<Piece>,
    /// Borders of deltas about every [`STRIDE`] bytes, as (byte, UTF-16 offset): where counting begins.
    milestones: Vec<(u32, u32)>,
}

/// What the pieces of an audio block add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// Media type, e.g. `audio/pcm;rate=24000`.
    pub media_type: String,
    /// Bytes of sound.
    pub bytes: u64,
    /// How long it plays, where that is known.
    pub ms: Option<f64>,
}

/// Bytes of text that are counted through at most to change between bytes and UTF-16, besides one delta.
const STRIDE: usize = 4096;

impl ReplyBlock {
    /// Deltas in it.
    pub fn deltas(&self) -> u32 {
        self.pieces.len() as u32
    }

    /// First and last row.
    pub fn rows(&self) -> (u32, u32) {
        (self.pieces.get(0).map_or(0, |p| p.row), self.pieces.last().map_or(0, |p| p.row))
    }

    /// Row and text range (bytes) of the delta that covers byte `at` of the text.
    pub fn delta_at(&self, at: u32) -> Option<(u32, std::ops::Range<usize>)> {
        let index = self.pieces.partition_point(|p| p.end <= at);
        let piece = self.pieces.get(index)?;
        Some((piece.row, self.start_of(index)..piece.end as usize))
    }

    /// The rows that added to it, in order.
    pub fn all_rows(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.pieces.len()).filter_map(|at| self.pieces.get(at).map(|piece| piece.row))
    }

    /// Text range (bytes) that `row` added.
    pub fn range_of(&self, row: u32) -> Option<std::ops::Range<usize>> {
        let first = self.pieces.partition_point(|p| p.row < row);
        let behind = self.pieces.partition_point(|p| p.row <= row);
        (first < behind).then(|| self.start_of(first)..self.start_of(behind))
    }

    /// UTF-16 offset of byte `at` of the text.
    pub fn utf16_of_byte(&self, at: usize) -> u32 {
        let (byte, utf16) = self.milestone(|&(byte, _)| byte as usize <= at);
        utf16 + utf16_len(self.text.get(byte as usize..at).unwrap_or_default())
    }

    /// Byte offset of a UTF-16 offset of the text, as [`byte_of_utf16`].
    pub fn byte_of_utf16(&self, offset: u32) -> usize {
        let (byte, utf16) = self.milestone(|&(_, utf16)| utf16 <= offset);
        byte as usize + byte_of_utf16(self.text.get(byte as usize..).unwrap_or_default(), offset - utf16)
    }

    fn milestone(&self, before: impl Fn(&(u32, u32)) -> bool) -> (u32, u32) {
        let passed = self.milestones.partition_point(before);
        passed.checked_sub(1).and_then(|at| self.milestones.get(at).copied()).unwrap_or_default()
    }

    fn start_of(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.pieces.get(index - 1).map_or(0, |p| p.end as usize) }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.text.capacity() + self.pieces.heap_bytes() + self.milestones.capacity() * size_of::<(u32, u32)>()
    }
}

/// Everything the deltas add up to.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    /// Blocks in order of appearance.
    pub blocks: Vec<ReplyBlock>,
    /// Usage, finish, error, end marker. Its texts stay empty: they are the blocks'.
    pub facts: Reply,
    /// Turns that began after the first.
    pub turns: u32,
    /// The first block of the present turn.
    turn_start: usize,
}

impl Folded {
    /// Another turn begins: what comes belongs to new blocks, and the end of the last turn is none of this one.
    pub fn turn(&mut self) {
        self.turns += 1;
        self.turn_start = self.blocks.len();
        self.facts = Reply { usage: self.facts.usage.take(), id: self.facts.id.take(), ..Reply::default() };
    }

    /// Folds one delta of `row` in; tells the index of the block it added to.
    pub fn push(&mut self, delta: &Delta<'_>, row: u32, t: u64) -> Option<u32> {
        let kind = match delta.kind {
            DeltaKind::Text => BlockKind::Text,
            DeltaKind::Reasoning => BlockKind::Reasoning,
            DeltaKind::Refusal => BlockKind::Refusal,
            DeltaKind::ToolCall => BlockKind::ToolCall,
            DeltaKind::Audio => BlockKind::Audio,
            DeltaKind::Said => BlockKind::Said,
            _ => {
                if let Part::Signature { call: Some(index) } = &delta.part
                    && let Some(block) = self.blocks.iter_mut().rfind(|b| b.kind == BlockKind::ToolCall && b.tool_index == *index)
                    && let Some(tool) = &mut block.tool
                {
                    tool.signature = Some(delta.text.to_string());
                    block.rewrites += 1;
                }
                self.facts.push(delta);
                return None;
            }
        };
        let (index, id, name, whole) = match &delta.part {
            Part::Tool { index, id, name, whole } => (*index, id.as_deref(), name.as_deref(), *whole),
            Part::Whole => (0, None, None, true),
            _ => (0, None, None, false),
        };
        if !matches!(kind, BlockKind::ToolCall | BlockKind::Audio) && delta.text.is_empty() && !whole {
            return None;
        }
        let found = match kind {
            // Fragments of several calls may interleave.
            BlockKind::ToolCall => self.blocks[self.turn_start..].iter().rposition(|b| b.kind == kind && b.tool_index == index),
            BlockKind::Said => None,
            // A final form replaces what was said before it, whatever was said between.
            _ if whole => self.blocks[self.turn_start..].iter().rposition(|b| b.kind == kind),
            // Sound and its transcript come side by side: each is one block.
            BlockKind::Audio => self.blocks[self.turn_start..].iter().rposition(|b| b.kind == kind),
            _ => self.blocks[self.turn_start..]
                .iter()
                .rposition(|b| b.kind != BlockKind::Audio)
                .filter(|&last| self.blocks[self.turn_start + last].kind == kind),
        };
        let found = found.map(|at| at + self.turn_start);
        let at = found.unwrap_or_else(|| {
            self.blocks.push(ReplyBlock {
                kind,
                text: String::new(),
                utf16: 0,
                times: (t, t),
                tool: (kind == BlockKind::ToolCall).then(ToolCall::default),
                media: None,
                rewrites: 0,
                tool_index: index,
                pieces: Chunked::default(),
                milestones: Vec::new(),
            });
            self.blocks.len() - 1
        });
        if whole && kind != BlockKind::ToolCall {
            self.clear_before(at, kind);
        }
        let block = &mut self.blocks[at];
        if let Part::Media { media_type, bytes, ms, .. } = &delta.part {
            match &mut block.media {
                Some(media) => {
                    media.bytes += bytes;
                    media.ms = media.ms.zip(*ms).map(|(a, b)| a + b);
                }
                none => *none = Some(Media { media_type: media_type.to_string(), bytes: *bytes, ms: *ms }),
            }
        }
        if let Some(tool) = &mut block.tool {
            let changed = id.is_some_and(|id| id != tool.id) || name.is_some_and(|name| name != tool.name);
            if let Some(id) = id {
                tool.id = id.to_owned();
            }
            if let Some(name) = name {
                tool.name = name.to_owned();
            }
            if changed {
                block.rewrites += 1;
            }
        }
        if whole {
            // The final form usually repeats what the fragments already gave; then they stay linked to their rows.
            if block.text == delta.text {
                return Some(at as u32);
            }
            block.rewrites += 1;
            block.text.clear();
            block.utf16 = 0;
            block.pieces = Chunked::default();
            block.milestones.clear();
        }
        if kind != BlockKind::Audio {
            block.text.push_str(&delta.text);
            block.utf16 += utf16_len(&delta.text);
        }
        block.times.1 = t;
        let end = block.text.len() as u32;
        if end as usize >= block.milestones.last().map_or(0, |&(byte, _)| byte as usize) + STRIDE {
            block.milestones.push((end, block.utf16));
        }
        match block.pieces.last_mut() {
            Some(last) if last.row == row => last.end = end,
            _ => {
                block.pieces.push(Piece { row, end });
            }
        }
        Some(at as u32)
    }

    /// Empties the blocks of `kind` in this turn that stand before `at`: a final form holds their text too.
    fn clear_before(&mut self, at: usize, kind: BlockKind) {
        for block in self.blocks[self.turn_start..at].iter_mut().filter(|block| block.kind == kind && !block.text.is_empty()) {
            block.rewrites += 1;
            block.text.clear();
            block.utf16 = 0;
            block.milestones.clear();
            block.pieces = Chunked::default();
        }
    }

    /// All text of one kind, joined.
    pub fn text(&self, kind: BlockKind) -> String {
        self.blocks.iter().filter(|b| b.kind == kind).map(|b| b.text.as_str()).collect()
    }

    /// Tool calls with their arguments.
    pub fn tool_calls(&self) -> Vec<ToolCall> {
        self.blocks
            .iter()
            .filter_map(|block| block.tool.as_ref().map(|tool| ToolCall { arguments: block.text.clone(), ..tool.clone() }))
            .collect()
    }
}

/// Length of `text` in UTF-16 code units.
pub fn utf16_len(text: &str) -> u32 {
    if text.is_ascii() { text.len() as u32 } else { text.encode_utf16().count() as u32 }
}

/// Byte offset of a UTF-16 offset; the end where it lies behind it, the character's start where it splits a pair.
pub fn byte_of_utf16(text: &str, offset: u32) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        let next = units + c.len_utf16() as u32;
        if next > offset {
            return at;
        }
        units = next;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_change_over_and_back_in_a_long_text() {
        let mut folded = Folded::default();
        let words = ["plain ", "w\u{f6}rld ", "\u{4f60}\u{597d}", "\u{1f600}\u{1f468}\u{200d}\u{1f469}", ""];
        for row in 0..20_000 {
            folded.push(&Delta::new(DeltaKind::Text, words[row % words.len()], 0..0), row as u32, 0);
        }
        let block = &folded.blocks[0];
        assert_eq!(block.utf16, utf16_len(&block.text));
        let mut utf16 = 0;
        for (n, (byte, c)) in block.text.char_indices().enumerate() {
            if n % 61 == 0 {
                assert_eq!(block.utf16_of_byte(byte), utf16);
                assert_eq!(block.byte_of_utf16(utf16), byte);
                // In the middle of a pair stands its character's start.
                assert_eq!(block.byte_of_utf16(utf16 + c.len_utf16() as u32 - 1), byte);
            }
            utf16 += c.len_utf16() as u32;
        }
        assert_eq!(block.byte_of_utf16(utf16 + 5), block.text.len());
    }

    #[test]
    fn each_delta_is_found_by_its_text_and_by_its_row() {
        let mut folded = Folded::default();
        for row in 0..3_000u32 {
            folded.push(&Delta::new(DeltaKind::Text, "ab", 0..0), row * 2, 0);
        }
        let block = &folded.blocks[0];
        assert_eq!(block.delta_at(4_001), Some((4_000, 4_000..4_002)));
        assert_eq!(block.range_of(4_000), Some(4_000..4_002));
        assert_eq!(block.range_of(4_001), None);
        assert_eq!(block.delta_at(6_000), None);
    }
}
