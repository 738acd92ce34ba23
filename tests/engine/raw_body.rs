//! A body that is typed whole, and the form beside it.

use weir_dialects::Transport;
use weir_tests::desk::{Desk, draft};

#[tokio::test]
async fn a_body_takes_the_transport_along_both_ways() {
    let desk = Desk::new();
    for (dialect, path, asked) in [
        ("openai-chat", "/v1/chat/completions", r#""messages":[{"role":"user","content":"Hi"}]"#),
        ("openai-responses", "/v1/responses", r#""input":[{"role":"user","content":"Hi"}]"#),
        ("anthropic-messages", "/v1/messages", r#""max_tokens":9,"messages":[{"role":"user","content":"Hi"}]"#),
        ("cohere", "/v2/chat", r#""messages":[{"role":"user","content":"Hi"}]"#),
    ] {
        for (stream, means) in [("", Transport::Http), (r#","stream":true"#, Transport::Sse)] {
            let body = format!(r#"{{"model":"m",{asked}{stream}}}"#);
            for from in [Transport::Http, Transport::Sse] {
                let draft = draft(&format!("http://127.0.0.1:9{path}"), dialect, from);
                let found = desk.engine().read_body(&draft, &body).unwrap();
                assert_eq!(found.transport, means, "{dialect} from {from:?}: {body}");
                assert!(!found.ask.params.extra.contains_key("stream"), "{dialect}: {:?}", found.ask.params.extra);
                assert_eq!(found.ask.messages[0].text, "Hi");
            }
        }
    }
}
