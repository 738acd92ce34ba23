//! What a turn of a pasted body has beside what a [`crate::Message`] can show: cache marks, several texts, a text before its image,
//! members and kinds of parts that Weir has no name for. It is kept with the turn and put back when a body is built, so that nothing is
//! lost on the way through the form.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// A turn (or a system prompt) as a body had it, with what would be built of the fields it was read into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Aside {
    /// What the fields make.
    #[ts(type = "unknown")]
    pub shown: Value,
    /// What stood in the body.
    #[ts(type = "unknown")]
    pub kept: Value,
}

impl Aside {
    /// What is to be kept of `original`; nothing where `built` from the fields says it all.
    pub(crate) fn of(built: Value, original: &Value) -> Option<Box<Self>> {
        (built != *original).then(|| Box::new(Self { shown: built, kept: original.clone() }))
    }

    /// What to send for fields that make `built` now. As long as they are as they were read, that is the original. Where only texts were
    /// edited, they are edited in the original too. Anything else makes it another turn, which says what its fields say.
    pub(crate) fn restore(aside: Option<&Self>, built: Value) -> Value {
        let Some(aside) = aside else { return built };
        let mut edits = Vec::new();
        if !differing(&aside.shown, &built, &mut edits) {
            return built;
        }
        let mut kept = aside.kept.clone();
        if edits.into_iter().all(|(old, new)| count(&kept, old) == 1 && replace(&mut kept, old, new)) { kept } else { built }
    }
}

/// Collects the strings in which `new` differs from `old`; false where they differ in more.
fn differing<'a>(old: &'a Value, new: &'a Value, edits: &mut Vec<(&'a str, &'a str)>) -> bool {
    match (old, new) {
        (Value::String(old), Value::String(new)) => {
            if old != new {
                edits.push((old, new));
            }
            true
        }
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| differing(old, new, edits))
        }
        (Value::Object(old), Value::Object(new)) => {
            old.len() == new.len() && old.iter().all(|(name, old)| new.get(name).is_some_and(|new| differing(old, new, edits)))
        }
        (old, new) => old == new,
    }
}

/// How often a text stands as a string in `value`.
fn count(value: &Value, text: &str) -> usize {
    match value {
        Value::String(found) => usize::from(found == text),
        Value::Array(list) => list.iter().map(|value| count(value, text)).sum(),
        Value::Object(members) => members.values().map(|value| count(value, text)).sum(),
        _ => 0,
    }
}

/// Replaces the first string that is `old`; whether there was one.
fn replace(value: &mut Value, old: &str, new: &str) -> bool {
    match value {
        Value::String(found) if found == old => {
            new.clone_into(found);
            true
        }
        Value::Array(list) => list.iter_mut().any(|value| replace(value, old, new)),
        Value::Object(members) => members.values_mut().any(|value| replace(value, old, new)),
        _ => false,
    }
}

/// The texts of a list of parts as one, a line apart; of a string, the string.
pub(crate) fn text(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(lines(parts.iter().filter_map(|part| part["text"].as_str()))),
        _ => None,
    }
}

/// Texts as one, a line apart.
pub(crate) fn lines<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_original_comes_back_and_takes_edits_of_its_text() {
        let original = json!({"role": "user", "content": [{"type": "text", "text": "old", "cache_control": {"type": "ephemeral"}}]});
        let shown = json!({"role": "user", "content": "old"});
        assert_eq!(Aside::of(original.clone(), &original), None);
        let aside = Aside::of(shown.clone(), &original).unwrap();
        assert_eq!(Aside::restore(Some(&aside), shown.clone()), original);
        let edited = Aside::restore(Some(&aside), json!({"role": "user", "content": "new"}));
        assert_eq!(edited, json!({"role": "user", "content": [{"type": "text", "text": "new", "cache_control": {"type": "ephemeral"}}]}));
        // Another turn is another turn.
        let other = json!({"role": "user", "content": [{"type": "image"}]});
        assert_eq!(Aside::restore(Some(&aside), other.clone()), other);
        assert_eq!(Aside::restore(None, shown.clone()), shown);
    }

    #[test]
    fn a_text_that_stands_twice_is_not_edited_by_guess() {
        let original = json!({"role": "user", "content": [{"text": "same"}, {"text": "same"}]});
        let aside = Aside::of(json!({"role": "user", "content": "same\nsame"}), &original).unwrap();
        let built = json!({"role": "user", "content": "same\nother"});
        assert_eq!(Aside::restore(Some(&aside), built.clone()), built);
    }
}
