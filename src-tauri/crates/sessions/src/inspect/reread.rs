//! Decoding a compressed body once more, for rows that are opened.
//!
//! Content codings have no place to begin but their start, so a row's inside costs the decoding of all before it: once, at some hundred
//! MB of decoded bytes a second, in steps that the asker drives (who stops asking has stopped it). The decoder stays where it came, so
//! rows further on cost only what lies between; the last [`KEPT`] blocks stay decoded, so going back that far costs nothing. Going back
//! further begins anew. Memory: those blocks (16 MiB) and a decoder for each of [`PARKED`] bodies (a window of 8 MiB at most).

use std::collections::VecDeque;

use weir_frames::Span;
use weir_frames::coding::Decoder;

use super::Bytes;
use super::unit::undo;
use crate::Error;
use crate::analysis::Stream;

/// Decoded bytes of a block.
const BLOCK: u64 = 256 << 10;
/// Blocks that are kept, of all bodies. Tests go further back than they hold.
const KEPT: usize = if cfg!(test) { 4 } else { 64 };
/// Bodies whose decoders are kept.
const PARKED: usize = 4;
/// Coded bytes that are read at once.
const PIECE: u64 = 64 << 10;
/// A step ends behind so many coded bytes, or so many decoded ones: some tens of milliseconds.
const STEP: (u64, u64) = if cfg!(test) { (PIECE, BLOCK) } else { (4 << 20, 16 << 20) };

/// A longer range is not kept: it is decoded for whoever asks, from the start.
pub const LONGEST: u64 = 8 << 20;

/// What is kept of decoded bodies.
#[derive(Default)]
pub struct Reread {
    parked: Vec<Parked>,
    /// Decoded blocks by stream and number, the newest last.
    blocks: VecDeque<(u16, u64, Vec<u8>)>,
}

/// A body as far as it was decoded.
struct Parked {
    stream: u16,
    decoders: Vec<Decoder>,
    /// Coded bytes taken.
    coded: u64,
    /// The block that is not full yet, and its number.
    tail: Vec<u8>,
    number: u64,
}

/// A part of the way. It needs neither the index nor what is kept while it is made.
pub struct Step {
    parked: Parked,
    conn: u32,
    out: bool,
    /// Where the next coded bytes stand on the connection.
    spans: Vec<Span>,
    done: Vec<(u64, Vec<u8>)>,
    /// The coded bytes end before they should.
    short: bool,
    end: u64,
}

impl Step {
    /// Decodes.
    pub fn run(&mut self, bytes: &dyn Bytes) -> Result<(), Error> {
        let Self { parked, done, .. } = self;
        let mut decoded = 0;
        'all: for span in &self.spans {
            let mut start = span.start;
            while start < span.end {
                let piece = bytes.read(self.conn, self.out, start, (span.end - start).min(PIECE) as usize)?;
                if piece.is_empty() {
                    self.short = true;
                    break 'all;
                }
                start += piece.len() as u64;
                parked.coded += piece.len() as u64;
                let Parked { decoders, tail, number, .. } = parked;
                undo(decoders, &piece, &mut |mut plain| {
                    decoded += plain.len() as u64;
                    while !plain.is_empty() {
                        let (now, rest) = plain.split_at(plain.len().min(BLOCK as usize - tail.len()));
                        tail.extend_from_slice(now);
                        plain = rest;
                        if tail.len() == BLOCK as usize {
                            if done.len() == KEPT {
                                done.remove(0);
                            }
                            done.push((*number, std::mem::take(tail)));
                            *number += 1;
                        }
                    }
                });
                if decoded > STEP.1 {
                    break 'all;
                }
            }
        }
        Ok(())
    }

    /// Coded bytes that are still to be decoded.
    pub fn left(&self) -> u64 {
        self.end.saturating_sub(self.parked.coded)
    }

    /// The share (0–1) of the way that is done.
    pub fn share(&self) -> f64 {
        self.parked.coded as f64 / self.end.max(1) as f64
    }
}

