//! The frame table as comma-separated values (RFC 4180, with line feeds): what spreadsheets and data frames read.

use std::io::Write;

use serde_json::Value;

use super::{jsonl, unwritten};
use crate::{Error, Session};

/// The columns. `start` and `end` are the row's place in its own stream, `wire_bytes` what of the connection carried it; bytes that are no
/// text stand in `base64` instead of `data`.
const HEAD: &str = "id,t_ms,conn,dir,layer,kind,start,end,wire_bytes,word,delta_kind,delta_text,data,base64";

/// Writes all rows so far.
pub fn write(session: &Session, out: &mut dyn Write) -> Result<(), Error> {
    writeln!(out, "{HEAD}").map_err(unwritten)?;
    jsonl::frames(session, &mut |frame| writeln!(out, "{}", line(&frame)).map_err(unwritten))
}

fn line(frame: &Value) -> String {
    let deltas = frame["deltas"].as_array().map_or(&[][..], Vec::as_slice);
    // A row that adds to several blocks is one line all the same; their kinds stand apart, their texts follow each other.
    let kinds: Vec<&str> = deltas.iter().filter_map(|delta| delta["kind"].as_str()).collect();
    let text: String = deltas.iter().filter_map(|delta| delta["text"].as_str()).collect();
    let wire = frame["wire"].as_array().map_or(&[][..], Vec::as_slice);
    let wire: u64 = wire.iter().map(|span| number(&span[1]) - number(&span[0])).sum();
    let plain = |name: &str| frame[name].to_string();
    let word = |name: &str| field(frame[name].as_str().unwrap_or_default());
    let fields = [
        plain("id"),
        plain("t_ms"),
        plain("conn"),
        word("dir"),
        word("layer"),
        word("kind"),
        frame["span"][0].to_string(),
        frame["span"][1].to_string(),
        wire.to_string(),
        word("word"),
        field(&kinds.join(" ")),
        field(&text),
        word("data"),
        word("base64"),
    ];
    fields.join(",")
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// A field, quoted where it must be. One that a spreadsheet would run as a formula begins with a quote mark.
pub(crate) fn field(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if risky { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
