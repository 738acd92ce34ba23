//! Attachments as the OpenAI family writes them: data URLs, and sound by the name of its format.

use std::ops::Range;

use crate::delta::Part;
use crate::{Attachment, Delta, DeltaKind, Source};

/// The attachment's content as a URL: its own, or a `data:` URL (RFC 2397) of it.
pub(crate) fn url(attachment: &Attachment) -> String {
    match &attachment.source {
        Source::Url(url) => url.clone(),
        Source::Data(data) => format!("data:{};base64,{data}", attachment.media_type),
    }
}

/// The attachment that `url` stands for. A URL that is no data names no media type: `otherwise` is taken.
pub(crate) fn attachment(url: &str, name: &str, otherwise: &str) -> Attachment {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let (media_type, source) = match data {
        Some((media_type, data)) => (media_type, Source::Data(data.to_owned())),
        None => (otherwise, Source::Url(url.to_owned())),
    };
    Attachment { media_type: media_type.to_owned(), name: name.to_owned(), source }
}

/// Whether it is a picture.
pub(crate) fn is_image(attachment: &Attachment) -> bool {
    attachment.media_type.starts_with("image/")
}

/// The name that the API has for a format of sound; `None` if it is no sound that it takes.
pub(crate) fn audio_format(media_type: &str) -> Option<&'static str> {
    match media_type {
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Some("wav"),
        "audio/mpeg" | "audio/mp3" => Some("mp3"),
        "audio/flac" => Some("flac"),
        "audio/ogg" | "audio/opus" => Some("opus"),
        "audio/aac" => Some("aac"),
        _ => None,
    }
}

/// The media type of a format of sound.
pub(crate) fn audio_type(format: &str) -> Option<&'static str> {
    ["audio/wav", "audio/mpeg", "audio/flac", "audio/ogg", "audio/aac"]
        .into_iter()
        .find(|media_type| audio_format(media_type) == Some(format))
}

/// The delta of a piece of sound in base64. A container's first bytes tell what it is; without one it is the bare samples that streams
/// carry: 24 kHz, 16 bit, one channel.
pub(crate) fn heard(data: &str, at: Range<usize>) -> Delta<'_> {
    let padding = data.bytes().rev().take(2).filter(|byte| *byte == b'=').count();
    let bytes = (data.len() / 4 * 3 + data.len() % 4 * 3 / 4).saturating_sub(padding) as u64;
    let containers = [("UklGR", "audio/wav"), ("SUQz", "audio/mpeg"), ("ZkxhQ", "audio/flac"), ("T2dnUw", "audio/ogg")];
    let (media_type, ms) = match containers.iter().find(|(start, _)| data.starts_with(start)) {
        Some((_, media_type)) => (*media_type, None),
        None => ("audio/pcm;rate=24000", Some(bytes as f64 / 48.0)),
    };
    let part = Part::Media { media_type: media_type.into(), bytes, ms, base64: true };
    Delta { kind: DeltaKind::Audio, text: "".into(), at, part }
}
