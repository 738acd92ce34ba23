//! A value that satisfies a JSON Schema, for the arguments of tool calls. Covers what tool definitions use: types, enum, const,
//! default, examples, bounds, lengths, formats, properties, items, allOf/anyOf/oneOf and local `$ref`. `pattern` and `not` are
//! not solved: such a string may break its pattern.

use serde_json::{Map, Number, Value};

use crate::rng::Rng;

/// How deep a recursive schema is followed before optional parts are left out.
const DEPTH: usize = 6;

/// A value for `schema`; `prompt` lends its words to free strings.
pub(crate) fn value(schema: &Value, prompt: &str, rng: &mut Rng) -> Value {
    Maker { root: schema, prompt }.make(schema, "", 0, rng)
}

struct Maker<'a> {
    root: &'a Value,
    prompt: &'a str,
}

impl Maker<'_> {
    fn make(&self, schema: &Value, name: &str, depth: usize, rng: &mut Rng) -> Value {
        let Value::Object(map) = schema else {
            // `true` and `{}` allow anything.
            return Value::String(self.word(name));
        };
        if depth > DEPTH * 2 {
            return Value::Null;
        }
        if let Some(target) = map.get("$ref").and_then(Value::as_str) {
            return match self.root.pointer(target.trim_start_matches('#')) {
                Some(target) => self.make(target, name, depth + 1, rng),
                None => Value::Null,
            };
        }
        if let Some(value) = map.get("const").or_else(|| map.get("default")) {
            return value.clone();
        }
        for list in ["enum", "examples"] {
            if let Some(choices) = map.get(list).and_then(Value::as_array).filter(|c| !c.is_empty()) {
                return choices[rng.below(choices.len() as u64) as usize].clone();
            }
        }
        for list in ["anyOf", "oneOf"] {
            if let Some(choices) = map.get(list).and_then(Value::as_array) {
                // A choice that is not null says more.
                let choice = choices.iter().find(|c| c.get("type").and_then(Value::as_str) != Some("null"));
                if let Some(choice) = choice.or_else(|| choices.first()) {
                    return self.make(choice, name, depth + 1, rng);
                }
            }
        }
        if let Some(all) = map.get("allOf").and_then(Value::as_array) {
            return self.make(&merge(map, all), name, depth + 1, rng);
        }
        match kind(map) {
            "object" => self.object(map, depth, rng),
            "array" => self.array(map, name, depth, rng),
            "integer" => integer(map, rng).into(),
            "number" => number(map, rng),
            "boolean" => Value::Bool(rng.below(2) == 1),
            "null" => Value::Null,
            _ => Value::String(self.string(map, name)),
        }
    }

    fn object(&self, map: &Map<String, Value>, depth: usize, rng: &mut Rng) -> Value {
        let required = |key: &str| map.get("required").and_then(Value::as_array).is_some_and(|r| r.iter().any(|v| v.as_str() == Some(key)));
        let mut object = Map::new();
        if let Some(properties) = map.get("properties").and_then(Value::as_object) {
            for (key, schema) in properties {
                if required(key) || depth < DEPTH {
                    object.insert(key.clone(), self.make(schema, key, depth + 1, rng));
                }
            }
        }
        for key in map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(key) {
                object.insert(key.into(), Value::String(self.word(key)));
            }
        }
        Value::Object(object)
    }

    fn array(&self, map: &Map<String, Value>, name: &str, depth: usize, rng: &mut Rng) -> Value {
        let bound = |key: &str| map.get(key).and_then(Value::as_u64).map(|n| n.min(64));
        let least = bound("minItems").unwrap_or(u64::from(depth < DEPTH));
        let length = least.max(if depth < DEPTH { 2 } else { 0 }).min(bound("maxItems").unwrap_or(u64::MAX));
        let prefix = map.get("prefixItems").and_then(Value::as_array);
        let any = Value::Bool(true);
        let items = map.get("items").unwrap_or(&any);
        let length = if items == &Value::Bool(false) { prefix.map_or(0, |p| p.len() as u64) } else { length };
        let mut made: Vec<Value> = Vec::new();
        for at in 0..length.max(prefix.map_or(0, |p| p.len() as u64)) {
            let schema = prefix.and_then(|p| p.get(at as usize)).unwrap_or(items);
            let value = self.make(schema, name, depth + 1, rng);
            if map.get("uniqueItems") == Some(&Value::Bool(true)) && made.contains(&value) {
                break;
            }
            made.push(value);
        }
        Value::Array(made)
    }

    fn string(&self, map: &Map<String, Value>, name: &str) -> String {
        let mut text = match map.get("format").and_then(Value::as_str) {
            Some("date") => "2026-11-23".into(),
            Some("date-time") => "2026-11-23T08:30:00Z".into(),
            Some("time") => "08:30:00Z".into(),
            Some("duration") => "PT5M".into(),
            Some("email") => "lab@example.com".into(),
            Some("uri" | "url" | "iri") => "https://example.com/".into(),
            Some("uuid") => "6f1d2c3b-4a59-4e68-8777-8695a4b3c2d1".into(),
            Some("hostname") => "example.com".into(),
            Some("ipv4") => "127.0.0.1".into(),
            Some("ipv6") => "::1".into(),
            _ => self.word(name),
        };
        let bound = |key: &str| map.get(key).and_then(Value::as_u64).map(|n| n.min(4096) as usize);
        if let Some(most) = bound("maxLength") {
            text = text.chars().take(most).collect();
        }
        let length = text.chars().count();
        text.extend(std::iter::repeat_n('x', bound("minLength").unwrap_or(0).saturating_sub(length)));
        text
    }

    /// A word that fits what the property is called.
    fn word(&self, name: &str) -> String {
        let lower = name.to_lowercase();
        let is = |words: &[&str]| words.iter().any(|w| lower.contains(w));
        if is(&["query", "question", "prompt", "text", "search", "input", "message"]) && !self.prompt.trim().is_empty() {
            return self.prompt.split_whitespace().take(12).collect::<Vec<_>>().join(" ");
        }
        if is(&["city", "location", "place"]) {
            return "Zürich".into();
        }
        if is(&["country"]) {
            return "日本".into();
        }
        if is(&["path", "file"]) {
            return "notes/naïve.md".into();
        }
        if is(&["code", "expression"]) {
            return "6 * 7".into();
        }
        if lower.is_empty() { "value".into() } else { format!("some {}", lower.replace('_', " ")) }
    }
}

