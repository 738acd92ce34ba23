use proptest::prelude::*;

use super::*;

object_of! {
    Some3 {
        a: "a",
        b: "b",
        c: "c d",
    }
}

#[test]
fn members_are_found_where_they_stand() {
    let text = "\u{feff} {\"a\" : \"x\\ny\" ,\"z\":[{\"a\":1}],\"b\":null, \"c\\u0020d\":{\"b\":[]}}\n";
    let source = Source::new(text);
    let found: Some3<'_> = object(source.text).unwrap();
    assert_eq!(found.a.and_then(string).unwrap(), "x\ny");
    assert_eq!(&text[source.place(found.a.unwrap())], "x\\ny");
    assert!(found.b.is_none());
    assert_eq!(&text[source.place(found.c.unwrap())], "{\"b\":[]}");
}

#[test]
fn the_last_of_two_members_counts() {
    let found: Some3<'_> = object(r#"{"a":1,"a":2,"b":3,"b":null}"#).unwrap();
    assert_eq!(count(found.a), Some(2));
    assert!(found.b.is_none());
}

#[test]
fn escapes_are_undone_and_half_pairs_replaced() {
    assert_eq!(unescaped(r#"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"#), "\"\\/\u{8}\u{c}\n\r\té😀");
    assert_eq!(unescaped(r"a\ud800b"), "a\u{fffd}b");
    assert_eq!(unescaped(r"\ude00\ud83d"), "\u{fffd}\u{fffd}");
    assert_eq!(unescaped(r"\ud83d\ud83d\ude00"), "\u{fffd}😀");
    assert_eq!(unescaped(r"\ud83d\n"), "\u{fffd}\n");
    assert!(matches!(unescaped("é plain \u{2028}"), Cow::Borrowed(_)));
}

#[test]
fn counts_are_read_leniently() {
    for (text, expected) in [
        ("3", Some(3)),
        ("3.0", Some(3)),
        ("\"12\"", Some(12)),
        ("-1", None),
        ("\"x\"", None),
        ("18446744073709551615", Some(u64::MAX)),
        ("true", None),
    ] {
        assert_eq!(count(Some(value(text).unwrap())), expected, "{text}");
    }
}

#[test]
fn truth_is_javascripts_with_empty_containers_false() {
    for (text, expected) in [
        ("false", false),
        ("0", false),
        ("\"\"", false),
        ("{ }", false),
        ("[]", false),
        ("{\"a\":1}", true),
        ("[0]", true),
        ("\"x\"", true),
        ("true", true),
    ] {
        assert_eq!(truthy(Some(value(text).unwrap())).is_some(), expected, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_in_words() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(value(&deep).unwrap_err(), "it is nested too deep");
    let fine = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert!(value(&fine).is_ok());
    assert!(value(&"{\"a\":".repeat(100_000)).is_err());
}

#[test]
fn bytes_that_are_no_utf8_cost_the_places_only() {
    Source::with(b"{\"a\":\"x\xff\"}", |source| {
        let found: Some3<'_> = object(source.text).unwrap();
        assert_eq!(found.a.and_then(string).unwrap(), "x\u{fffd}");
        assert_eq!(source.place(found.a.unwrap()), 0..0);
    });
}

/// JSON and near-JSON: tokens of the grammar in any order, which are often well-formed and more often just not.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just(" "),
        Just("\n"),
        Just("null"),
        Just("true"),
        Just("fals"),
        Just("0"),
        Just("01"),
        Just("-1.5e+3"),
        Just("1."),
        Just("-"),
        Just("\"a\""),
        Just("\"\\u12g4\""),
        Just("\"\\ud800\""),
        Just("\"\\x\""),
        Just("\"tab\t\""),
        Just("\"long enough for eight é\\n\""),
        Just("\""),
        Just("\u{b}"),
    ];
    proptest::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(|n| serde_json::json!(n)),
        ".*".prop_map(Into::into)
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::vec((".*", inner), 0..6).prop_map(|members| serde_json::Value::Object(members.into_iter().collect()))
        ]
    })
}

proptest! {
    #[test]
    fn well_formedness_is_as_serde_json_sees_it(text in prop_oneof![tokens(), values().prop_map(|value| value.to_string()), values().prop_map(|value| format!("{value:#}"))], cut in any::<prop::sample::Index>()) {
        // IgnoredAny checks the grammar and nothing else, so both must agree.
        let oracle = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        prop_assert_eq!(value(&text).is_ok(), oracle(&text), "{}", text);
        let mut at = cut.index(text.len() + 1);
        while !text.is_char_boundary(at) { at -= 1 }
        prop_assert_eq!(value(&text[..at]).is_ok(), oracle(&text[..at]), "{}", &text[..at]);
    }

    #[test]
    fn strings_are_unescaped_as_serde_json_does(text in ".*") {
        let sent = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(string(value(&sent).unwrap()).unwrap(), text);
    }

    #[test]
    fn unescaping_never_panics(text in r#"[\\u0-9a-fDdé"n]*"#) {
        let _ = unescaped(&text);
    }
}

mod only {
    use super::super::*;

    object_of! {
        /// An element.
        Element {
            name: "name",
        }
    }

    object_of! {
        /// An object with a list.
        Listed {
            list: "list",
            other: "other",
        }
        only element: Element = "list"
    }

    /// The list as it was sent, and the name of its only element.
    fn read(text: &str) -> Option<(Option<&str>, Option<&str>)> {
        let listed = object::<Listed<'_>>(text)?;
        let name = listed.element.as_ref().map(|element| element.name.map_or("", Raw::get));
        assert!(listed.other.is_none_or(|other| other.get() == "7"));
        Some((listed.list.map(Raw::get), name))
    }

    #[test]
    fn a_list_of_one_object_is_read_in_the_same_walk() {
        assert_eq!(
            read(r#"{"list": [ {"name": "a", "x": [{}]} ], "other": 7}"#),
            Some((Some(r#"[ {"name": "a", "x": [{}]} ]"#), Some(r#""a""#)))
        );
        assert_eq!(read(r#"{"list":[{"name":null}]}"#), Some((Some(r#"[{"name":null}]"#), Some(""))));
    }

    #[test]
    fn any_other_list_is_left_to_a_second_walk() {
        for list in ["[]", r#"[{"name":1},{"name":2}]"#, r#"[{"name":1},2]"#, "[1]", r#"{"name":1}"#, "3", r#""[{}]""#] {
            assert_eq!(read(&format!(r#"{{"list":{list},"other":7}}"#)), Some((Some(list), None)), "{list}");
        }
        assert_eq!(read(r#"{"list":null}"#), Some((None, None)));
        // The last of two counts, also where it is none.
        assert_eq!(read(r#"{"list":[{"name":1}],"list":null}"#), Some((None, None)));
        assert_eq!(read(r#"{"list":[1],"list":[{"name":2}]}"#), Some((Some(r#"[{"name":2}]"#), Some("2"))));
    }

    #[test]
    fn what_is_not_json_is_not_read() {
        for text in [
            r#"{"list":[{"name":1}"#,
            r#"{"list":[{"name":}]}"#,
            r#"{"list":[{"name" 1}]}"#,
            r#"{"list":[{"name":1},]}"#,
            r#"{"list":[{"name":1}]} x"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
