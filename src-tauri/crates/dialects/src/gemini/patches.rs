//! Arguments that come as patches, `{jsonPath, value}`, made into JSON text as it would have been streamed.
//!
//! Models write an object from front to back, so nearly every patch is the next piece of the text. A patch that goes back to what is closed
//! already cannot be appended: from there on nothing is told until the end, and then all of it.

use serde_json::{Map, Value};

/// A member of an object or an element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// What a patch adds to the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) text: String,
    /// It replaces what came before.
    pub(super) whole: bool,
}

/// Arguments as far as they came.
#[derive(Default)]
pub(super) struct Patched {
    tree: Map<String, Value>,
    /// The way to the value written last; what lies on it is still open.
    path: Vec<Step>,
    /// The value written last is a string that goes on.
    in_string: bool,
    /// A patch came that could not be appended.
    scattered: bool,
}

/// Paths longer than this are no arguments of a function.
const DEPTH: usize = 64;

impl Patched {
    /// Takes a patch: `value` is JSON, a string of which `more` may follow. `None` where it fits nowhere.
    pub(super) fn apply(&mut self, path: &str, value: &str, more: bool) -> Option<Fragment> {
        let path = steps(path)?;
        let parsed: Value = serde_json::from_str(value).or_else(|_| serde_json::from_str(&lossy(value))).ok()?;
        let goes_on = self.in_string && path == self.path && parsed.is_string();
        let fresh = !exists(&self.tree, &path);
        let plan = if goes_on { None } else { Some(self.opening(&path)) };
        place(&mut self.tree, &path, parsed, goes_on)?;
        let mut text = String::new();
        match plan {
            None => {}
            Some(Some(opening)) if fresh => text = opening,
            Some(_) => self.scattered = true,
        }
        self.path = path;
        self.in_string = value.starts_with('"') && more;
        if self.scattered {
            return Some(Fragment { text: String::new(), whole: true });
        }
        match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
            Some(content) => {
                if !goes_on {
                    text.push('"');
                }
                text.push_str(content);
                if !more {
                    text.push('"');
                }
            }
            None => text.push_str(value),
        }
        Some(Fragment { text, whole: false })
    }

    /// What stands between the value written last and one at `path`; `None` where that one does not come next.
    fn opening(&self, path: &[Step]) -> Option<String> {
        let mut text = String::new();
        if self.in_string {
            text.push('"');
        }
        let common = self.path.iter().zip(path).take_while(|(a, b)| a == b).count();
        let mut from = common;
        if !self.path.is_empty() {
            match (self.path.get(common)?, path.get(common)?) {
                (Step::Key(_), Step::Key(_)) => {}
                (Step::Index(last), Step::Index(next)) if *next == last + 1 => {}
                _ => return None,
            }
            for step in self.path[common + 1..].iter().rev() {
                text.push(step.brackets().1);
            }
            text.push(',');
            path[common].name(&mut text);
            from += 1;
        }
        for step in &path[from..] {
            if matches!(step, Step::Index(index) if *index > 0) {
                return None;
            }
            text.push(step.brackets().0);
            step.name(&mut text);
        }
        Some(text)
    }

    /// What closes the text.
    pub(super) fn end(self) -> Fragment {
        if self.scattered {
            return Fragment { text: Value::Object(self.tree).to_string(), whole: true };
        }
        if self.path.is_empty() {
            return Fragment { text: "{}".to_owned(), whole: false };
        }
        let quote = if self.in_string { "\"" } else { "" };
        let closing = self.path.iter().rev().map(|step| step.brackets().1);
        Fragment { text: quote.chars().chain(closing).collect(), whole: false }
    }
}

impl Step {
    /// The brackets of what it is a step into.
    fn brackets(&self) -> (char, char) {
        match self {
            Step::Key(_) => ('{', '}'),
            Step::Index(_) => ('[', ']'),
        }
    }

    fn name(&self, text: &mut String) {
        if let Step::Key(key) = self {
            text.push_str(&Value::from(key.as_str()).to_string());
            text.push(':');
        }
    }
}

/// Half surrogate pairs replaced: the tree cannot hold them.
fn lossy(value: &str) -> String {
    let content = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    Value::from(crate::json::unescaped(content).as_ref()).to_string()
}

fn exists(tree: &Map<String, Value>, path: &[Step]) -> bool {
    let mut path = path.iter();
    let Some(Step::Key(key)) = path.next() else {
        return false;
    };
    let mut at = tree.get(key);
    for step in path {
        at = match (at, step) {
            (Some(Value::Object(map)), Step::Key(key)) => map.get(key),
            (Some(Value::Array(list)), Step::Index(index)) => list.get(*index),
            _ => None,
        };
    }
    at.is_some()
}

/// Puts `value` at `path`, or appends it to the string there. `None` where an array would get a hole, or something else is in the way.
fn place(tree: &mut Map<String, Value>, path: &[Step], value: Value, append: bool) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let Step::Key(key) = first else { return None };
    let mut at = tree.entry(key.clone()).or_insert(Value::Null);
    for step in rest {
        if at.is_null() {
            *at = match step {
                Step::Key(_) => Value::Object(Map::new()),
                Step::Index(_) => Value::Array(Vec::new()),
            };
        }
        at = match (at, step) {
            (Value::Object(map), Step::Key(key)) => map.entry(key.clone()).or_insert(Value::Null),
            (Value::Array(list), Step::Index(index)) => {
                if *index == list.len() {
                    list.push(Value::Null);
                }
                list.get_mut(*index)?
            }
            _ => return None,
        };
    }
    match (at, value) {
        (Value::String(known), Value::String(more)) if append => known.push_str(&more),
        (at, value) => *at = value,
    }
    Some(())
}

