//! The decoders of the kept libraries behind one face.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, HuffmanCode, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

use super::Coding;
use super::gzip::Gzip;

/// Bytes decoded at once.
pub(super) const ROOM: usize = 16 << 10;

/// Window that a zstd stream may ask for as a content coding: 8 MiB (RFC 9659 §3).
const ZSTD_WINDOW_LOG: u32 = 23;

/// What was taken of a piece.
pub(super) struct Fed {
    pub(super) taken: usize,
    /// What follows is of another kind: header, data, checksum.
    pub(super) border: bool,
}

/// Why decoding cannot go on.
pub(super) enum Fault {
    Rule {
        code: &'static str,
        message: String,
        /// Where in the piece, if that is known.
        back: Option<u64>,
    },
    /// The taker wants no more.
    Bounds,
}

impl Fault {
    pub(super) fn rule(code: &'static str, message: impl Into<String>) -> Self {
        Self::Rule { code, message: message.into(), back: None }
    }
}

/// Is handed decoded bytes; `false` for no more.
pub(super) type Take<'a> = dyn FnMut(&[u8]) -> bool + 'a;

type Brotli = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

pub(super) struct Machine {
    kind: Kind,
    room: Vec<u8>,
    warning: Option<(&'static str, String)>,
    ended: bool,
    /// A stream that cannot be followed by another is over.
    over: bool,
}

enum Kind {
    Gzip(Box<Gzip>),
    /// A deflate stream whose wrapper is not known yet, and its first byte.
    Deflate(Option<u8>),
    Zlib(Box<Decompress>),
    Raw(Box<Decompress>),
    // An element that `BrotliState` wants to be told.
    Brotli(Box<Brotli>, std::marker::PhantomData<HuffmanCode>),
    Zstd(Box<zstd::stream::raw::Decoder<'static>>),
    /// The library could not be set up.
    Broken(String),
}

impl Machine {
    pub(super) fn new(coding: Coding) -> Self {
        let kind = match coding {
            Coding::Gzip => Kind::Gzip(Box::new(Gzip::new())),
            Coding::Deflate => Kind::Deflate(None),
            Coding::Brotli => {
                let alloc = StandardAlloc::default;
                Kind::Brotli(Box::new(BrotliState::new(alloc(), alloc(), alloc())), std::marker::PhantomData)
            }
            Coding::Zstd => match zstd() {
                Ok(decoder) => Kind::Zstd(Box::new(decoder)),
                Err(error) => Kind::Broken(error.to_string()),
            },
        };
        Self { kind, room: vec![0; ROOM], warning: None, ended: false, over: false }
    }

    /// Something to be told of once.
    pub(super) fn warning(&mut self) -> Option<(&'static str, String)> {
        self.warning.take()
    }

    /// Whether a member ended with what was fed last.
    pub(super) fn take_end(&mut self) -> bool {
        std::mem::take(&mut self.ended)
    }

