//! The timeline in bins: its cost depends on the rows in the range, its size on the bins alone.

use crate::analysis::{Analysis, Kind};
use crate::view::{Ribbon, RibbonLane, RibbonPhase};

/// Lanes, top first, and the kinds in each.
const LANES: [(&str, &[Kind]); 5] = [
    ("http", &[Kind::Connection, Kind::Head, Kind::Request]),
    ("control", &[Kind::Control, Kind::Comment, Kind::Retry, Kind::Unknown, Kind::Finish, Kind::Warning, Kind::Error, Kind::Incomplete]),
    ("reasoning", &[Kind::Reasoning]),
    ("text", &[Kind::Text, Kind::Refusal, Kind::Audio, Kind::Message]),
    ("tool", &[Kind::ToolCall, Kind::Usage]),
];

/// Rows between `from` and `to` (milliseconds; `None` = so far) in `bins` bins a lane, and the dial's phases.
pub fn ribbon(analysis: &Analysis, now: u64, from_ms: f64, to_ms: Option<f64>, bins: u32) -> Ribbon {
    let bins = bins.clamp(1, 8192) as usize;
    let from = (from_ms.max(0.0) * 1e6) as u64;
    let to = to_ms.map_or(now, |ms| (ms.max(0.0) * 1e6) as u64).max(from + 1);
    let width = (to - from) as f64;
    let mut lanes: Vec<Vec<u32>> = vec![vec![0; bins]; LANES.len()];
    let rows = &analysis.fold.rows;
    let first = rows.partition_point(|row| row.t < from);
    for row in rows.iter_from(first).take_while(|row| row.t <= to) {
        if let Some(lane) = LANES.iter().position(|(_, kinds)| kinds.contains(&row.kind)) {
            let bin = ((row.t - from) as f64 / width * bins as f64) as usize;
            lanes[lane][bin.min(bins - 1)] += 1;
        }
    }
    let mut phases: Vec<RibbonPhase> = analysis
        .phases
        .spans
        .iter()
        .map(|&(name, start, end)| RibbonPhase { name: name.into(), start_ms: start as f64 / 1e6, end_ms: end as f64 / 1e6 })
        .collect();
    if let (Some(sent), None, None) = (analysis.phases.sent, analysis.phases.first_byte, analysis.phases.end) {
        phases.push(RibbonPhase { name: "wait".into(), start_ms: sent as f64 / 1e6, end_ms: now as f64 / 1e6 });
    }
    let windows = &analysis.fold.windows;
    let stalls = windows.any.then(|| {
        [("down", false), ("up", true)].map(|(name, out)| RibbonLane { name: name.into(), bins: windows.binned(out, from, to, now, bins) })
    });
    Ribbon {
        stalls: stalls.map(Vec::from),
        from_ms: from as f64 / 1e6,
        to_ms: to as f64 / 1e6,
        lanes: LANES.iter().zip(lanes).map(|((name, _), bins)| RibbonLane { name: (*name).into(), bins }).collect(),
        phases,
    }
}