/// The steps of a JSONPath of names and indices: `$.a.b[0]['c d']`. `None` for any other.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == DEPTH {
            return None;
        }
        if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            steps.push(Step::Key(name.get(..end).filter(|name| !name.is_empty())?.to_owned()));
            rest = &name[end..];
            continue;
        }
        let inner = rest.strip_prefix('[')?;
        match inner.chars().next()? {
            quote @ ('\'' | '"') => {
                let mut name = String::new();
                let mut chars = inner[1..].char_indices();
                let end = loop {
                    match chars.next()? {
                        (at, c) if c == quote => break at,
                        (_, '\\') => name.push(chars.next()?.1),
                        (_, c) => name.push(c),
                    }
                };
                steps.push(Step::Key(name));
                rest = inner[1 + end + 1..].strip_prefix(']')?;
            }
            _ => {
                let (index, after) = inner.split_once(']')?;
                steps.push(Step::Index(index.parse().ok()?));
                rest = after;
            }
        }
    }
    (!steps.is_empty()).then_some(steps)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The text that patches add up to.
    fn run(patches: &[(&str, &str, bool)]) -> String {
        let mut patched = Patched::default();
        let mut text = String::new();
        for (path, value, more) in patches {
            let fragment = patched.apply(path, value, *more).unwrap();
            if !fragment.whole {
                text.push_str(&fragment.text);
            }
        }
        let end = patched.end();
        if end.whole { end.text } else { text + &end.text }
    }

    #[test]
    fn patches_in_order_are_appended() {
        assert_eq!(
            run(&[
                ("$.city", "\"New\"", true),
                ("$.city", "\" York \\\"\"", true),
                ("$.city", "\"!\"", false),
                ("$.days[0]", "1.50", false),
                ("$.days[1]", "2", false),
                ("$['a b'].x[0].y", "true", false),
                ("$['a b'].x[0].z", "null", false),
                ("$['a b'].x[1].y", "\"\"", false),
                ("$.last", "\"open\"", true),
            ]),
            r#"{"city":"New York \"!","days":[1.50,2],"a b":{"x":[{"y":true,"z":null},{"y":""}]},"last":"open"}"#
        );
        assert_eq!(run(&[]), "{}");
    }

    #[test]
    fn a_patch_that_goes_back_gives_the_whole_at_the_end() {
        let text = run(&[("$.a", "\"x\"", true), ("$.b", "1", false), ("$.a", "\"y\"", false), ("$.c.d", "2", false)]);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({"a": "y", "b": 1, "c": {"d": 2}}));
        let mut patched = Patched::default();
        for path in ["", "$", "a", "$.", "$.a[", "$.a[x]", "$.a['", "$[0]", "$.a[1]", "$.a[99999999999]"] {
            assert!(patched.apply(path, "1", false).is_none(), "{path}");
        }
        assert!(patched.apply("$.n", "1", false).is_some());
        assert!(patched.apply("$.n.m", "1", false).is_none(), "a number has no members");
    }

    /// Every leaf of a value as a patch, strings in two pieces.
    fn leaves(value: &Value, path: &str, out: &mut Vec<(String, String, bool)>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| {
                leaves(value, &format!("{path}['{}']", key.replace('\\', "\\\\").replace('\'', "\\'")), out);
            }),
            Value::Array(list) => list.iter().enumerate().for_each(|(at, value)| leaves(value, &format!("{path}[{at}]"), out)),
            Value::String(text) => {
                let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
                out.push((path.to_owned(), Value::from(&text[..middle]).to_string(), true));
                out.push((path.to_owned(), Value::from(&text[middle..]).to_string(), false));
            }
            other => out.push((path.to_owned(), other.to_string(), false)),
        }
    }

    fn member() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), any::<i32>().prop_map(Value::from), ".{0,6}".prop_map(Value::from)];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
                prop::collection::vec(("[a-z'\\\\. é]{1,4}", inner), 1..4).prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn patches_of_a_value_give_the_value(members in prop::collection::vec(("[a-z.\\[]{1,3}", member()), 0..4)) {
            let value = Value::Object(members.into_iter().collect());
            let mut patches = Vec::new();
            leaves(&value, "$", &mut patches);
            let patches: Vec<_> = patches.iter().map(|(path, value, more)| (path.as_str(), value.as_str(), *more)).collect();
            prop_assert_eq!(serde_json::from_str::<Value>(&run(&patches)).unwrap(), value);
        }

        #[test]
        fn no_path_breaks_it(path in ".{0,12}", value in prop_oneof![Just("1"), Just("\"a\""), Just("\"\\ud83d\"")]) {
            let mut patched = Patched::default();
            let _ = patched.apply("$.a", "\"x\"", true);
            let _ = patched.apply(&path, value, false);
            let _ = patched.end();
        }
    }
}