impl Reread {
    /// The decoded range `shown` of a stream, if it is kept.
    pub fn held(&self, stream: u16, shown: Span) -> Option<Vec<u8>> {
        let found = self.part(stream, shown);
        (found.len() as u64 == shown.len()).then_some(found)
    }

    /// As much of the range as is kept, from its start on.
    pub fn part(&self, stream: u16, shown: Span) -> Vec<u8> {
        let mut found = Vec::new();
        let mut at = shown.start;
        while at < shown.end {
            let from = at - at % BLOCK;
            let Some(block) = self.block(stream, at / BLOCK) else { break };
            let Some(bytes) = block.get((at - from) as usize..block.len().min((shown.end - from) as usize)) else { break };
            if bytes.is_empty() {
                break;
            }
            found.extend_from_slice(bytes);
            at += bytes.len() as u64;
        }
        found
    }

    /// The next step towards the range; `None` where it is held, or there is no more of it.
    pub fn step(&mut self, id: u16, stream: &Stream, shown: Span) -> Option<Step> {
        let kept = self.part(id, shown).len() as u64;
        if kept == shown.len() {
            return None;
        }
        let end = stream.coded(shown).last().map_or(0, |coded| coded.end);
        let missing = (shown.start + kept) / BLOCK;
        let at = self.parked.iter().position(|parked| parked.stream == id);
        let parked = match at.map(|at| self.parked.remove(at)).filter(|parked| parked.number <= missing) {
            Some(parked) if parked.coded >= end => {
                self.parked.push(parked);
                return None;
            }
            Some(parked) => parked,
            None => Parked {
                stream: id,
                decoders: stream.codings.iter().map(|(coding, _)| Decoder::unmapped(*coding)).collect(),
                coded: 0,
                tail: Vec::new(),
                number: 0,
            },
        };
        let spans = stream.map.outer(Span::new(parked.coded, end.min(parked.coded + STEP.0)));
        Some(Step { parked, conn: stream.conn, out: stream.out, spans, done: Vec::new(), short: false, end })
    }

    /// Keeps what a step decoded. `false` where the coded bytes ended: no further step leads on.
    pub fn keep(&mut self, step: Step) -> bool {
        let stream = step.parked.stream;
        for (number, block) in step.done {
            self.blocks.retain(|(of, n, _)| (*of, *n) != (stream, number));
            self.blocks.push_back((stream, number, block));
        }
        while self.blocks.len() > KEPT {
            self.blocks.pop_front();
        }
        self.parked.retain(|parked| parked.stream != stream);
        if self.parked.len() == PARKED {
            self.parked.remove(0);
        }
        self.parked.push(step.parked);
        !step.short
    }

