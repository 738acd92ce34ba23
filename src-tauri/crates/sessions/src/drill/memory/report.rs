//! A memory drill as Markdown, CSV or JSON.

use std::fmt::Write;

use weir_stats::Estimate;

use super::{MemoryRow, MemoryView};
use crate::Error;
use crate::drill::report::{Format, keep};

/// How it was measured, in words.
pub const METHOD: &[&str] = &[
    "The Lab and the client are processes of their own, new ones for each kind, way and round; before anything is counted one connection of the kind comes and goes.",
    "Memory is what the system calls resident. CPU is time on a processor, counted in ticks of about 10 ms, per second of wall time; 10 ms/s is 1 % of one processor.",
    "«Per connection» is the slope of a straight line through all points (least squares, 95 % interval by Student's t); «without any» is where that line begins: the process itself.",
    "The client is Weir's own transport, with its taps and buffers; another client costs other sums. A streaming connection's share of the Lab includes the reply it has made up.",
    "Memory the kernel keeps for sockets is in neither figure.",
];

/// The report.
pub fn render(view: &MemoryView, format: Format) -> String {
    match format {
        Format::Markdown => markdown(view),
        Format::Csv => csv(view),
        // Plain data, which JSON always holds.
        Format::Json => serde_json::to_string_pretty(view).unwrap_or_default() + "\n",
    }
}

/// Writes the report to the place where exports go, and tells the file's name.
///
/// # Errors
/// The disk.
pub fn export(view: &MemoryView, format: Format) -> Result<String, Error> {
    keep("memory drill", format, &render(view, format))
}

/// A figure with its interval, scaled.
fn cell(estimate: Option<Estimate>, scale: f64, digits: usize) -> String {
    let Some(Estimate { value, interval }) = estimate else { return "–".into() };
    let number = |value: f64| format!("{:.digits$}", value / scale);
    interval.map_or_else(|| number(value), |i| format!("{} [{}; {}]", number(value), number(i.low), number(i.high)))
}

const KIB: f64 = 1024.0;

fn markdown(view: &MemoryView) -> String {
    let drill = &view.drill;
    let series = drill.series.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let mut out = format!("# What a connection costs\n\n{series} connections, {} rounds. Value \\[95 % interval\\].\n\n", drill.rounds);
    out.push_str("| Kind | | Lab, KiB each | Client, KiB each | Lab, CPU ms/s each | Client, CPU ms/s each | Lab without any, MiB | Client without any, MiB |\n");
    out.push_str("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for row in &view.rows {
        let [lab, client] = [&row.lab, &row.client];
        // Writing into a String does not fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            row.name,
            row.way.name(),
            cell(lab.bytes.map(|line| line.slope), KIB, 1),
            cell(client.bytes.map(|line| line.slope), KIB, 1),
            cell(lab.cpu.map(|line| line.slope), 1.0, 3),
            cell(client.cpu.map(|line| line.slope), 1.0, 3),
            cell(lab.bytes.map(|line| line.intercept), KIB * KIB, 1),
            cell(client.bytes.map(|line| line.intercept), KIB * KIB, 1),
        );
    }
    let problems: Vec<&MemoryRow> = view.rows.iter().filter(|row| row.problem.is_some()).collect();
    if !problems.is_empty() {
        out.push_str("\n## Read this first\n\n");
        for row in problems {
            let _ = writeln!(out, "- {}, {}: {}", row.name, row.way.name(), row.problem.as_deref().unwrap_or_default());
        }
    }
    out.push_str("\n## Method\n\n");
    for line in METHOD {
        let _ = writeln!(out, "- {line}");
    }
    out
}

fn csv(view: &MemoryView) -> String {
    let mut out = String::from("kind,way,round,connections,sockets,lab_bytes,client_bytes,lab_cpu_ms_per_s,client_cpu_ms_per_s\n");
    for row in &view.rows {
        for point in &row.points {
            let _ = writeln!(
                out,
                "{},{},{},{},{},{},{},{:.3},{:.3}",
                row.kind,
                row.way.name(),
                point.round,
                point.connections,
                point.sockets,
                point.lab_bytes,
                point.client_bytes,
                point.lab_cpu,
                point.client_cpu
            );
        }
    }
    out
}
