use super::*;

fn wish(tokens: usize, transport: Transport, seed: u64) -> Wish<'static> {
    Wish {
        kind: Reply::Lesson,
        transport,
        prompt: "Why is the sky blue at noon and red at dusk, tell me?",
        tokens,
        seed,
        split_clusters: false,
    }
}

const TRANSPORTS: [Transport; 6] =
    [Transport::Http, Transport::Sse, Transport::Ndjson, Transport::Ws, Transport::Eventstream, Transport::Array];

#[test]
fn a_reply_is_exactly_as_long_as_asked() {
    for transport in TRANSPORTS {
        for seed in 0..6 {
            for tokens in (0..400).chain([1000, 5000]) {
                assert_eq!(text(&wish(tokens, transport, seed)).len(), tokens, "{transport:?} {seed} {tokens}");
            }
        }
    }
}

#[test]
fn all_units_begin_and_end_at_token_borders() {
    for topic in lessons::TOPICS {
        let units: Vec<&str> = topic.short.iter().chain(topic.sections.iter()).copied().flatten().copied().collect();
        let joined: String = units.concat();
        assert_eq!(count(&joined), units.iter().map(|u| count(u)).sum::<usize>(), "{}", topic.name);
    }
}

#[test]
fn a_reply_ends_with_a_sentence() {
    for tokens in 40..300 {
        let reply = text(&wish(tokens, Transport::Sse, 7));
        // An item of a list is as good an end.
        let line = reply.text().lines().last().unwrap();
        if line.starts_with("- ") || line.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let last = reply.text().trim_end().chars().last().unwrap();
        assert!(
            ".`|!?:…”*_)".contains(last) || reply.text().ends_with("Done") || last > '\u{7f}',
            "{tokens}: {:?}",
            &reply.text()[reply.text().len().saturating_sub(60)..]
        );
    }
}

#[test]
fn the_first_sentence_quotes_the_prompt_and_the_text_names_the_protocol() {
    for (transport, name) in [
        (Transport::Sse, "Server-Sent Events"),
        (Transport::Ws, "WebSocket"),
        (Transport::Http, "HTTP"),
        (Transport::Ndjson, "NDJSON"),
        (Transport::Eventstream, "event stream"),
        (Transport::Array, "JSON array"),
    ] {
        for seed in 0..4 {
            let reply = text(&wish(600, transport, seed));
            let first = reply.text().lines().next().unwrap();
            assert!(first.contains("“Why is the sky blue at noon and…”"), "{first}");
            assert!(reply.text().contains(name), "{transport:?}");
        }
    }
}

#[test]
fn a_long_reply_shows_every_kind_of_markdown() {
    for transport in TRANSPORTS {
        let reply = text(&wish(900, transport, 3));
        for mark in ["\n## ", "\n- ", "\n1. ", "\n```", "\n| ", "\n> ", "👩‍👩‍👧‍👦"] {
            assert!(reply.text().contains(mark), "{transport:?} lacks {mark:?}");
        }
        assert!(reply.text().chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{transport:?} lacks CJK");
    }
}

#[test]
fn seeds_vary_the_reply_and_repeat_it() {
    let one = text(&wish(300, Transport::Sse, 1));
    assert_eq!(one, text(&wish(300, Transport::Sse, 1)));
    let distinct: std::collections::BTreeSet<String> = (0..20).map(|s| text(&wish(300, Transport::Sse, s)).text().to_string()).collect();
    assert!(distinct.len() > 5);
}

#[test]
fn an_empty_or_strange_prompt_is_no_trouble() {
    for prompt in ["", "  \n", "\u{7}", "x\u{2028}y", &"long".repeat(1000)] {
        let wish = Wish { prompt, ..wish(100, Transport::Sse, 7) };
        assert_eq!(text(&wish).len(), 100);
        assert!(!reasoning(&wish).is_empty());
        assert!(!refusal(&wish).is_empty());
    }
}

#[test]
fn echo_says_the_prompt_back() {
    let wish = Wish { kind: Reply::Echo, ..wish(12, Transport::Sse, 7) };
    assert!(text(&wish).text().starts_with("Why is the sky blue"));
}

#[test]
fn no_heading_or_announcement_is_left_dangling() {
    for transport in TRANSPORTS {
        for tokens in 60..500 {
            let reply = text(&wish(tokens, transport, 5));
            let blocks: Vec<&str> = reply.text().split("\n\n").collect();
            for pair in blocks.windows(2) {
                let filler = pair[1].starts_with("The clock began") || pair[1].starts_with("Change the pace");
                assert!(!(pair[0].starts_with("## ") && filler), "{tokens}: {:?}", pair[0]);
            }
            assert!(!blocks.last().unwrap().starts_with("## ") && !reply.text().ends_with(':'), "{tokens}");
        }
    }
}

#[test]
fn the_example_response_counts_its_bytes_right() {
    let http: String = lessons::topic(Transport::Http).sections.iter().copied().flatten().copied().collect();
    let example = http.split("content-length: ").nth(1).unwrap();
    let (length, rest) = example.split_once("\n\n").unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), rest.split('\n').next().unwrap().len());
}
