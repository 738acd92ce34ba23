//! What was to be seen of a run at each moment.

use super::LaneReplay;
use crate::analysis::utf16_len;
use crate::view::BlockKind;
use crate::{Engine, Error, inspect};

/// The moments of a session.
///
/// # Errors
/// `not-found` where there is no such session; what stands in the way of opening it.
pub fn replay(engine: &Engine, id: &str) -> Result<LaneReplay, Error> {
    let session = engine.session(id)?;
    let analysis = session.analysis();
    let end = analysis.phases.end.unwrap_or(analysis.elapsed());
    let zero = analysis.again_at().map_or(0, |again| again.t);
    let mut text = String::new();
    let mut ticks = Vec::new();
    let mut units = 0;
    let blocks = analysis.fold.folded.blocks.iter().filter(|block| matches!(block.kind, BlockKind::Text | BlockKind::Reasoning));
    // What warmed the connection up was seen before the clock began.
    for block in blocks.filter(|block| block.times.1 >= zero) {
        if !text.is_empty() {
            text.push_str("\n\n");
            units += 2;
        }
        for row in block.all_rows() {
            let (Some(range), Some(at)) = (block.range_of(row), analysis.fold.rows.get(row as usize)) else { continue };
            ticks.push((at.t as f64 / 1e6, units + block.utf16_of_byte(range.end)));
        }
        units += utf16_len(&block.text);
        text.push_str(&block.text);
    }
    let ribbon = inspect::ribbon(&analysis, end, 0.0, None, 1);
    Ok(LaneReplay {
        session: id.to_owned(),
        zero_ms: zero as f64 / 1e6,
        end_ms: end as f64 / 1e6,
        phases: ribbon.phases,
        text: session.without_secret(text),
        ticks,
    })
}
