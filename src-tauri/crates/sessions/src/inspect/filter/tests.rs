use super::path::Condition;
use super::pattern::{Pattern, contains};
use super::payload::unescaped;
use super::*;

fn terms(source: &str) -> Vec<Expression> {
    match parse(source).unwrap().expression.unwrap() {
        Expression::All(members) => members,
        other => vec![other],
    }
}

fn holds(condition: &str, data: &str) -> bool {
    Condition::parse(condition).unwrap_or_else(|why| panic!("{condition}: {why}")).holds(data.as_bytes())
}

#[test]
fn the_design_example_parses() {
    let source = r#"layer:sse kind:text,tool event:delta dir:in size>400 gap>50ms time:1.7..2.9s "error" -kind:usage"#;
    let terms = terms(source);
    assert_eq!(terms.len(), 9);
    let has = |test: Test| terms.contains(&Expression::Test(test));
    assert!(has(Test::Kind(vec![Kind::Text, Kind::ToolCall])));
    assert!(has(Test::Size(401, u64::MAX)));
    assert!(has(Test::Gap(50_000_001, u64::MAX)));
    assert!(has(Test::Time(1_700_000_000, 2_900_000_000)));
    assert!(terms.contains(&Expression::Not(Box::new(Expression::Test(Test::Kind(vec![Kind::Usage]))))));
    // What has to read bytes is asked last.
    assert_eq!(terms.last(), Some(&Expression::Test(Test::Text("error".into()))));
    let filter = parse(source).unwrap();
    assert!(!filter.wants_carriers() && filter.reads_payload());
    assert!(parse("layer:chunk").unwrap().wants_carriers());
    assert!(parse("-(-layer:chunk OR dir:in)").unwrap().wants_carriers());
    assert!(!parse("-layer:chunk").unwrap().wants_carriers());
    assert!(parse("  ").unwrap().is_empty());
}

#[test]
fn terms_group_and_binds_before_or() {
    let same = |a: &str, b: &str| assert_eq!(parse(a).unwrap(), parse(b).unwrap(), "{a} is {b}");
    same("dir:in size>4 OR kind:text", "(dir:in size>4) OR kind:text");
    same("((dir:in))", "dir:in");
    assert_ne!(parse("dir:in (size>4 OR kind:text)").unwrap(), parse("dir:in size>4 OR kind:text").unwrap());
    // Blanks and parentheses inside quotes, expressions and words are theirs.
    assert_eq!(terms("/a b[)]/ \"c (d\" f(x)").len(), 3);
    assert_eq!(terms("(f(x))"), [Expression::Test(Test::Text("f(x)".into()))]);
    assert_eq!(terms("json:$['a) b'] dir:in").len(), 2);
    assert_eq!(terms("(json:$.a~/x y[)]/i)").len(), 1);
    assert_eq!(terms("\"OR\""), [Expression::Test(Test::Text("OR".into()))]);
}

#[test]
fn errors_name_the_term_in_utf16() {
    for (source, range, word) in [
        ("😀 kind:txt", (3, 11), "txt"),
        ("dir:in 😀 /a(/", (10, 14), "group"),
        ("dir:in OR", (7, 9), "behind"),
        ("OR dir:in", (0, 2), "before"),
        ("dir:in (kind:text", (7, 8), "closing"),
        ("dir:in )", (7, 8), "open"),
        ("()", (1, 2), "between"),
        ("/v1/messages", (0, 12), "quote"),
        ("/v1", (0, 3), "missing"),
        ("-json:usage", (0, 11), "$"),
        ("json:$.a~stop", (0, 13), "slashes"),
        ("json:$.a>x", (0, 10), "number"),
        ("json:$[1:2]", (0, 11), "slices"),
        ("json:$.a-b", (0, 10), "stand"),
    ] {
        let error = parse(source).unwrap_err();
        assert_eq!((error.start, error.end), range, "{source}: {}", error.message);
        assert!(error.message.contains(word), "{source}: {}", error.message);
    }
    for bad in [
        "size>x",
        "dir:up",
        "gap<0",
        "foo:bar",
        "time:3..2s",
        "\"",
        "kind:",
        "kind>text",
        "//",
        "/a/g",
        "json:$.",
        "json:$['a",
        "json:$.a=",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    assert!(parse(&"(".repeat(50_000)).is_err());
    // An expression that would take gigabytes says so.
    assert!(parse(r"/(\w{500}){500}/").unwrap_err().message.contains("large"));
}

#[test]
fn text_is_found_in_either_case() {
    let found = |text: &str, words: &str| contains(text.as_bytes(), words.as_bytes());
    assert!(found("Hello World", "WORLD"));
    assert!(found("aab", "ab"));
    assert!(!found("aa", "aab"));
    assert!(Pattern::parse("/w.r[l/]d/i").unwrap().is_match(b"Hello WOR/D"));
    assert!(!Pattern::parse("/world/").unwrap().is_match(b"WORLD"));
    assert!(Pattern::parse(r"/a\/b/").unwrap().is_match(b"a/b"));
    assert!(Pattern::parse("/^.$/").unwrap().is_match("ü".as_bytes()));
}

#[test]
fn escapes_are_resolved() {
    assert_eq!(unescaped(br#"a\u00fcb\n\"\\u"#).as_ref(), "aüb\n\"\\u".as_bytes());
    assert_eq!(unescaped(br"\ud83d\ude00!").as_ref(), "😀!".as_bytes());
    for kept in [r"\ud83d", r"\ud83dx", r"\u12", r"\x", "\\"] {
        assert_eq!(unescaped(kept.as_bytes()).as_ref(), kept.as_bytes());
    }
}

#[test]
fn paths_lead_where_rfc_9535_says() {
    let document = r#"{"type":"ping","choices":[{"delta":{"content":"Hi","a-b":1},"finish_reason":"stop_sequence"},{"x":null}],
        "usage":{"total_tokens":128},"id":9007199254740993,"k":"one","k":"two","fl":1.5e2,"ok":true}"#;
    for yes in [
        "$",
        "$.choices[0].delta.content",
        "$['choices'][0]",
        "$.choices[-2].delta",
        "$.choices[*].x",
        "$.*",
        "$..content",
        "$..[1]",
        "$.choices[0].delta['a-b']=1",
        "$.usage.total_tokens>100",
        "$.usage.total_tokens>=128",
        "$.usage.total_tokens<129",
        "$.type=\"ping\"",
        "$.type=ping",
        "$.type=pong,ping",
        "$.type!=pong",
        "$..finish_reason~/stop/",
        "$..finish_reason~/STOP/i",
        "$.id=9007199254740993",
        "$.k=one",
        "$.k=two",
        "$.fl=150",
        "$.fl>149.5",
        "$.ok=true",
        "$.choices[1].x=null",
        "$..*~/^two$/",
        r#"$["type"]"#,
        "$.type==ping",
    ] {
        assert!(holds(yes, document), "{yes}");
    }
    for no in [
        "$.content",
        "$.choices[2]",
        "$.choices[-3]",
        "$.choices.delta",
        "$.choices=1",
        "$.usage.total_tokens>128",
        "$.type>1",
        "$.type=\"pin\"",
        "$.id=9007199254740992",
        "$.ok=\"true\"",
        "$.type!=ping",
        "$.choices~/Hi/",
        "$.x",
    ] {
        assert!(!holds(no, document), "{no}");
    }

    assert!(holds("$.ab=\"ü\"", r#"{"\u0061b":"\u00fc"}"#));
    assert!(!holds("$.a", "not JSON {"));
    assert!(holds("$.a", r#"{"a":1,"#), "what stands before a fault counts");
}
