//! Content codings of response bodies (RFC 9110 §8.4), where a client asks for one. Each part is flushed, so that a stream still
//! streams.

use std::io::{self, Write};

use ::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, VARY};
use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::body::Reply;

/// Codings by their names in HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// zlib's format (RFC 1950), as RFC 9110 §8.4.1.2 says.
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    /// The coding a request wants most; of several it wants alike, the one it names first. None where it wants the bytes as they are.
    pub(super) fn wanted(headers: &HeaderMap) -> Option<Coding> {
        let mut best: Option<(f32, Coding)> = None;
        let (mut named, mut rest, mut identity) = (Vec::new(), None, None);
        let values = headers.get_all(ACCEPT_ENCODING);
        for wish in values.iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')) {
            let (name, weight) = wish.split_once(';').unwrap_or((wish, ""));
            // A weight nobody can read counts as a full one.
            let weight = weight.trim().to_ascii_lowercase().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()).unwrap_or(1.0);
            let name = name.trim().to_ascii_lowercase();
            let name = name.strip_prefix("x-").unwrap_or(&name);
            match name {
                "*" => rest = Some(weight),
                "identity" => identity = Some(weight),
                name => {
                    let Some(coding) = Coding::ALL.into_iter().find(|coding| coding.name() == name) else { continue };
                    named.push(coding);
                    if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
                        best = Some((weight, coding));
                    }
                }
            }
        }
        if best.is_none()
            && let Some(weight) = rest.filter(|weight| *weight > 0.0)
        {
            best = Coding::ALL.into_iter().find(|coding| !named.contains(coding)).map(|coding| (weight, coding));
        }
        best.filter(|(weight, _)| identity.is_none_or(|identity| *weight >= identity)).map(|(_, coding)| coding)
    }
}

/// Codes the body as the request wants it. A body marked `no-transform`, an empty one and an upgrade stay as they are.
pub(super) fn coded(wanted: Option<Coding>, method: &Method, mut response: Response<Reply>) -> Response<Reply> {
    let fixed = response.headers().get(CACHE_CONTROL).is_some_and(|v| v.to_str().is_ok_and(|v| v.contains("no-transform")));
    if fixed || response.status() == StatusCode::SWITCHING_PROTOCOLS || hyper::body::Body::is_end_stream(response.body()) {
        return response;
    }
    response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
    let Some((coding, mut coder)) = wanted.and_then(|coding| Some((coding, Coder::new(coding)?))) else { return response };
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    response.headers_mut().remove(CONTENT_LENGTH);
    let plain = std::mem::replace(response.body_mut(), Reply::Whole(None));
    *response.body_mut() = match plain {
        Reply::Whole(Some(bytes)) if method != Method::HEAD => {
            let first = coder.part(&bytes);
            Reply::whole([first, coder.end()].concat())
        }
        plain => Reply::Coded(Box::new(plain), Some(Box::new(coder))),
    };
    response
}

/// Codes a body part by part.
pub(crate) enum Coder {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl std::fmt::Debug for Coder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Coder::Gzip(_) => "Gzip",
            Coder::Deflate(_) => "Deflate",
            Coder::Brotli(_) => "Brotli",
            Coder::Zstd(_) => "Zstd",
        })
    }
}

/// Brotli's quality and window: what servers use for bodies made on the fly.
const BROTLI: (u32, u32) = (5, 22);

impl Coder {
    /// None if the coding's library does not start, for want of memory.
    fn new(coding: Coding) -> Option<Coder> {
        Some(match coding {
            Coding::Gzip => Coder::Gzip(GzEncoder::new(Vec::new(), Compression::default())),
            Coding::Deflate => Coder::Deflate(ZlibEncoder::new(Vec::new(), Compression::default())),
            Coding::Brotli => Coder::Brotli(Box::new(brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI.0, BROTLI.1))),
            // 0 is the library's own level.
            Coding::Zstd => Coder::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 0).ok()?),
        })
    }

    /// The coded form of the next bytes, whole up to their last.
    pub(super) fn part(&mut self, bytes: &[u8]) -> Bytes {
        fn through(writer: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
            writer.write_all(bytes)?;
            writer.flush()
        }
        // Writing into memory does not fail.
        let (_, out) = match self {
            Coder::Gzip(w) => (through(w, bytes), w.get_mut()),
            Coder::Deflate(w) => (through(w, bytes), w.get_mut()),
            Coder::Brotli(w) => (through(w, bytes), w.get_mut()),
            Coder::Zstd(w) => (through(w, bytes), w.get_mut()),
        };
        std::mem::take(out).into()
    }

    /// What ends the coded body.
    pub(super) fn end(self) -> Bytes {
        match self {
            Coder::Gzip(w) => w.finish(),
            Coder::Deflate(w) => w.finish(),
            Coder::Brotli(w) => Ok(w.into_inner()),
            Coder::Zstd(w) => w.finish(),
        }
        .unwrap_or_default()
        .into()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn wishes_are_weighed() {
        let wanted = |value: &str| Coding::wanted(&HeaderMap::from_iter([(ACCEPT_ENCODING, value.parse().unwrap())]));
        assert_eq!(Coding::wanted(&HeaderMap::new()), None);
        for (value, coding) in [
            ("gzip, deflate, br, zstd", Some(Coding::Gzip)),
            ("gzip;q=0.5, br;q=0.9", Some(Coding::Brotli)),
            ("X-GZIP", Some(Coding::Gzip)),
            ("deflate ; q=1", Some(Coding::Deflate)),
            ("gzip;q=0, *", Some(Coding::Deflate)),
            ("identity, gzip;q=0.5", None),
            ("identity;q=0.5, zstd", Some(Coding::Zstd)),
            ("identity", None),
            ("gzip;q=0", None),
            ("snappy", None),
            ("", None),
        ] {
            assert_eq!(wanted(value), coding, "{value}");
        }
    }

    #[test]
    fn each_part_can_be_read_when_it_is_there() {
        let parts = ["data: 世界 and so on\n\n"; 3];
        for coding in Coding::ALL {
            let mut coder = Coder::new(coding).unwrap();
            let mut bytes = Vec::new();
            for n in 0..3 {
                bytes.extend_from_slice(&coder.part(parts[n].as_bytes()));
                let mut read = Vec::new();
                // Ends with an error where the body is not whole yet; what was read before it counts.
                let _ = decoder(coding, bytes.clone()).read_to_end(&mut read);
                assert_eq!(read, parts[..=n].concat().into_bytes(), "{coding:?}");
            }
            bytes.extend_from_slice(&coder.end());
            let mut read = String::new();
            decoder(coding, bytes).read_to_string(&mut read).unwrap();
            assert_eq!(read, parts.concat());
        }
    }

    fn decoder(coding: Coding, bytes: Vec<u8>) -> Box<dyn Read> {
        let bytes = io::Cursor::new(bytes);
        match coding {
            Coding::Gzip => Box::new(flate2::read::GzDecoder::new(bytes)),
            Coding::Deflate => Box::new(flate2::read::ZlibDecoder::new(bytes)),
            Coding::Brotli => Box::new(brotli::Decompressor::new(bytes, 4096)),
            Coding::Zstd => Box::new(zstd::stream::read::Decoder::new(bytes).unwrap()),
        }
    }
}
