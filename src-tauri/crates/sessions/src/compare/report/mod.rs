//! Reports of a comparison: one page with charts and method, Markdown, one run a line, everything for programs.

mod charts;
mod csv;
mod html;
mod markdown;
mod method;

use std::path::Path;

use weir_stats::Estimate;

use super::{Cell, ComparisonView, Paired, ReportFormat, Row, Unit};
use crate::{Engine, Error, home, library};

/// The report as text.
pub fn render(view: &ComparisonView, format: ReportFormat) -> String {
    match format {
        ReportFormat::Html => html::page(view),
        ReportFormat::Markdown => markdown::page(view),
        ReportFormat::Csv => csv::lines(view),
        ReportFormat::Json => json(view),
    }
}

/// Everything as JSON: the comparison, its runs, the table, the method in words. Keys never were part of it, and credentials that were
/// typed into a lane are stars.
fn json(view: &ComparisonView) -> String {
    let mut all = serde_json::to_value(view).unwrap_or_default();
    crate::credentials::star_fields(&mut all["comparison"]);
    all["method"] = method::sentences(view).into();
    all["weir"] = env!("CARGO_PKG_VERSION").into();
    serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
}

/// Writes the report to a new file in the exports folder and tells its name.
///
/// # Errors
/// Those of [`super::open`]; the disk.
pub fn export(engine: &Engine, id: &str, format: ReportFormat) -> Result<String, Error> {
    let view = super::open(engine, id)?;
    let folder = home::exports();
    std::fs::create_dir_all(&folder).map_err(|error| library::write_error(&folder, &error))?;
    let path = library::free(&folder, &view.comparison.title, extension(format));
    write(&view, format, &path)?;
    Ok(path.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Writes the report to `path`: all of it, or nothing.
///
/// # Errors
/// The disk.
pub fn write(view: &ComparisonView, format: ReportFormat, path: &Path) -> Result<(), Error> {
    let part = path.with_extension("part");
    let written = std::fs::write(&part, render(view, format)).and_then(|()| std::fs::rename(&part, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&part);
        library::write_error(path, &error)
    })
}

/// The format that a file's extension asks for.
pub fn format_of(path: &Path) -> Option<ReportFormat> {
    Some(match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "html" | "htm" => ReportFormat::Html,
        "md" | "markdown" => ReportFormat::Markdown,
        "csv" => ReportFormat::Csv,
        "json" => ReportFormat::Json,
        _ => return None,
    })
}

fn extension(format: ReportFormat) -> &'static str {
    match format {
        ReportFormat::Html => "html",
        ReportFormat::Markdown => "md",
        ReportFormat::Csv => "csv",
        ReportFormat::Json => "json",
    }
}

/// What a unit is called in a row's head.
pub(super) fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Ms => "ms",
        Unit::Rate => "/s",
        Unit::Bytes => "B",
        Unit::Count => "",
        Unit::Share => "%",
    }
}

/// Digits behind the point that a figure of this size is worth.
fn digits(of: Unit, value: f64) -> usize {
    match of {
        Unit::Share => 1,
        Unit::Bytes | Unit::Count if value.abs() >= 100.0 => 0,
        Unit::Bytes | Unit::Count => 1,
        _ if value.abs() >= 1000.0 => 0,
        _ if value.abs() >= 100.0 => 1,
        _ if value.abs() >= 1.0 => 2,
        _ => 3,
    }
}

fn scaled(of: Unit, value: f64) -> f64 {
    if of == Unit::Share { value * 100.0 } else { value }
}

fn number(of: Unit, value: f64) -> String {
    number_like(of, value, value)
}

/// `value` with as many digits as `like` has.
fn number_like(of: Unit, value: f64, like: f64) -> String {
    let text = format!("{:.*}", digits(of, scaled(of, like)), scaled(of, value));
    // A negative zero tells nothing.
    if text.trim_start_matches('-').bytes().all(|b| matches!(b, b'0' | b'.')) { text.trim_start_matches('-').to_owned() } else { text }
}

/// `484 [479, 490]`, `≈` where the interval is approximate.
pub(super) fn estimate(of: Unit, estimate: &Estimate) -> String {
    let value = number(of, estimate.value);
    match estimate.interval {
        Some(interval) => format!(
            "{value} {}[{}, {}]",
            if interval.approximate { "≈" } else { "" },
            number_like(of, interval.low, estimate.value),
            number_like(of, interval.high, estimate.value)
        ),
        None => value,
    }
}

/// A cell as text.
fn cell(row: &Row, cell: &Cell) -> String {
    match &cell.estimate {
        None => cell.why.clone(),
        Some(estimate) if cell.exact => format!("{} (all runs)", number(row.unit, estimate.value)),
        // What is only approximate says of how many runs it is.
        Some(figure) if figure.interval.is_some_and(|interval| interval.approximate) => {
            format!("{} (N = {})", estimate(row.unit, figure), cell.n)
        }
        Some(figure) => estimate(row.unit, figure),
    }
}

/// A paired difference as text, e.g. `B − A: 12.3 [10.1, 14.9]`.
fn difference(row: &Row, pair: &Paired) -> String {
    format!("{} − {}: {}", super::letter(pair.a as usize), super::letter(pair.b as usize), estimate(row.unit, &pair.difference))
}

/// Failed runs of a lane by cause: `2: http-429 × 2`, `0` where none did.
fn failed(head: &super::LaneHead) -> String {
    let causes: Vec<String> = head.causes.iter().map(|(code, n)| format!("{code} × {n}")).collect();
    if causes.is_empty() { head.failed.to_string() } else { format!("{}: {}", head.failed, causes.join(", ")) }
}

/// What a lane asks, beside how: only where it is not what the first lane asks.
fn otherwise(head: &super::LaneHead) -> String {
    if head.otherwise.is_empty() {
        String::new()
    } else {
        format!(" · asks otherwise than lane A: another {}", head.otherwise.join(", another "))
    }
}

/// A moment as people write it.
fn moment(unix_ms: f64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms as i64).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}
