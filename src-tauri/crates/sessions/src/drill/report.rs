//! A drill as Markdown, CSV or JSON.

use std::fmt::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{DrillView, LaneReport};
use crate::{Error, home, library};

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "DrillFormat")]
pub enum Format {
    /// A table and how to read it.
    Markdown,
    /// A line a lane.
    Csv,
    /// All there is, the moments and words too.
    Json,
}

impl Format {
    /// Its file extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// What each figure means, in words.
pub const MEANINGS: &[(&str, &str)] = &[
    ("notice", "from the last byte that came to knowing that the connection is over; where nothing says so, that is the lane's patience"),
    ("recover", "from then to the first word that had not come before; it includes the wait before coming back"),
    ("silence", "the longest time without a new word, as a user sees it"),
    ("lost", "words that the Lab meant and that never came"),
    ("repeated", "words that came again: a client that joins texts shows them twice unless it drops them"),
    ("comebacks", "requests after the first; of these, «asked anew» are for a reply that is made, and charged for, again"),
    ("bytes twice", "events and requests that crossed the wire although they had crossed it before"),
];

/// The report.
pub fn render(view: &DrillView, incident: &str, format: Format) -> String {
    match format {
        Format::Markdown => markdown(view, incident),
        Format::Csv => csv(view),
        // Plain data, which JSON always holds.
        Format::Json => serde_json::to_string_pretty(view).unwrap_or_default() + "\n",
    }
}

/// Writes the report to the place where exports go, and tells the file's name.
///
/// # Errors
/// The disk.
pub fn export(view: &DrillView, incident: &str, format: Format) -> Result<String, Error> {
    keep(&format!("drill {}", view.drill.fault), format, &render(view, incident, format))
}

/// Writes `text` to the place where exports go, under a name made of `title`.
pub(super) fn keep(title: &str, format: Format, text: &str) -> Result<String, Error> {
    let folder = home::exports();
    std::fs::create_dir_all(&folder).map_err(|error| library::write_error(&folder, &error))?;
    let path = library::free(&folder, title, format.extension());
    write(&path, text)?;
    Ok(path.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Writes `text` to `path`: all of it, or nothing.
///
/// # Errors
/// The disk.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    let part = path.with_extension("part");
    let written = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&part);
        library::write_error(path, &error)
    })
}

fn ms(time: Option<f64>) -> String {
    time.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.0} ms"))
}

/// How a lane ended, in a word.
fn ended(lane: &LaneReport) -> String {
    lane.error.clone().unwrap_or_else(|| if lane.whole { "whole" } else { "running" }.to_owned())
}

fn markdown(view: &DrillView, incident: &str) -> String {
    let drill = &view.drill;
    let mut out = format!("# Drill: {}\n\n", drill.fault);
    // Writing into a String does not fail.
    if !incident.is_empty() {
        let _ = writeln!(out, "Stands for: {incident}.\n");
    }
    let _ = writeln!(
        out,
        "{} words at {} a second over HTTP/{}; a lane gives a connection up after {} ms without a byte.\n",
        drill.tokens, drill.rate, drill.http, drill.patience_ms
    );
    out.push_str("| Lane | Notice | Recover | Silence | Lost | Repeated | Comebacks | Asked anew | Bytes twice | Ended |\n");
    out.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n");
    for LaneReport { name, notice_ms, recover_ms, silence_ms, lost, meant, repeated, reconnects, asked_again, bytes_twice, .. } in
        view.lanes.iter().map(|lane| &lane.report)
    {
        let _ = write!(out, "| {name} | {} | {} | {} ", ms(*notice_ms), ms(*recover_ms), ms(*silence_ms));
        let _ = write!(out, "| {lost} of {meant} | {repeated} | {reconnects} | {asked_again} | {bytes_twice} ");
        let lane = view.lanes.iter().find(|lane| lane.report.name == *name);
        let _ = writeln!(out, "| {} |", lane.map(|lane| ended(&lane.report)).unwrap_or_default());
    }
    out.push_str("\n## After a break\n\n");
    for lane in &view.lanes {
        let _ = writeln!(out, "- **{}** {}.", lane.report.name, lane.report.resumes);
    }
    out.push_str("\n## How to read it\n\n");
    for (name, meaning) in MEANINGS {
        let _ = writeln!(out, "- **{name}**: {meaning}.");
    }
    out
}

fn csv(view: &DrillView) -> String {
    let mut out = String::from(
        "lane,name,dialect,transport,notice_ms,recover_ms,silence_ms,lost,repeated,meant,reconnects,asked_again,bytes_twice,bytes_twice_up,whole,error,session\n",
    );
    let number = |time: Option<f64>| time.map(|ms| format!("{ms:.3}")).unwrap_or_default();
    for lane in view.lanes.iter().map(|lane| &lane.report) {
        let fields = [
            lane.lane.clone(),
            lane.name.clone(),
            lane.dialect.clone(),
            lane.transport.name().to_owned(),
            number(lane.notice_ms),
            number(lane.recover_ms),
            number(lane.silence_ms),
            lane.lost.to_string(),
            lane.repeated.to_string(),
            lane.meant.to_string(),
            lane.reconnects.to_string(),
            lane.asked_again.to_string(),
            lane.bytes_twice.to_string(),
            lane.bytes_twice_up.to_string(),
            lane.whole.to_string(),
            lane.error.clone().unwrap_or_default(),
            lane.session.clone(),
        ];
        let quoted: Vec<String> =
            fields.iter().map(|f| if f.contains([',', '"']) { format!("\"{}\"", f.replace('"', "\"\"")) } else { f.clone() }).collect();
        let _ = writeln!(out, "{}", quoted.join(","));
    }
    out
}
