//! How much sound a payload holds, and how long it plays: from its size and its format, without undoing any base64.

use std::borrow::Cow;

use crate::delta::Part;

/// A format of sound that a reply is in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sound {
    /// Media type, e.g. `audio/pcm;rate=24000`.
    media_type: Cow<'static, str>,
    /// Bytes a second, where every second has as many.
    rate: Option<f64>,
}

impl Sound {
    /// Little-endian signed 16-bit samples, one channel.
    pub(crate) fn pcm16(rate: u64) -> Self {
        Self { media_type: format!("audio/pcm;rate={rate}").into(), rate: (rate > 0).then_some(rate as f64 * 2.0) }
    }

    /// G.711 at 8 kHz, a byte a sample: `audio/pcmu` or `audio/pcma`.
    pub(crate) fn g711(media_type: &'static str) -> Self {
        Self { media_type: media_type.into(), rate: Some(8000.0) }
    }

    /// A format whose length in time its size does not tell.
    pub(crate) fn coded(media_type: impl Into<Cow<'static, str>>) -> Self {
        Self { media_type: media_type.into(), rate: None }
    }

    /// The facts of a piece of `bytes`.
    pub(crate) fn piece(&self, bytes: u64, base64: bool) -> Part<'_> {
        let ms = self.rate.map(|rate| bytes as f64 * 1000.0 / rate);
        Part::Media { media_type: Cow::Borrowed(&self.media_type), bytes, ms, base64 }
    }
}

/// How many bytes a string of base64 holds, which may stand in JSON with its slashes escaped (RFC 4648 §4; padding may be left out).
pub(crate) fn base64_len(content: &str) -> u64 {
    let escapes = if content.contains('\\') { content.bytes().filter(|byte| *byte == b'\\').count() } else { 0 };
    let padding = content.bytes().rev().take_while(|byte| *byte == b'=').count();
    (content.len() - escapes - padding) as u64 * 3 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_lengths() {
        for (text, bytes) in [("", 0), ("AA==", 1), ("AAA=", 2), ("AAAA", 3), ("AAA", 2), ("A\\/AA", 3), ("AAAAAA==", 4)] {
            assert_eq!(base64_len(text), bytes, "{text}");
        }
        let ms = |sound: Sound, bytes| match sound.piece(bytes, true) {
            Part::Media { ms, .. } => ms,
            _ => None,
        };
        assert_eq!(ms(Sound::pcm16(24_000), 4800), Some(100.0));
        assert_eq!(ms(Sound::g711("audio/pcmu"), 800), Some(100.0));
        assert_eq!(ms(Sound::pcm16(16_000), 3200), Some(100.0));
        assert_eq!(ms(Sound::coded("audio/mpeg"), 4800), None);
        assert_eq!(ms(Sound::pcm16(0), 4800), None);
    }
}
