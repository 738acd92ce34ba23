//! The parts of a content: text, thoughts, calls, media, code.

use std::borrow::Cow;

use super::calls::Calls;
use crate::delta::Part;
use crate::json::{self, Raw, Source, object_of, truthy, word};
use crate::teller::Teller;
use crate::{Delta, DeltaKind};

object_of! {
    /// One part.
    Fields {
        text: "text",
        thought: "thought",
        signature: "thoughtSignature",
        call: "functionCall",
        inline: "inlineData",
    }
}

object_of! {
    /// `inlineData`.
    Blob {
        media_type: "mimeType",
        data: "data",
    }
}

/// Tells every part of the array `parts`.
pub(crate) fn tell(source: &Source<'_>, parts: Raw<'_>, calls: &mut Calls, teller: &mut Teller<'_>) {
    json::each(parts, |raw| part(source, raw, calls, teller));
}

fn part(source: &Source<'_>, raw: Raw<'_>, calls: &mut Calls, teller: &mut Teller<'_>) {
    let Some(fields) = json::members::<Fields<'_>>(raw) else {
        return;
    };
    let before = teller.told();
    let kind = if truthy(fields.thought).is_some() { DeltaKind::Reasoning } else { DeltaKind::Text };
    teller.text(kind, source, fields.text);
    let call = fields.call.map(|call| calls.tell(source, call, teller));
    if let Some(blob) = fields.inline.and_then(json::members::<Blob<'_>>) {
        media(source, &blob, teller);
    }
    if let (Some(signature), Some(raw)) = (word(fields.signature), fields.signature) {
        // On any kind of part, an empty one too: without it a later request may be refused.
        let part = Part::Signature { call };
        teller.tell(Delta { part, ..Delta::new(DeltaKind::Control, signature, source.place(raw)) });
    }
    if teller.told() == before && fields.text.is_none() {
        // `executableCode`, `codeExecutionResult`, `fileData`, and what is yet to be invented: its name is all there is to say.
        let mut name = Cow::Borrowed("an empty part");
        json::keys(raw, |key| {
            if !matches!(&*key, "thought" | "thoughtSignature" | "videoMetadata" | "partMetadata" | "mediaResolution") {
                name = key;
            }
        });
        teller.control(&name, source.at(raw.get()));
    }
}

/// Sound is playable; other media are shown by name and place.
fn media(source: &Source<'_>, blob: &Blob<'_>, teller: &mut Teller<'_>) {
    let media_type = word(blob.media_type).unwrap_or(Cow::Borrowed("application/octet-stream"));
    let content = blob.data.and_then(json::content).unwrap_or_default();
    if !media_type.starts_with("audio/") {
        return teller.control(&format!("inlineData {media_type}"), source.at(content));
    }
    let bytes = decoded_length(content);
    let rate = pcm_rate(&media_type);
    let ms = rate.map(|rate| bytes as f64 * 1000.0 / (2.0 * f64::from(rate)));
    let media_type = rate.map_or(media_type, |rate| Cow::Owned(format!("audio/pcm;rate={rate}")));
    let part = Part::Media { media_type, bytes, ms, base64: true };
    teller.tell(Delta { part, ..Delta::new(DeltaKind::Audio, "", source.at(content)) });
}

/// The sample rate of `audio/pcm;rate=24000` and of `audio/L16;codec=pcm;rate=24000`, which is the same: little-endian, for all that RFC
/// 2586 says of L16. `None` for other types.
fn pcm_rate(media_type: &str) -> Option<u32> {
    let mut parts = media_type.split(';').map(str::trim);
    let kind = parts.next()?;
    if !kind.eq_ignore_ascii_case("audio/pcm") && !kind.eq_ignore_ascii_case("audio/l16") {
        return None;
    }
    Some(parts.find_map(|part| part.strip_prefix("rate=")?.parse().ok()).filter(|rate| *rate > 0).unwrap_or(24_000))
}

/// How many bytes base64 stands for.
fn decoded_length(base64: &str) -> u64 {
    base64.trim_end_matches('=').len() as u64 * 3 / 4
}
