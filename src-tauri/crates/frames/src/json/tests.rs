use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::*;

/// Path-like account of a document's nodes.
fn told(text: &str) -> Vec<String> {
    let (nodes, error) = parse(text.as_bytes());
    assert_eq!(error, None);
    let cut = |span: Span| &text[span.start as usize..span.end as usize];
    nodes
        .iter()
        .map(|node| {
            let parent = node.parent.map_or("-".to_owned(), |parent| parent.to_string());
            let key = node.key.map_or("", cut);
            format!("{parent}.{} {key} {:?} {}", node.index, node.kind, cut(node.span))
        })
        .collect()
}

#[track_caller]
fn fails(input: impl AsRef<[u8]>, at: u64, rule: &str, incomplete: bool) {
    let error = parse(input.as_ref()).1.expect("an error");
    assert_eq!((error.at, error.incomplete), (at, incomplete), "{error:?}");
    assert!(error.message.contains(rule), "{error:?}");
}

#[test]
fn values_with_their_ranges() {
    assert_eq!(
        told(r#" {"a":[1, -2.5e+3,"x"],"a":{},"b":null} "#),
        [
            r#"-.0  Object {"a":[1, -2.5e+3,"x"],"a":{},"b":null}"#,
            r#"0.0 "a" Array [1, -2.5e+3,"x"]"#,
            "1.0  Number 1",
            "1.1  Number -2.5e+3",
            "1.2  String \"x\"",
            r#"0.1 "a" Object {}"#,
            r#"0.2 "b" Null null"#,
        ]
    );
    assert_eq!(told("true"), ["-.0  Bool true"]);
    assert_eq!(told("\"\\ud800\""), ["-.0  String \"\\ud800\""], "a lone surrogate is kept");
    assert_eq!(told("1e999999"), ["-.0  Number 1e999999"]);
}

#[test]
fn documents_one_after_another() {
    assert_eq!(told("1 2\n[3]"), ["-.0  Number 1", "-.1  Number 2", "-.2  Array [3]", "2.0  Number 3"]);
    assert_eq!(
        told("{}{}[]\"a\"\"b\"1\"c\""),
        [
            "-.0  Object {}",
            "-.1  Object {}",
            "-.2  Array []",
            "-.3  String \"a\"",
            "-.4  String \"b\"",
            "-.5  Number 1",
            "-.6  String \"c\"",
        ]
    );
    fails("truefalse", 4, "§2", false);
    fails("1 ,2", 2, "§3", false);
    fails("{} }", 3, "§3", false);
    let second_of = |text: &str| second(&parse(text.as_bytes()).0);
    assert_eq!((second_of("[1,2] [3] 4"), second_of("[1,[2]]"), second_of("")), (Some(6), None, None));
    assert!(is_value(b" {} ") && !is_value(b"1 2") && !is_value(b"") && !is_value(b"{"));
}

#[test]
fn broken_rules() {
    fails("", 0, "§2", true);
    fails("  ", 2, "§2", true);
    fails("{", 1, "§4", true);
    fails("{\"a\"", 4, "colon", true);
    fails("{\"a\" 1}", 5, "colon", false);
    fails("{\"a\":", 5, "§3", true);
    fails("{\"a\":1,}", 7, "§4", false);
    fails("{,}", 1, "§4", false);
    fails("{a:1}", 1, "§4", false);
    fails("[1,]", 3, "§3", false);
    fails("[,1]", 1, "§3", false);
    fails("[1 2]", 3, "§5", false);
    fails("[1}", 2, "§5", false);
    fails("{\"a\":1]", 6, "§4", false);
    fails("[", 1, "§3", true);
    fails("]", 0, "§3", false);
    fails("tru", 3, "§3", true);
    fails("trux", 3, "§3", false);
    fails("NaN", 0, "§3", false);
    fails("-", 1, "§6", true);
    fails("-a", 1, "§6", false);
    fails("+1", 0, "§3", false);
    fails("01", 1, "leading", false);
    fails("-01", 2, "leading", false);
    fails("1.", 2, "§6", true);
    fails(".5", 0, "§3", false);
    fails("1.e5", 2, "§6", false);
    fails("1e", 2, "§6", true);
    fails("1e+", 3, "§6", true);
    fails("1x", 1, "§2", false);
    fails("0x10", 1, "§2", false);
    fails("\"", 1, "§7", true);
    fails("\"a\nb\"", 2, "control", false);
    fails("\"\\x\"", 2, "escape", false);
    fails("\"\\", 2, "escape", true);
    fails("\"\\u12", 5, "§7", true);
    fails("\"\\u12g4\"", 5, "§7", false);
    fails("'a'", 0, "§3", false);
    fails("\u{feff}1", 0, "byte order mark", false);
    fails(b"\"a\xFF\"", 2, "UTF-8", false);
    fails(b"\"a\xE2\x82", 2, "UTF-8", true);
    fails(b"{\"\xC0\xAF\":1}", 2, "UTF-8", false);
    fails(b"[1]\xFF", 3, "§3", false);
    fails("/**/1", 0, "§3", false);
}

#[test]
fn what_came_before_an_error_is_kept() {
    let (nodes, error) = parse(b"{\"a\":[1,2,x");
    assert_eq!(error.map(|error| error.at), Some(10));
    let spans: Vec<_> = nodes.iter().map(|node| (node.kind, node.span.start, node.span.end)).collect();
    assert_eq!(spans, [(Kind::Object, 0, 10), (Kind::Array, 5, 10), (Kind::Number, 6, 7), (Kind::Number, 8, 9)]);
}

#[test]
fn depth_costs_no_stack() {
    const DEPTH: usize = 100_000;
    let text = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
    let (nodes, error) = parse(text.as_bytes());
    assert_eq!((nodes.len(), error), (DEPTH, None));
    assert_eq!(nodes[DEPTH - 1].span, Span::new(DEPTH as u64 - 1, DEPTH as u64 + 1));
    assert!(parse("{\"a\":".repeat(DEPTH).as_bytes()).1.is_some_and(|error| error.incomplete));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}|[\\x00-\\x20\"\\\\/]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("\\PC{0,4}", inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The node's slice says the same as the value it stands for, all the way down.
fn agrees(text: &str, nodes: &[Node], node: usize, value: &Value) -> bool {
    let slice = &text[nodes[node].span.start as usize..nodes[node].span.end as usize];
    let children: Vec<usize> = (0..nodes.len()).filter(|&child| nodes[child].parent == Some(node as u32)).collect();
    let ordered = children.iter().enumerate().all(|(index, &child)| nodes[child].index == index as u32);
    serde_json::from_str::<Value>(slice).is_ok_and(|parsed| parsed == *value)
        && ordered
        && match (value, nodes[node].kind) {
            (Value::Null, Kind::Null)
            | (Value::Bool(_), Kind::Bool)
            | (Value::Number(_), Kind::Number)
            | (Value::String(_), Kind::String) => children.is_empty(),
            (Value::Array(values), Kind::Array) => {
                values.len() == children.len() && values.iter().zip(children).all(|(value, child)| agrees(text, nodes, child, value))
            }
            (Value::Object(members), Kind::Object) => {
                members.len() == children.len()
                    && members.iter().zip(children).all(|((key, value), child)| {
                        let span = nodes[child].key.expect("a member has a key");
                        serde_json::from_str::<String>(&text[span.start as usize..span.end as usize]).ok().as_ref() == Some(key)
                            && agrees(text, nodes, child, value)
                    })
            }
            _ => false,
        }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn ranges_are_those_of_serde_json(value in value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("a value can be written");
        let value: Value = serde_json::from_str(&text).expect("what was written can be read");
        let (nodes, error) = parse(text.as_bytes());
        prop_assert_eq!(error, None);
        prop_assert!(agrees(&text, &nodes, 0, &value), "{}", text);
    }

    /// serde_json skipping a value judges only the grammar: no number is too big for it, no surrogate too lonely.
    #[test]
    fn accepts_what_serde_json_accepts(shards in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\\", "\\u12fF", "\\n", "1", "0", "-", ".", "e", "E+", "true", "null", "fals", " ", "\n", "é", "\u{1}", "x",
    ]), 0..12)) {
        let text = shards.concat();
        prop_assert_eq!(is_value(text.as_bytes()), serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{}", text);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let (nodes, error) = parse(&bytes);
        prop_assert!(nodes.iter().all(|node| node.span.start < node.span.end && node.span.end <= bytes.len() as u64));
        prop_assert!(error.is_none_or(|error| error.at <= bytes.len() as u64));
    }
}
