//! The report as Markdown.

use super::{cell, difference, failed, method, moment, number, otherwise, unit};
use crate::compare::{ComparisonView, Unit, letter};

/// Text that stands in a table's cell or a line as it is.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// The whole report.
pub(super) fn page(view: &ComparisonView) -> String {
    let comparison = &view.comparison;
    let table = &view.table;
    let mut out = format!("# {}\n\n{}\n\n", plain(&comparison.title), moment(view.started_at_ms));
    out.push_str("| | Lane | Request | Runs | Failed | Left out |\n| --- | --- | --- | ---: | ---: | ---: |\n");
    for (lane, head) in comparison.lanes.iter().zip(&table.lanes) {
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            head.letter,
            plain(&head.name),
            plain(&(method::lane(lane) + &otherwise(head))),
            head.n,
            plain(&failed(head)),
            head.disturbed
        ));
    }
    if !table.answers.is_empty() {
        out.push_str("\n## Which is faster\n\n");
        for answer in &table.answers {
            out.push_str(&format!("- {}\n", plain(answer)));
        }
    }
    if !table.notes.is_empty() {
        out.push_str("\n## Read this first\n\n");
        for note in &table.notes {
            out.push_str(&format!("- {}\n", plain(note)));
        }
    }
    out.push_str("\n## Figures\n\nValue \\[95 % interval\\]; ✓ best, ≈ approximate interval.\n\n| Figure | |");
    for head in &table.lanes {
        out.push_str(&format!(" {} {} |", head.letter, plain(&head.name)));
    }
    out.push_str(&format!("\n| --- | --- |{}\n", " ---: |".repeat(table.lanes.len())));
    for row in &table.rows {
        let named = match unit(row.unit) {
            "" => row.name.clone(),
            unit => format!("{} ({unit})", row.name),
        };
        out.push_str(&format!("| {} | {} |", plain(&named), row.statistic.name()));
        for one in &row.cells {
            let text = plain(&cell(row, one));
            out.push_str(&if one.best { format!(" **{text}** ✓ |") } else { format!(" {text} |") });
        }
        out.push('\n');
    }
    let differing: Vec<_> = table.rows.iter().filter(|row| !row.paired.is_empty() && row.lower_is_better.is_some()).collect();
    if !differing.is_empty() {
        out.push_str("\n## Paired differences\n\nRun by run; **bold** where the interval excludes zero.\n\n| Figure | | Differences |\n| --- | --- | --- |\n");
        for row in differing {
            let pairs: Vec<String> = row
                .paired
                .iter()
                .map(|pair| {
                    let text = plain(&difference(row, pair));
                    if pair.apart { format!("**{text}**") } else { text }
                })
                .collect();
            out.push_str(&format!("| {} | {} | {} |\n", plain(&row.name), row.statistic.name(), pairs.join("; ")));
        }
    }
    out.push_str("\n## Where the bytes go\n\nMean bytes received by layer.\n\n");
    for head in table.lanes.iter().filter(|head| !head.layers.is_empty()) {
        let all: f64 = head.layers.iter().map(|(_, bytes)| bytes).sum();
        let layers: Vec<String> = head
            .layers
            .iter()
            .map(|(layer, bytes)| format!("{layer} {} B ({} %)", number(Unit::Bytes, *bytes), number(Unit::Share, bytes / all)))
            .collect();
        out.push_str(&format!("- {} {}: {}\n", head.letter, plain(&head.name), layers.join(", ")));
    }
    let fell: Vec<_> = view.runs.iter().filter(|run| run.failure.is_some()).collect();
    if !fell.is_empty() {
        out.push_str("\n## Failed runs\n\n| Lane | Run | Cause | Session |\n| --- | ---: | --- | --- |\n");
        for run in fell {
            let cause = run.failure.as_ref().map(|failure| format!("{}: {}", failure.code, failure.message)).unwrap_or_default();
            let kind = if run.warmup { "warm-up " } else { "" };
            out.push_str(&format!("| {} | {kind}{} | {} | {} |\n", letter(run.lane as usize), run.n, plain(&cause), run.session));
        }
    }
    out.push_str("\n## Method\n\n");
    for sentence in method::sentences(view) {
        out.push_str(&format!("- {}\n", plain(&sentence)));
    }
    out
}
