//! What a comparison will cost, told before it starts.

use weir_recordings::{Query, State};

use super::{Comparison, ComparisonCost, Connection, Lane, LaneCost};
use crate::Engine;

/// Kept sessions that are looked through for one that asked the same: newest first.
const LOOK: u64 = 200;

/// The requests of a comparison, and their tokens by what the same question took before.
pub fn cost(engine: &Engine, comparison: &Comparison) -> ComparisonCost {
    let problem = comparison.check(engine).err().map(|error| *error.0);
    let lanes: Vec<LaneCost> = comparison.lanes.iter().map(|lane| of_lane(engine, comparison, lane)).collect();
    let requests = lanes.iter().map(|lane| lane.requests).sum();
    ComparisonCost { requests, dropped: requests - comparison.runs * comparison.lanes.len() as u32, lanes, problem }
}

fn of_lane(engine: &Engine, comparison: &Comparison, lane: &Lane) -> LaneCost {
    let times = if lane.connection == Connection::Reused { 2 } else { 1 };
    let requests = (comparison.runs + comparison.warmups) * times;
    let free = lane.draft.provider == "lab" && lane.draft.base_url.is_none() && lane.draft.url.is_none();
    // Looking for one that asked the same opens a session: not for what costs nothing.
    let known = if free { None } else { before(engine, lane) };
    let all = |tokens: Option<u64>| tokens.map(|n| n * u64::from(requests));
    LaneCost {
        requests,
        free,
        input_tokens: all(known.and_then(|(input, _)| input)),
        output_tokens: all(known.and_then(|(_, output)| output)),
        most_output_tokens: all(lane.draft.ask.params.max_tokens),
    }
}

/// Tokens of the newest complete session that put the same question to the same model.
fn before(engine: &Engine, lane: &Lane) -> Option<(Option<u64>, Option<u64>)> {
    let draft = &lane.draft;
    let query = Query { provider: Some(draft.provider.clone()), outcome: Some("complete".into()), limit: LOOK, ..Query::default() };
    let prompt = draft.ask.messages.last()?.text.as_str();
    let rows = engine.library().list(&query).ok()?.rows;
    let same = rows.into_iter().find(|row| {
        row.state == State::Done && row.model == draft.ask.model && row.dialect == draft.dialect && row.prompt.contains(prompt)
    })?;
    let session = engine.session(&same.id).ok()?;
    if session.plan().draft.ask != draft.ask {
        return None;
    }
    let analysis = session.analysis();
    let usage = analysis.fold.folded.facts.usage.as_ref()?;
    Some((usage.input_tokens, usage.output_tokens))
}
