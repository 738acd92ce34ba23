//! gzip members (RFC 1952 §2.3): header, DEFLATE data, checksum and length, and maybe the next member.

use flate2::Decompress;

use super::machine::{Fault, Fed, Take, inflate};

/// The first three bytes: two that identify the format, and the method, which is always DEFLATE.
const START: [u8; 3] = [0x1f, 0x8b, 8];

const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

pub(super) struct Gzip {
    part: Part,
    stream: Decompress,
    /// Over the header, while that is read.
    header: crc32fast::Hasher,
    data: crc32fast::Hasher,
    flags: u8,
    length: u32,
    ended: bool,
    members: u64,
}

enum Part {
    /// Ten bytes; so many were read.
    Fixed(u8),
    ExtraLength(u8, u16),
    Extra(u16),
    Name,
    Comment,
    HeaderCrc(u8, u16),
    Data,
    /// Checksum and length; so many bytes were read.
    Trailer(u8, u64),
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Fixed(0),
            stream: Decompress::new(false),
            header: crc32fast::Hasher::new(),
            data: crc32fast::Hasher::new(),
            flags: 0,
            length: 0,
            ended: false,
            members: 0,
        }
    }

    pub(super) fn take_end(&mut self) -> bool {
        std::mem::take(&mut self.ended)
    }

    pub(super) fn feed(&mut self, bytes: &[u8], room: &mut [u8], take: &mut Take<'_>) -> Result<Fed, Fault> {
        if let Part::Data = self.part {
            let (data, length) = (&mut self.data, &mut self.length);
            let (taken, ended) = inflate(&mut self.stream, bytes, room, &mut |out| {
                data.update(out);
                *length = length.wrapping_add(out.len() as u32);
                take(out)
            })?;
            if ended {
                self.part = Part::Trailer(0, 0);
            }
            return Ok(Fed { taken, border: ended });
        }
        for (at, &byte) in bytes.iter().enumerate() {
            if let Err((code, message)) = self.byte(byte) {
                return Err(Fault::Rule { code, message, back: Some(at as u64) });
            }
            if self.ended || matches!(self.part, Part::Data) {
                return Ok(Fed { taken: at + 1, border: true });
            }
        }
        Ok(Fed { taken: bytes.len(), border: false })
    }

    /// A byte of header or trailer.
    fn byte(&mut self, byte: u8) -> Result<(), (&'static str, String)> {
        if !matches!(self.part, Part::HeaderCrc(..) | Part::Trailer(..)) {
            self.header.update(&[byte]);
        }
        match &mut self.part {
            Part::Fixed(have) => {
                match *have {
                    at @ 0..=2 if byte != START[usize::from(at)] => {
                        let rule = if self.members > 0 { "what follows a member is another one" } else { "a member begins with 1f 8b 08" };
                        let code = if self.members > 0 { "trailing-data" } else { "gzip-header" };
                        return Err((code, format!("{rule} (RFC 1952 §2.2, §2.3), not with {byte:#04x}")));
                    }
                    3 if byte & RESERVED != 0 => {
                        return Err(("gzip-header", format!("reserved flags are set: {byte:#04x} (RFC 1952 §2.3.1)")));
                    }
                    3 => self.flags = byte,
                    _ => {}
                }
                *have += 1;
                if *have == 10 {
                    self.next(0);
                }
            }
            Part::ExtraLength(0, length) => self.part = Part::ExtraLength(1, *length | u16::from(byte)),
            Part::ExtraLength(_, length) => match *length | u16::from(byte) << 8 {
                0 => self.next(FEXTRA),
                length => self.part = Part::Extra(length),
            },
            Part::Extra(left) => {
                *left -= 1;
                if *left == 0 {
                    self.next(FEXTRA);
                }
            }
            Part::Name if byte == 0 => self.next(FNAME),
            Part::Comment if byte == 0 => self.next(FCOMMENT),
            Part::Name | Part::Comment => {}
            Part::HeaderCrc(0, _) => self.part = Part::HeaderCrc(1, u16::from(byte)),
            Part::HeaderCrc(_, low) => {
                let sent = *low | u16::from(byte) << 8;
                let right = self.header.clone().finalize() as u16;
                if sent != right {
                    return Err((
                        "gzip-header-crc",
                        format!("the header's checksum is {sent:#06x}, its bytes give {right:#06x} (RFC 1952 §2.3.1)"),
                    ));
                }
                self.next(FHCRC);
            }
            Part::Trailer(have, value) => {
                *value |= u64::from(byte) << (8 * *have);
                *have += 1;
                if *have == 8 {
                    let (crc, length) = (*value as u32, (*value >> 32) as u32);
                    return self.check(crc, length);
                }
            }
            Part::Data => {}
        }
        Ok(())
    }

    /// What the flags put after the part that `done` stands for.
    fn next(&mut self, done: u8) {
        let later = |flag: u8| self.flags & flag != 0 && done < flag;
        // In the order of the format, which is not that of the bits: the header's checksum comes last.
        self.part = if done != FHCRC && self.flags & FEXTRA != 0 && done < FEXTRA {
            Part::ExtraLength(0, 0)
        } else if done != FHCRC && later(FNAME) {
            Part::Name
        } else if done != FHCRC && later(FCOMMENT) {
            Part::Comment
        } else if done != FHCRC && self.flags & FHCRC != 0 {
            Part::HeaderCrc(0, 0)
        } else {
            Part::Data
        };
    }

    fn check(&mut self, crc: u32, length: u32) -> Result<(), (&'static str, String)> {
        let right = std::mem::take(&mut self.data).finalize();
        if crc != right {
            return Err(("gzip-crc", format!("the checksum is {crc:#010x}, the data gives {right:#010x} (RFC 1952 §2.3.1)")));
        }
        if length != self.length {
            return Err(("gzip-length", format!("the length is {length}, the data has {} (RFC 1952 §2.3.1)", self.length)));
        }
        self.stream.reset(false);
        *self = Self {
            stream: std::mem::replace(&mut self.stream, Decompress::new(false)),
            members: self.members + 1,
            ended: true,
            ..Self::new()
        };
        Ok(())
    }
}