fn kind(map: &Map<String, Value>) -> &str {
    match map.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|k| *k != "null").unwrap_or("null"),
        _ if map.contains_key("properties") || map.contains_key("required") => "object",
        _ if map.contains_key("items") || map.contains_key("prefixItems") => "array",
        _ if map.contains_key("minimum") || map.contains_key("maximum") => "number",
        _ => "string",
    }
}

/// `allOf` as one schema: properties and required lists joined, other keywords of later members winning.
fn merge(map: &Map<String, Value>, all: &[Value]) -> Value {
    let mut merged = map.clone();
    merged.remove("allOf");
    for member in all.iter().filter_map(Value::as_object) {
        for (key, value) in member {
            match (merged.get_mut(key), value) {
                (Some(Value::Object(into)), Value::Object(from)) => into.extend(from.clone()),
                (Some(Value::Array(into)), Value::Array(from)) => into.extend(from.iter().cloned()),
                _ => drop(merged.insert(key.clone(), value.clone())),
            }
        }
    }
    Value::Object(merged)
}

fn bounds(map: &Map<String, Value>, step: f64) -> (f64, f64) {
    let at = |key: &str| map.get(key).and_then(Value::as_f64);
    let low = at("minimum").or(at("exclusiveMinimum").map(|n| n + step));
    let high = at("maximum").or(at("exclusiveMaximum").map(|n| n - step));
    match (low, high) {
        (Some(low), Some(high)) => (low, high.max(low)),
        (Some(low), None) => (low, low + 41.0),
        (None, Some(high)) => (high - 41.0, high),
        (None, None) => (1.0, 42.0),
    }
}

fn integer(map: &Map<String, Value>, rng: &mut Rng) -> i64 {
    let (low, high) = bounds(map, 1.0);
    let (low, high) = (low.ceil() as i64, high.floor() as i64);
    let span = high.saturating_sub(low).max(0) as u64;
    let made = low.saturating_add(rng.below(span.saturating_add(1)) as i64);
    match map.get("multipleOf").and_then(Value::as_i64).filter(|m| *m > 0) {
        // The next multiple at or above, or the one below where that would leave the bounds.
        Some(multiple) => {
            let up = made.div_euclid(multiple) * multiple;
            if up < low { up.saturating_add(multiple) } else { up }
        }
        None => made,
    }
}

fn number(map: &Map<String, Value>, rng: &mut Rng) -> Value {
    let (low, high) = bounds(map, 1e-3);
    let made = if let Some(multiple) = map.get("multipleOf").and_then(Value::as_f64).filter(|m| *m > 0.0) {
        (low / multiple).ceil() * multiple
    } else {
        // Two decimals read better; kept only where they stay within the bounds.
        let exact = low + rng.unit() * (high - low);
        let short = (exact * 100.0).round() / 100.0;
        if (low..=high).contains(&short) { short } else { exact }
    };
    Number::from_f64(made).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn make(schema: Value) -> Value {
        value(&schema, "weather in Osaka?", &mut Rng::new(7))
    }

    #[test]
    fn objects_have_what_is_required_in_the_right_types() {
        let made = make(json!({"type":"object","required":["city","days","extra"],"properties":{
            "city":{"type":"string"},"days":{"type":"integer","minimum":3,"maximum":5},
            "unit":{"enum":["c","f"]},"exact":{"type":["boolean","null"]},
            "tags":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":1}}}));
        assert_eq!(made["city"], "Zürich");
        assert!((3..=5).contains(&made["days"].as_i64().unwrap()));
        assert!(["c", "f"].contains(&made["unit"].as_str().unwrap()));
        assert!(made["exact"].is_boolean());
        assert_eq!(made["tags"].as_array().unwrap().len(), 1);
        assert!(made["extra"].is_string());
    }

    #[test]
    fn references_and_recursion_end() {
        let made = make(json!({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","required":["name"],"properties":{
            "name":{"type":"string"},"next":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/node"}]}}}}}));
        assert!(made["name"].is_string());
        assert!(serde_json::to_string(&made).unwrap().len() < 10_000);
        assert_eq!(make(json!({"$ref":"#/nowhere"})), Value::Null);
    }

    #[test]
    fn bounds_and_lengths_hold() {
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let n = value(&json!({"type":"number","exclusiveMinimum":0,"maximum":1}), "", &mut rng).as_f64().unwrap();
            assert!(n > 0.0 && n <= 1.0, "{n}");
            let n = value(&json!({"type":"integer","multipleOf":5,"minimum":3,"maximum":12}), "", &mut rng).as_i64().unwrap();
            assert!(n % 5 == 0 && (3..=12).contains(&n), "{n}");
            let s = value(&json!({"type":"string","minLength":20,"maxLength":22}), "", &mut rng);
            assert!((20..=22).contains(&s.as_str().unwrap().chars().count()));
        }
        assert_eq!(make(json!({"allOf":[{"properties":{"a":{"const":1}}},{"properties":{"b":{"const":2}}}]})), json!({"a":1,"b":2}));
        assert!(make(json!(true)).is_string());
    }
}