    fn block(&self, stream: u16, number: u64) -> Option<&[u8]> {
        let kept = self.blocks.iter().find(|(of, n, _)| (*of, *n) == (stream, number)).map(|(_, _, block)| &block[..]);
        kept.or_else(|| self.parked.iter().find(|p| (p.stream, p.number) == (stream, number)).map(|p| &p.tail[..]))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use weir_dialects::{Transport, dialect};
    use weir_transport::{Dir, Entry};

    use super::*;
    use crate::analysis::{Analysis, Fold, Row};
    use crate::inspect::unit::Unit;

    struct Held {
        bytes: Vec<u8>,
        kept: Mutex<Reread>,
        read: AtomicUsize,
    }

    impl Bytes for Held {
        fn read(&self, _: u32, out: bool, start: u64, len: usize) -> Result<Vec<u8>, Error> {
            let bytes = if out { &[][..] } else { &self.bytes };
            let start = (start as usize).min(bytes.len());
            let part = bytes[start..(start + len).min(bytes.len())].to_vec();
            self.read.fetch_add(part.len(), Relaxed);
            Ok(part)
        }

        fn reread(&self) -> Option<&Mutex<Reread>> {
            Some(&self.kept)
        }
    }

    /// Lines of a gzip body and where they are, folded.
    fn lines(count: usize) -> (Analysis, Held, Vec<String>) {
        let mut seed = 3_u64;
        let lines: Vec<String> = (0..count)
            .map(|n| {
                let mut noise = String::new();
                for _ in 0..30 {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    noise += &format!("{:016x}", seed);
                }
                format!("{{\"n\":{n},\"noise\":\"{noise}\"}}\n")
            })
            .collect();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(lines.concat().as_bytes()).expect("memory takes it");
        let body = encoder.finish().expect("memory takes it");
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let bytes = [head.as_bytes(), &body].concat();
        let mut analysis = Analysis::new(dialect::find("raw").expect("known"), Transport::Ndjson);
        let segment = |dir, bytes: &[u8]| Entry::Segment { conn: 0, dir, t: 1, bytes: bytes::Bytes::copy_from_slice(bytes) };
        analysis.push(&segment(Dir::Out, b"GET / HTTP/1.1\r\n\r\n"), &mut |_| {});
        for piece in bytes.chunks(9_000) {
            analysis.push(&segment(Dir::In, piece), &mut |_| {});
        }
        analysis.end(&mut |_| {});
        (analysis, Held { bytes, kept: Mutex::default(), read: AtomicUsize::new(0) }, lines)
    }

    /// Decodes up to a row as a session does; tells how many steps that took.
    fn decode(fold: &Fold, held: &Held, row: &Row) -> usize {
        let mut steps = 0;
        let mut share = 0.0;
        loop {
            let step = held.kept.lock().unwrap().step(row.stream, &fold.streams[row.stream as usize], row.span());
            let Some(mut step) = step else { return steps };
            step.run(held).unwrap();
            assert!(step.share() > share && step.share() <= 1.0, "{} follows {share}", step.share());
            share = step.share();
            assert!(held.kept.lock().unwrap().keep(step));
            steps += 1;
        }
    }

    #[test]
    fn a_row_opens_however_far_in_and_what_is_near_costs_nothing() {
        let (analysis, held, lines) = lines(5_000);
        let fold = &analysis.fold;
        let rows: Vec<Row> = fold.rows.iter_from(0).filter(|row| fold.streams[row.stream as usize].coded).copied().collect();
        assert_eq!(rows.len(), lines.len());
        assert!(held.bytes.len() as u64 > 6 * PIECE && lines.concat().len() as u64 > 8 * BLOCK);
        let opened = |n: usize| String::from_utf8(Unit::read(fold, &held, &rows[n]).unwrap().inner).unwrap();
        let read = |held: &Held| held.read.swap(0, Relaxed);
        // Far in: many steps, each of which could be the last that anybody asks for.
        assert!(decode(fold, &held, &rows[4_900]) > 5);
        let whole = read(&held);
        assert!(whole > held.bytes.len() * 9 / 10);
        assert!(lines[4_900].starts_with(opened(4_900).trim_end()) && opened(4_900).len() > 480);
        // Further on it goes on where it stood, and a little way back is still there.
        decode(fold, &held, &rows[4_950]);
        decode(fold, &held, &rows[4_800]);
        assert!(opened(4_950).starts_with("{\"n\":4950,") && opened(4_800).starts_with("{\"n\":4800,"));
        assert!(read(&held) < 4 * PIECE as usize, "only what lies between was read");
        // Back beyond what is kept it begins anew, and all of it is right.
        for n in [10, 4_999, 2_500, 0, 2_501] {
            decode(fold, &held, &rows[n]);
            assert!(lines[n].starts_with(opened(n).trim_end()) && opened(n).len() > 480, "line {n}");
        }
        assert!(held.kept.lock().unwrap().blocks.len() <= KEPT);
    }

    #[test]
    fn a_body_that_is_cut_off_ends_the_way() {
        let (analysis, mut held, _) = lines(3_000);
        let fold = &analysis.fold;
        let row = *fold.rows.last().unwrap();
        held.bytes.truncate(held.bytes.len() / 2);
        let stream = &fold.streams[row.stream as usize];
        let mut kept = Reread::default();
        let mut more = true;
        while more {
            let mut step = kept.step(row.stream, stream, row.span()).expect("there is a way");
            step.run(&held).unwrap();
            more = kept.keep(step);
        }
        assert!(kept.part(row.stream, row.span()).is_empty());
    }
}
