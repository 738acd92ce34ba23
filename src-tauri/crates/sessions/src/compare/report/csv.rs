//! The runs as comma-separated values (RFC 4180, with line feeds).

use crate::compare::{ComparisonView, FIGURES, letter};
use crate::export::csv_field as field;

/// A head, then one run a line, warm-ups and failed ones too.
pub(super) fn lines(view: &ComparisonView) -> String {
    let mut out = String::from("lane,name,run,warmup,order,counts,started_at_ms,session,failure,status");
    for figure in FIGURES {
        out.push(',');
        out.push_str(figure.id);
    }
    out.push('\n');
    for run in &view.runs {
        let lane = run.lane as usize;
        let name = view.comparison.lanes.get(lane).map_or("", |lane| lane.name.as_str());
        let failure = run.failure.as_ref();
        let mut fields = vec![
            letter(lane).to_string(),
            field(name),
            run.n.to_string(),
            run.warmup.to_string(),
            run.order.to_string(),
            run.counts().to_string(),
            format!("{:.0}", run.started_at_ms),
            run.session.clone(),
            field(failure.map_or("", |failure| &failure.code)),
            failure.and_then(|failure| failure.status).map(|status| status.to_string()).unwrap_or_default(),
        ];
        fields.extend(FIGURES.iter().map(|figure| (figure.of)(&run.figures).map(|value| value.to_string()).unwrap_or_default()));
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}
