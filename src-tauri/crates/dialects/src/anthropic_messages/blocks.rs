//! Attachments as content blocks, and back: images, PDF documents, plain text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{Attachment, Source};

/// What the API takes as base64.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

const PDF: &str = "application/pdf";

/// The block of an attachment; why the API cannot take it, if it cannot.
pub(super) fn of(attachment: &Attachment) -> Result<Value, &'static str> {
    let kind = attachment.media_type.as_str();
    let (block, source) = match &attachment.source {
        Source::Data(data) if IMAGES.contains(&kind) => ("image", json!({"type": "base64", "media_type": kind, "data": data})),
        Source::Url(url) if kind.starts_with("image/") => ("image", json!({"type": "url", "url": url})),
        Source::Data(data) if kind == PDF => ("document", json!({"type": "base64", "media_type": PDF, "data": data})),
        Source::Url(url) if kind == PDF => ("document", json!({"type": "url", "url": url})),
        Source::Data(data) if kind.starts_with("text/") || kind == "application/json" => {
            let text = STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let text = text.ok_or("its content is not UTF-8 text in base64")?;
            ("document", json!({"type": "text", "media_type": "text/plain", "data": text}))
        }
        Source::Data(_) => return Err("the API takes images (JPEG, PNG, GIF, WebP), PDF and text"),
        Source::Url(_) => return Err("at a URL the API takes images and PDF"),
    };
    let mut block = json!({"type": block, "source": source});
    if block["type"] == "document" && !attachment.name.is_empty() {
        block["title"] = json!(attachment.name);
    }
    Ok(block)
}

/// The attachment that a block came from; `None` for any other block.
pub(super) fn attachment(block: &Value) -> Option<Attachment> {
    let source = &block["source"];
    let text = |name: &str| source[name].as_str().map(str::to_owned);
    let (media_type, source) = match (block["type"].as_str()?, source["type"].as_str()?) {
        ("image", "base64") => (text("media_type")?, Source::Data(text("data")?)),
        ("image", "url") => ("image/*".to_owned(), Source::Url(text("url")?)),
        ("document", "base64") => (text("media_type")?, Source::Data(text("data")?)),
        ("document", "url") => (PDF.to_owned(), Source::Url(text("url")?)),
        ("document", "text") => (text("media_type")?, Source::Data(STANDARD.encode(text("data")?))),
        _ => return None,
    };
    Some(Attachment { media_type, name: block["title"].as_str().unwrap_or_default().to_owned(), source })
}
