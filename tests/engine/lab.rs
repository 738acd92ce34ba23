//! The Lab as peer: what it meant to say is what Weir decoded, on every road.

use weir_dialects::{Tool, Transport};
use weir_lab::{Pace, Script, Settings, Switch};
use weir_sessions::view::{BlockKind, Draft, OutcomeKind};
use weir_tests::desk::{Desk, draft};

use super::captures::{CHAT, RESPONSES, quick_lab};

fn tools() -> Vec<Tool> {
    let parameters = serde_json::json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]});
    vec![Tool { name: "weather".into(), description: "Tells the weather.".into(), parameters }]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_is_what_was_decoded() {
    use Transport::{Http, Sse, Websocket};
    let (lab, desk) = (quick_lab().await, Desk::new());
    let settings =
        Settings { pace: Pace { ttft_ms: 0, tokens_per_second: 0.0, reply_tokens: 60, ..Pace::default() }, ..Settings::default() };
    let roads = [
        (CHAT, "openai-chat", Http),
        (CHAT, "openai-chat", Sse),
        (RESPONSES, "openai-responses", Http),
        (RESPONSES, "openai-responses", Sse),
        (RESPONSES, "openai-responses", Websocket),
    ];
    for (path, dialect, transport) in roads {
        for model in ["lab/steady", "lab/reasoner", "lab/tools", "lab/refuser"] {
            for http in if transport == Websocket { vec!["1.1"] } else { vec!["1.1", "2"] } {
                let what = format!("{dialect} {} {model} over {http}", transport.name());
                let scheme = if transport == Websocket { "ws" } else { "http" };
                let mut draft: Draft = draft(&format!("{scheme}://{}{path}", lab.address()), dialect, transport);
                draft.http = http.into();
                draft.ask.model = model.into();
                if model == "lab/tools" {
                    draft.ask.tools = tools();
                }
                let session = desk.run(&draft).await;
                let outcome = session.outcome().expect("it is over");
                assert_eq!(outcome.kind, OutcomeKind::Complete, "{what}: {outcome:?}");
                let call = &session.plan().call;
                let body = if transport == Websocket { &call.messages[0].text } else { &call.body };
                let script = Script::for_request(path, &weir_lab::HeaderMap::new(), transport == Websocket, body.as_bytes(), &settings)
                    .expect("the Lab takes it");
                let analysis = session.analysis();
                let folded = &analysis.fold.folded;
                assert_eq!(folded.text(BlockKind::Text), script.text(), "{what}");
                assert_eq!(folded.text(BlockKind::Reasoning), script.reasoning(), "{what}");
                assert_eq!(folded.text(BlockKind::Refusal), script.refusal(), "{what}");
                let calls: Vec<_> = folded.tool_calls().into_iter().map(|call| (call.id, call.name, call.arguments)).collect();
                let meant: Vec<_> =
                    script.tool_calls().iter().map(|call| (call.id.clone(), call.name.clone(), call.arguments.text().to_owned())).collect();
                assert_eq!(calls, meant, "{what}");
                assert_eq!(calls.is_empty(), model != "lab/tools", "{what}");
                let usage = folded.facts.usage.clone().unwrap_or_else(|| panic!("{what}: no usage"));
                let meant = script.usage();
                assert_eq!((usage.input_tokens, usage.output_tokens), (Some(meant.prompt as u64), Some(meant.completion as u64)), "{what}");
                if meant.reasoning > 0 {
                    assert_eq!(usage.reasoning_tokens, Some(meant.reasoning as u64), "{what}");
                }
                let spoke = if transport == Websocket { Some("1.1") } else { Some(http) };
                assert_eq!(analysis.http(), spoke, "{what}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_the_middle_keeps_what_was_said() {
    let (lab, desk) = (quick_lab().await, Desk::new());
    for (path, dialect) in [(CHAT, "openai-chat"), (RESPONSES, "openai-responses")] {
        let mut draft = draft(&format!("http://{}{path}", lab.address()), dialect, Transport::Sse);
        draft.ask.model = "lab/error-mid-stream".into();
        let session = desk.run(&draft).await;
        let outcome = session.outcome().expect("it is over");
        assert_eq!(outcome.kind, OutcomeKind::Failed, "{outcome:?}");
        assert_eq!(outcome.problem.as_ref().map(|problem| problem.blame.as_str()), Some("peer"));
        assert!(!session.analysis().fold.folded.text(BlockKind::Text).is_empty(), "{dialect}: what was said before is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_window_shows_as_a_stall() {
    let (lab, desk) = (quick_lab().await, Desk::new());
    let switch = Switch { id: "small-window".into(), on: true, value: 20_000 };
    lab.set_settings(Settings { faults: vec![switch], ..lab.settings() });
    let mut draft = Draft { http: "2".into(), ..draft(&format!("http://{}{CHAT}", lab.address()), "openai-chat", Transport::Sse) };
    // More than may leave before the Lab's settings come (RFC 9113 §6.9.2).
    draft.ask.messages[0].text = "a weir ".repeat(15_000);
    let session = desk.run(&draft).await;
    assert_eq!(session.outcome().expect("it is over").kind, OutcomeKind::Complete);
    let analysis = session.analysis();
    let (stalls, nanos) = analysis.fold.windows.stalled(true, 0);
    assert!(stalls > 0 && nanos >= 50_000_000, "{stalls} stalls, {nanos} ns");
    assert_eq!(analysis.fold.windows.stalled(false, 0).0, 0, "what is received is not held up");
    drop(analysis);
    assert!(session.rows("window<=0 dir:out", 0, 1).expect("a filter").matching > 0);
}
