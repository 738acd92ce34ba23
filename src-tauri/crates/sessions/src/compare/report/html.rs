//! The report as one HTML page: no script, no other file.

use super::{cell, charts, difference, method, moment, number, unit};
use crate::compare::figures::Read;
use crate::compare::{ComparisonView, LaneHead, Unit, letter};

/// Text as it may stand in HTML and in its attributes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

const STYLE: &str = "
:root{color-scheme:light dark;--bg:#fff;--fg:#16181d;--dim:#5c6370;--rule:#d9dce3;--l0:#2563eb;--l1:#0e8a8a;--l2:#be185d;--l3:#a16207;--l4:#6d28d9;--l5:#15803d;--warn:#fff7e6}
@media(prefers-color-scheme:dark){:root{--bg:#0b0c0f;--fg:#e6e8ec;--dim:#9aa1ad;--rule:#2a2d35;--l0:#7aa9ff;--l1:#4cc3c7;--l2:#f08cb8;--l3:#d9b25a;--l4:#b79cff;--l5:#6fcf8a;--warn:#2a2413}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:14px/1.5 Inter,system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 24px 64px}h1{font-size:24px;margin:0}h2{font-size:16px;margin:36px 0 10px}h3{font-size:14px;margin:18px 0 6px}
p,li{max-width:90ch}.dim{color:var(--dim)}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{border-bottom:1px solid var(--rule);padding:5px 10px 5px 0;text-align:left;vertical-align:top}th{font-weight:600}td.n,th.n{text-align:right}
.wide{overflow-x:auto}.notes{background:var(--warn);border-radius:8px;padding:10px 16px 10px 34px;margin:0}.badge{display:inline-block;min-width:20px;padding:0 5px;border-radius:4px;color:var(--bg);text-align:center;font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:16px}figure{margin:0}figcaption{color:var(--dim);font-size:12px}
svg{width:100%;height:auto;display:block}svg text{fill:var(--dim);font-size:10px}.grid{stroke:var(--rule)}.curve{fill:none;stroke-width:1.8}
.box rect{fill:none;stroke:currentColor;stroke-width:1.4}.box line{stroke:currentColor}.box .median{stroke-width:3}.box circle,.dots circle{fill:currentColor}.dots circle{fill-opacity:.75}
.l0{color:var(--l0)}.l1{color:var(--l1)}.l2{color:var(--l2)}.l3{color:var(--l3)}.l4{color:var(--l4)}.l5{color:var(--l5)}
.curve.l0{stroke:var(--l0)}.curve.l1{stroke:var(--l1);stroke-dasharray:6 3}.curve.l2{stroke:var(--l2);stroke-dasharray:2 2}.curve.l3{stroke:var(--l3);stroke-dasharray:9 3 2 3}.curve.l4{stroke:var(--l4);stroke-dasharray:12 4}.curve.l5{stroke:var(--l5);stroke-dasharray:1 3}
.b0{background:var(--l0)}.b1{background:var(--l1)}.b2{background:var(--l2)}.b3{background:var(--l3)}.b4{background:var(--l4)}.b5{background:var(--l5)}
.bar{display:flex;height:20px;border-radius:4px;overflow:hidden;background:var(--rule)}.bar span{display:block;min-width:1px}.key{font-size:12px}.key i{display:inline-block;width:10px;height:10px;border-radius:2px;margin:0 5px 0 12px}
code{font:12px/1.4 ui-monospace,monospace}
";

/// Colours of layers, by the names that sessions give them.
fn colour(layer: &str) -> &'static str {
    match layer {
        "http-head" => "#7aa9ff",
        "chunk" => "#8fb3bf",
        "h2" => "#9b8cff",
        "sse" => "#4cc3c7",
        "ndjson" => "#58b0a0",
        "eventstream" => "#c78cf0",
        "ws" => "#e58abf",
        "json" => "#d1a94e",
        "text" => "#62c07e",
        "reasoning" => "#b79cff",
        "tool-call" => "#f0a070",
        _ => "#9aa1ad",
    }
}

fn badge(lane: usize) -> String {
    format!("<span class=\"badge b{lane}\">{}</span>", letter(lane))
}

/// The whole page.
pub(super) fn page(view: &ComparisonView) -> String {
    let title = escape(&view.comparison.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><main>\n<h1>{title}</h1>\n<p class=\"dim\">{}</p>\n",
        moment(view.started_at_ms)
    );
    lanes(view, &mut out);
    if !view.table.answers.is_empty() {
        out.push_str("<h2>Which is faster</h2><ul>");
        view.table.answers.iter().for_each(|answer| out.push_str(&format!("<li>{}</li>", escape(answer))));
        out.push_str("</ul>\n");
    }
    if !view.table.notes.is_empty() {
        out.push_str("<h2>Read this first</h2><ul class=\"notes\">");
        view.table.notes.iter().for_each(|note| out.push_str(&format!("<li>{}</li>", escape(note))));
        out.push_str("</ul>\n");
    }
    figures(view, &mut out);
    differences(view, &mut out);
    let figures: [(&str, Read); 3] = [("TTFT", |f| f.ttft), ("Total", |f| f.total), ("Gap p50", |f| f.gap_p50)];
    for (name, of) in figures {
        let series = charts::series(view, of);
        if series.is_empty() {
            continue;
        }
        out.push_str(&format!("<h2>{name}</h2><div class=\"charts\">"));
        for (chart, caption) in [
            (charts::ecdf(name, &series), "Share of runs that took at most so long"),
            (charts::boxes(name, &series), "Quartiles; whiskers reach to the farthest run within 1.5 times the box"),
            (charts::order(name, &series), "Runs in the order they were made; each point names its session"),
        ] {
            out.push_str(&format!("<figure>{chart}<figcaption>{caption}</figcaption></figure>"));
        }
        out.push_str("</div>\n");
    }
    bytes(&view.table.lanes, &mut out);
    failed(view, &mut out);
    out.push_str("<h2>Method</h2><ul>");
    method::sentences(view).iter().for_each(|sentence| out.push_str(&format!("<li>{}</li>", escape(sentence))));
    out.push_str("</ul>\n</main></body></html>\n");
    out
}

fn lanes(view: &ComparisonView, out: &mut String) {
    out.push_str(
        "<div class=\"wide\"><table><tr><th></th><th>Lane</th><th>Request</th><th class=\"n\">Runs</th><th class=\"n\">Failed</th><th class=\"n\">Left out</th></tr>",
    );
    for (at, (lane, head)) in view.comparison.lanes.iter().zip(&view.table.lanes).enumerate() {
        let request = escape(&(method::lane(lane) + &super::otherwise(head)));
        let name = escape(&head.name);
        out.push_str(&format!(
            "<tr><td>{}</td><td>{name}</td><td>{request}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            badge(at),
            head.n,
            escape(&super::failed(head)),
            head.disturbed
        ));
    }
    out.push_str("</table></div>\n");
    let prompt = view.comparison.lanes.first().and_then(|lane| lane.draft.ask.messages.last());
    if let Some(prompt) = prompt {
        out.push_str(&format!("<p class=\"dim\">Prompt of lane A: {}</p>\n", escape(&prompt.text)));
    }
}

fn figures(view: &ComparisonView, out: &mut String) {
    out.push_str("<h2>Figures</h2><p class=\"dim\">Value [95 % interval]; ✓ best by paired difference, ≈ approximate interval.</p><div class=\"wide\"><table><tr><th>Figure</th><th></th>");
    for (at, head) in view.table.lanes.iter().enumerate() {
        out.push_str(&format!("<th class=\"n\">{} {}</th>", badge(at), escape(&head.name)));
    }
    out.push_str("</tr>");
    for row in &view.table.rows {
        out.push_str(&format!(
            "<tr><td title=\"{}\">{} <span class=\"dim\">{}</span></td><td class=\"dim\">{}</td>",
            escape(&row.about),
            escape(&row.name),
            unit(row.unit),
            row.statistic.name()
        ));
        for one in &row.cells {
            let text = escape(&cell(row, one));
            let class = if one.estimate.is_none() { "n dim" } else { "n" };
            out.push_str(&if one.best {
                format!("<td class=\"n\"><b>{text}</b> ✓</td>")
            } else {
                format!("<td class=\"{class}\">{text}</td>")
            });
        }
        out.push_str("</tr>");
    }
    out.push_str("</table></div>\n");
}

fn differences(view: &ComparisonView, out: &mut String) {
    let rows: Vec<_> = view.table.rows.iter().filter(|row| !row.paired.is_empty() && row.lower_is_better.is_some()).collect();
    if rows.is_empty() {
        return;
    }
    out.push_str(
        "<h2>Paired differences</h2><p class=\"dim\">Run by run; bold where the interval excludes zero.</p><div class=\"wide\"><table>",
    );
    for row in rows {
        out.push_str(&format!(
            "<tr><td>{} <span class=\"dim\">{}</span></td><td class=\"dim\">{}</td>",
            escape(&row.name),
            unit(row.unit),
            row.statistic.name()
        ));
        for pair in &row.paired {
            let text = escape(&difference(row, pair));
            out.push_str(&if pair.apart { format!("<td><b>{text}</b></td>") } else { format!("<td>{text}</td>") });
        }
        out.push_str("</tr>");
    }
    out.push_str("</table></div>\n");
}

fn bytes(lanes: &[LaneHead], out: &mut String) {
    let sum = |head: &LaneHead| head.layers.iter().map(|(_, bytes)| bytes).sum::<f64>();
    let most = lanes.iter().map(sum).fold(0.0, f64::max);
    if most == 0.0 {
        return;
    }
    out.push_str("<h2>Where the bytes go</h2><p class=\"dim\">Mean bytes received, by the innermost layer that owns them; bars are to one scale.</p>");
    for (at, head) in lanes.iter().enumerate().filter(|(_, head)| !head.layers.is_empty()) {
        let all = sum(head);
        out.push_str(&format!(
            "<h3>{} {} <span class=\"dim\">{} B</span></h3><div class=\"bar\" style=\"width:{:.2}%\">",
            badge(at),
            escape(&head.name),
            number(Unit::Bytes, all),
            all / most * 100.0
        ));
        let mut key = String::from("<p class=\"key\">");
        for (layer, bytes) in &head.layers {
            let (name, share) = (escape(layer), bytes / all * 100.0);
            let hue = colour(layer);
            out.push_str(&format!("<span style=\"width:{share:.2}%;background:{hue}\" title=\"{name} {bytes:.0} B\"></span>"));
            key.push_str(&format!("<i style=\"background:{hue}\"></i>{name} {share:.1} %"));
        }
        out.push_str(&format!("</div>{key}</p>"));
    }
    out.push('\n');
}

fn failed(view: &ComparisonView, out: &mut String) {
    let failed: Vec<_> = view.runs.iter().filter(|run| run.failure.is_some()).collect();
    if failed.is_empty() {
        return;
    }
    out.push_str("<h2>Failed runs</h2><div class=\"wide\"><table><tr><th></th><th>Run</th><th>Cause</th><th>Session</th></tr>");
    for run in failed {
        let cause = run.failure.as_ref().map(|failure| format!("{}: {}", failure.code, failure.message)).unwrap_or_default();
        let kind = if run.warmup { "warm-up " } else { "" };
        out.push_str(&format!(
            "<tr><td>{}</td><td>{kind}{}</td><td>{}</td><td><code>{}</code></td></tr>",
            badge(run.lane as usize),
            run.n,
            escape(&cause),
            run.session
        ));
    }
    out.push_str("</table></div>\n");
}