    /// Decodes what `bytes` (not empty) determine, up to the next border.
    pub(super) fn feed(&mut self, bytes: &[u8], take: &mut Take<'_>) -> Result<Fed, Fault> {
        if self.over {
            return Err(Fault::Rule { code: "trailing-data", message: "the coded stream is over, but bytes follow".into(), back: Some(0) });
        }
        let (taken, border) = match &mut self.kind {
            Kind::Gzip(gzip) => {
                let fed = gzip.feed(bytes, &mut self.room, take)?;
                self.ended = gzip.take_end();
                return Ok(fed);
            }
            Kind::Deflate(None) => {
                self.kind = Kind::Deflate(Some(bytes[0]));
                (1, false)
            }
            Kind::Deflate(Some(first)) => {
                let start = [*first, bytes[0]];
                let mut stream = Box::new(Decompress::new(is_zlib(start)));
                // Nothing can come of one byte, and whatever is wrong with it shows in what follows as well.
                inflate(&mut stream, &start[..1], &mut self.room, take)?;
                self.kind = if is_zlib(start) {
                    Kind::Zlib(stream)
                } else {
                    let message = "a deflate stream without the zlib wrapper that the coding asks for (RFC 9110 §8.4.1.2)".into();
                    self.warning = Some(("raw-deflate", message));
                    Kind::Raw(stream)
                };
                return Ok(Fed { taken: 0, border: false });
            }
            Kind::Zlib(stream) | Kind::Raw(stream) => {
                let (taken, ended) = inflate(stream, bytes, &mut self.room, take)?;
                (self.ended, self.over) = (ended, ended);
                (taken, false)
            }
            Kind::Brotli(state, _) => {
                let (taken, ended) = brotli(state, bytes, &mut self.room, take)?;
                (self.ended, self.over) = (ended, ended);
                (taken, false)
            }
            Kind::Zstd(decoder) => {
                let (taken, ended) = unzstd(decoder, bytes, &mut self.room, take)?;
                self.ended = ended;
                (taken, false)
            }
            Kind::Broken(why) => return Err(Fault::rule("decoder", format!("the decoder could not be set up: {why}"))),
        };
        Ok(Fed { taken, border })
    }
}

/// Whether a stream begins with zlib's two bytes (RFC 1950 §2.2), without a preset dictionary.
fn is_zlib([cmf, flg]: [u8; 2]) -> bool {
    cmf & 0x0f == 8 && cmf >> 4 <= 7 && flg & 0x20 == 0 && u16::from_be_bytes([cmf, flg]).is_multiple_of(31)
}

/// Bytes taken, and whether the stream is over.
pub(super) fn inflate(stream: &mut Decompress, bytes: &[u8], room: &mut [u8], take: &mut Take<'_>) -> Result<(usize, bool), Fault> {
    let start = stream.total_in();
    loop {
        let taken = (stream.total_in() - start) as usize;
        let before = stream.total_out();
        let status = stream.decompress(&bytes[taken..], room, FlushDecompress::None);
        let produced = (stream.total_out() - before) as usize;
        if produced > 0 && !take(&room[..produced]) {
            return Err(Fault::Bounds);
        }
        let taken = (stream.total_in() - start) as usize;
        match status {
            Ok(Status::StreamEnd) => return Ok((taken, true)),
            Ok(_) if taken == bytes.len() && produced < room.len() => return Ok((taken, false)),
            Ok(_) if produced > 0 => {}
            Ok(_) => return Err(Fault::rule("deflate", "the stream needs what no stream has (RFC 1951)")),
            // The library's own words depend on how the bytes were cut.
            Err(_) => {
                return Err(Fault::rule("deflate", "this is no DEFLATE data, or its checksum is wrong (RFC 1950 §2.2, RFC 1951 §3.2)"));
            }
        }
    }
}

/// Byte by byte: where the data goes wrong, the library keeps to itself what it decoded of the same call, so that what comes out would
/// depend on the cut.
fn brotli(state: &mut Brotli, bytes: &[u8], room: &mut [u8], take: &mut Take<'_>) -> Result<(usize, bool), Fault> {
    for at in 0..bytes.len() {
        let (mut left, mut taken, mut total) = (1, 0, 0);
        loop {
            let (mut free, mut produced) = (room.len(), 0);
            let byte = &bytes[at..=at];
            let result = BrotliDecompressStream(&mut left, &mut taken, byte, &mut free, &mut produced, room, &mut total, state);
            if produced > 0 && !take(&room[..produced]) {
                return Err(Fault::Bounds);
            }
            match result {
                // A stream can be over before its last byte is looked at.
                BrotliResult::ResultSuccess => return Ok((at + taken, true)),
                BrotliResult::NeedsMoreInput if left == 0 => break,
                BrotliResult::NeedsMoreOutput if produced > 0 => {}
                _ => return Err(Fault::rule("brotli", format!("this is no Brotli data: {:?} (RFC 7932)", state.error_code))),
            }
        }
    }
    Ok((bytes.len(), false))
}

fn zstd() -> std::io::Result<zstd::stream::raw::Decoder<'static>> {
    let mut decoder = zstd::stream::raw::Decoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
    Ok(decoder)
}

/// Byte by byte, for the reason that [`brotli`] has.
fn unzstd(
    decoder: &mut zstd::stream::raw::Decoder<'static>,
    bytes: &[u8],
    room: &mut [u8],
    take: &mut Take<'_>,
) -> Result<(usize, bool), Fault> {
    for at in 0..bytes.len() {
        let mut input = InBuffer::around(&bytes[at..=at]);
        loop {
            let mut output = OutBuffer::around(&mut *room);
            let hint = decoder.run(&mut input, &mut output);
            let produced = output.pos();
            if produced > 0 && !take(&room[..produced]) {
                return Err(Fault::Bounds);
            }
            match hint {
                // The next frame, if any, begins by itself.
                Ok(0) => return Ok((at + input.pos(), true)),
                Ok(_) if input.pos() == 1 && produced < room.len() => break,
                Ok(_) if produced > 0 || input.pos() == 1 => {}
                Ok(_) => return Err(Fault::rule("zstd", "the decoder stands still (RFC 8878)")),
                Err(error) => return Err(Fault::rule("zstd", format!("this is no Zstandard data: {error} (RFC 8878)"))),
            }
        }
    }
    Ok((bytes.len(), false))
}
