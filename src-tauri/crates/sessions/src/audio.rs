//! Sound of a reply, put together from the pieces that carried it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use weir_dialects::delta::Part;

use crate::analysis::RowId;
use crate::inspect::{Unit, deltas};
use crate::{Error, Session};

/// Bytes of sound that are put together at most: about 90 minutes of 24 kHz PCM.
const MOST: usize = 256 << 20;

impl Session {
    /// The sound of block `block` so far: a WAV file where the pieces are PCM, else the pieces as they are, one after another.
    /// With it its media type.
    ///
    /// # Errors
    /// `missing` where the block is no sound; `too-long` beyond 256 MiB; those of reading the log.
    pub fn audio(&self, block: u32) -> Result<(String, Vec<u8>), Error> {
        let (media_type, rows) = {
            let analysis = self.analysis();
            let found = analysis.fold.folded.blocks.get(block as usize).ok_or_else(|| Error::missing("block"))?;
            let media = found.media.as_ref().ok_or_else(|| Error::missing("sound"))?;
            (media.media_type.clone(), found.all_rows().collect::<Vec<_>>())
        };
        let mut sound = Vec::new();
        for row in rows {
            // One row at a time: the wire waits for the analysis.
            let analysis = self.analysis();
            let Some(row) = analysis.fold.rows.get(RowId(row).index()) else { continue };
            let unit = Unit::read_whole(&analysis.fold, self.bytes(), row)?;
            let Some(content) = unit.content(row) else { continue };
            deltas(&analysis.fold, row, &content, &mut |delta| {
                if let (Part::Media { base64, .. }, Some(piece)) = (&delta.part, content.data.get(delta.at.clone())) {
                    match base64 {
                        // A piece that is no base64 has no sound in it.
                        true => drop(STANDARD.decode_vec(piece, &mut sound)),
                        false => sound.extend_from_slice(piece),
                    }
                }
            });
            if sound.len() > MOST {
                return Err(Error::new(
                    "user",
                    "too-long",
                    "The sound is longer than what is put together at once.",
                    "It cannot be played here.",
                    format!("more than {} MiB", MOST >> 20),
                    "Export the session: the recording holds every piece.",
                ));
            }
        }
        Ok(match rate(&media_type) {
            Some(rate) => ("audio/wav".into(), wav(rate, &sound)),
            None => (media_type, sound),
        })
    }
}

/// Samples per second of a PCM media type (RFC 2586 names the parameter), 24,000 where it does not say.
fn rate(media_type: &str) -> Option<u32> {
    let (kind, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
    if !kind.eq_ignore_ascii_case("audio/pcm") && !kind.eq_ignore_ascii_case("audio/l16") {
        return None;
    }
    let named = parameters.split(';').find_map(|p| p.trim().strip_prefix("rate=")?.parse().ok());
    Some(named.unwrap_or(24_000))
}

/// A RIFF WAVE file of 16-bit little-endian samples, one channel.
fn wav(rate: u32, samples: &[u8]) -> Vec<u8> {
    let length = samples.len() as u32;
    let mut file = Vec::with_capacity(44 + samples.len());
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    for (value, size) in [(16, 4), (1, 2), (1, 2), (rate, 4), (rate * 2, 4), (2, 2), (16, 2)] {
        file.extend_from_slice(&value.to_le_bytes()[..size]);
    }
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(samples);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pcm_becomes_a_wav_file() {
        assert_eq!(rate("audio/pcm;rate=16000"), Some(16_000));
        assert_eq!(rate("audio/pcm"), Some(24_000));
        assert_eq!(rate("audio/mpeg"), None);
        let file = wav(24_000, &[1, 2, 3, 4]);
        assert_eq!(file.len(), 48);
        assert_eq!(&file[24..28], &24_000u32.to_le_bytes());
        assert_eq!(&file[40..], &[4, 0, 0, 0, 1, 2, 3, 4]);
    }
}
