//! Members of a request body that have no field of their own: merged in when a body is built, found again when one is read.

use serde_json::{Map, Value};

/// A parameter's value as people write it: `1`, not `1.0`. So bodies that were written by hand are read as what they are built from.
pub(crate) fn number(value: f64) -> Value {
    let whole = value as i64;
    if whole as f64 == value && whole.unsigned_abs() < 1 << 53 { whole.into() } else { value.into() }
}

/// A number that [`number`] writes as it stands in `value`: what it would write otherwise is left to `extra`.
pub(crate) fn exact(value: Option<&Value>) -> Option<f64> {
    let value = value?;
    value.as_f64().filter(|read| number(*read) == *value)
}

/// A list of texts and nothing else.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// A function on offer: `{name, description?, parameters}`.
pub(crate) fn function(value: &Value) -> Option<crate::Tool> {
    let description = value.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(crate::Tool { name: value["name"].as_str()?.to_owned(), description, parameters: value.get("parameters")?.clone() })
}

/// Merges `extra` into `body`, last word: an object is merged with the object of the same name, anything else replaces what was there.
pub(crate) fn merge(body: &mut Map<String, Value>, extra: &Map<String, Value>) {
    for (name, value) in extra {
        match (body.get_mut(name), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more),
            _ => {
                body.insert(name.clone(), value.clone());
            }
        }
    }
}

/// What is to be merged into `built` to make `body` of it. `None` where merging cannot: `built` has a member that `body` lacks, or they
/// differ in one of `fixed`, top-level members that must not be replaced behind the back of the fields they are built from.
pub(crate) fn beyond(body: &Map<String, Value>, built: &Map<String, Value>, fixed: &[&str]) -> Option<Map<String, Value>> {
    if built.keys().any(|name| !body.contains_key(name)) {
        return None;
    }
    let mut extra = Map::new();
    for (name, value) in body {
        match (value, built.get(name)) {
            (value, Some(known)) if value == known => {}
            (_, _) if fixed.contains(&name.as_str()) => return None,
            (Value::Object(inner), Some(Value::Object(known))) => {
                extra.insert(name.clone(), Value::Object(beyond(inner, known, &[])?));
            }
            // An object over something else replaces it, which is what merging does too.
            (value, _) => {
                extra.insert(name.clone(), value.clone());
            }
        }
    }
    Some(extra)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn what_is_beyond_merges_back() {
        let built = object(json!({"a": 1, "b": {"c": 2, "d": [1]}, "e": "x"}));
        for (body, extra) in [
            (json!({"a": 1, "b": {"c": 2, "d": [1]}, "e": "x"}), Some(json!({}))),
            (
                json!({"a": 1, "b": {"c": 2, "d": [1], "f": {"g": null}}, "e": "x", "h": {}}),
                Some(json!({"b": {"f": {"g": null}}, "h": {}})),
            ),
            (
                json!({"a": {"z": 1}, "b": {"c": 3, "d": [1, 2]}, "e": null}),
                Some(json!({"a": {"z": 1}, "b": {"c": 3, "d": [1, 2]}, "e": null})),
            ),
            (json!({"a": 1, "b": {"c": 2}, "e": "x"}), None),
            (json!({"a": 1, "b": {"c": 2, "d": [1]}}), None),
        ] {
            let body = object(body);
            let found = beyond(&body, &built, &[]);
            assert_eq!(found.clone().map(Value::Object), extra);
            if let Some(extra) = found {
                let mut merged = built.clone();
                merge(&mut merged, &extra);
                assert_eq!(merged, body);
            }
        }
        assert!(beyond(&object(json!({"a": 2, "b": {"c": 2, "d": [1]}, "e": "x"})), &built, &["a"]).is_none());
    }
}
