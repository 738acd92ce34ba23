//! What a client says: the set-up, then turns.

use serde_json::{Map, Value, json};

use crate::gemini::{body, read};
use crate::{Ask, Role, extra};

/// The messages up to the first reply: the set-up and, if there are any, the turns.
pub(super) fn build(ask: &Ask) -> Vec<Map<String, Value>> {
    let mut all = known(ask);
    extra::merge(&mut all, &ask.params.extra);
    leave_out(&mut all);
    all.into_iter().map(|(name, value)| Map::from_iter([(name, value)])).collect()
}

/// The member of the set-up that is sent unasked, and the member of that. A set-up written by hand may lack them: `null` in the extras takes
/// them out.
const UNASKED: (&str, &str) = ("generationConfig", "responseModalities");

fn leave_out(all: &mut Map<String, Value>) {
    let Some(Value::Object(setup)) = all.get_mut("setup") else { return };
    if let Some(Value::Object(config)) = setup.get_mut(UNASKED.0) {
        config.retain(|name, value| !(value.is_null() && name == UNASKED.1));
    }
    setup.retain(|name, value| !(value.is_null() && name == UNASKED.0));
}

/// What the extras must hold so that `built` lacks what `setup` lacks of it; it is taken out of `built`.
fn left_out(setup: &Value, built: &mut Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Object(config)) = built.get_mut("setup").and_then(|setup| setup.get_mut(UNASKED.0)) else { return Map::new() };
    let given = setup.get(UNASKED.0);
    if given.is_some_and(|given| given.get(UNASKED.1).is_some()) {
        return Map::new();
    }
    config.remove(UNASKED.1);
    let left = if given.is_some() { json!({UNASKED.1: null}) } else { Value::Null };
    if left.is_null()
        && let Some(Value::Object(setup)) = built.get_mut("setup")
    {
        setup.remove(UNASKED.0);
    }
    Map::from_iter([("setup".to_owned(), json!({UNASKED.0: left}))])
}

/// All messages as members of one object, in order; without what has no field of its own.
fn known(ask: &Ask) -> Map<String, Value> {
    let model = match ask.model.split_once('/') {
        Some(("models" | "projects" | "publishers" | "tunedModels", _)) => ask.model.clone(),
        _ => format!("models/{}", ask.model),
    };
    let mut config = Map::from_iter([("responseModalities".to_owned(), json!(["TEXT"]))]);
    config.extend(body::generation(ask));
    let mut setup = Map::from_iter([("model".to_owned(), model.into()), ("generationConfig".to_owned(), Value::Object(config))]);
    setup.extend(body::instruction(ask));
    setup.extend(body::tools(ask));
    let mut all = Map::from_iter([("setup".to_owned(), Value::Object(setup))]);
    let turns = body::contents(&ask.messages);
    if !turns.is_empty() {
        all.insert("clientContent".to_owned(), json!({"turns": turns, "turnComplete": true}));
    }
    all
}

/// What another turn says: the results of calls if those are what comes last, else what the user said since the last reply.
pub(super) fn turn(ask: &Ask) -> Map<String, Value> {
    if ask.messages.last().is_some_and(|message| message.role == Role::Tool) {
        return Map::from_iter([("toolResponse".to_owned(), json!({"functionResponses": body::answers(&ask.messages)}))]);
    }
    let from = ask.messages.iter().rposition(|message| message.role != Role::User).map_or(0, |at| at + 1);
    let turns = body::contents(&ask.messages[from..]);
    Map::from_iter([("clientContent".to_owned(), json!({"turns": turns, "turnComplete": true}))])
}

/// The question that the messages ask; `None` where there are others than a set-up and one `clientContent`.
pub(super) fn read(messages: &[Map<String, Value>]) -> Option<Ask> {
    let mut all = Map::new();
    for message in messages {
        let (name, value) = message.iter().next().filter(|_| message.len() == 1)?;
        if !matches!((all.len(), name.as_str()), (0, "setup") | (1, "clientContent")) {
            return None;
        }
        all.insert(name.clone(), value.clone());
    }
    let mut setup = all.get("setup")?.as_object()?.clone();
    let model = setup.get("model")?.as_str()?;
    let model = model.strip_prefix("models/").unwrap_or(model).to_owned();
    if let Some(turns) = all.get("clientContent").and_then(|content| content.get("turns")) {
        setup.insert("contents".to_owned(), turns.clone());
    }
    let mut ask = Ask { model, ..read::ask(&setup)? };
    // These are no members of a live session's set-up, or nothing the session can do.
    ask.params.stop = Vec::new();
    ask.params.tool_choice = None;
    ask.output = None;
    let mut built = known(&ask);
    ask.params.extra = left_out(all.get("setup")?, &mut built);
    extra::merge(&mut ask.params.extra, &extra::beyond(&all, &built, &["clientContent"])?);
    Some(ask)
}
