use weir_dialects::Transport;
use weir_transport::redact::Patterns;

use super::kept::{starred_json, starred_names, starred_value};
use super::*;
use crate::view::{Draft, Settings};

fn line(name: &str, value: &str) -> HeaderLine {
    HeaderLine { name: name.into(), value: value.into() }
}

fn exposed(secrets: &[Secret]) -> Vec<&str> {
    secrets.iter().map(Secret::expose).collect()
}

#[test]
fn in_fields() {
    let headers = [
        line("Authorization", "Bearer abc-123"),
        line("authorization", "Token deep-gram"),
        line("X-Api-Key", "k42k42"),
        line("Cookie", "sid=s3ss10n; theme=dark"),
        line("Accept", "text/event-stream"),
        line("Proxy-Authorization", "{key}"),
        line("Idempotency-Key", "again"),
        line("x-lab-tokens-per-event", "9"),
        line("Sec-WebSocket-Protocol", "realtime"),
        line("X-CSRFToken", "csrf"),
    ];
    assert_eq!(exposed(&of_headers(&headers)), ["abc-123", "deep-gram", "k42k42", "s3ss10n", "dark", "csrf"]);
    assert_eq!(starred_value("Authorization", "Bearer abc-123"), "Bearer *******");
    assert_eq!(starred_value("Cookie", "sid=s3ss10n; theme=dark"), "sid=*******; theme=****");
    assert_eq!(starred_value("X-Stars", "abc-123"), "abc-123");
    assert!(whole(&[line("authorization", "Bearer *******")], &[], &[], &[]).is_err());
    assert!(whole(&[line("authorization", "Bearer x"), line("X-Stars", "***")], &[], &[], &[]).is_ok());
}

#[test]
fn in_the_query() {
    for (query, secret) in [
        ("key=AIza-1", "AIza-1"),
        ("model=m&api-key=k%2Fk", "k%2Fk"),
        ("access_token=auth_tokens%2Fx", "auth_tokens%2Fx"),
        ("a=b&token=t1", "t1"),
        ("accessToken=t1", "t1"),
        ("apikey=t1", "t1"),
        ("Authorization=Bearer%20t1", "Bearer%20t1"),
        ("X-Amz-Security-Token=t1", "t1"),
        ("sv=1&sig=t1", "t1"),
        ("key=a+b", "a+b"),
    ] {
        let url = format!("wss://h/p?{query}#f");
        let found = of_url(&url);
        assert_eq!(found[0].expose(), secret, "{url}");
        let read = secret.replace("%2F", "/").replace("Bearer%20", "");
        assert_eq!(found[1].expose(), read, "as a server reads it, and may say it back");
        assert_eq!(starred_url(&url), url.replace(secret, &"*".repeat(secret.len())));
        assert!(whole(&[], &[Some(&starred_url(&url))], &[], &[]).is_err() && whole(&[], &[Some(&url), None], &[], &[]).is_ok());
    }
    for innocent in ["keyword=x", "max_tokens=5", "token_limit=5", "key={key}", "pageToken=x", "page_token=x", "model=key", "key=", "key"] {
        let url = format!("wss://h/key=x?{innocent}");
        assert!(of_url(&url).is_empty(), "{url}");
        assert_eq!(starred_url(&url), url);
    }
}

#[test]
fn in_subprotocols() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (offered, secret) in [
        (["realtime", "openai-insecure-api-key.sk-1.2"], "sk-1.2"),
        (["realtime", "xai-client-secret.v1"], "v1"),
        (["token", "deep-gram"], "deep-gram"),
        (["Bearer", "eyJ.x.y"], "eyJ.x.y"),
    ] {
        let mut offered = names(&offered);
        assert_eq!(exposed(&of_subprotocols(&offered)), [secret]);
        let field = line("Sec-WebSocket-Protocol", &offered.join(", "));
        assert_eq!(exposed(&of_headers(&[field])), [secret], "offered in a field of the user's own");
        starred_names(&mut offered);
        assert!(!offered[1].contains(secret) && offered[1].ends_with(&"*".repeat(secret.len())), "{offered:?}");
        assert!(whole(&[], &[], &offered, &[]).is_err());
    }
    for innocent in [["realtime", "openai-beta.realtime-v1"], ["graphql-ws", "v1.key"], ["token", "{key}"], ["x", "api-key.{key}"]] {
        assert!(of_subprotocols(&names(&innocent)).is_empty(), "{innocent:?}");
    }
}

#[test]
fn in_messages() {
    for (text, secret) in [
        (r#"{"text":" ","voice_settings":{},"xi_api_key":"sk_eleven1"}"#, "sk_eleven1"),
        (r#"{"type":"auth","access_token":"tok-abcdefg"}"#, "tok-abcdefg"),
        (r#"{"type":"connection_init","payload":{"Authorization":"Bearer tok-abcdefg"}}"#, "tok-abcdefg"),
        (r#"{"tools":[{"type":"mcp","authorization":"ya29.abcdefgh"}]}"#, "ya29.abcdefgh"),
        ("{\"a\":1}\n{\"apiKey\":\"tok-abcdefg\"}", "tok-abcdefg"),
        (r#"{"token":"0123456789abcdef"}"#, "0123456789abcdef"),
        (r#"{"client_secret":"c1c2c3c4"}"#, "c1c2c3c4"),
    ] {
        assert_eq!(exposed(&of_json(text)), [secret], "{text}");
        assert_eq!(starred_json(text), text.replace(secret, &"*".repeat(secret.len())));
        assert!(whole(&[], &[], &[], &[&starred_json(text)]).is_err() && whole(&[], &[], &[], &[text]).is_ok());
    }
    for innocent in [
        r#"{"token":"Hello"}"#,
        r#"{"token":"a text of several words"}"#,
        r#"{"key":"a-long-name-of-a-key"}"#,
        r#"{"prompt_cache_key":"conversation-17"}"#,
        r#"{"max_tokens":"12345678"}"#,
        r#"{"properties":{"api_key":{"type":"string"}}}"#,
        r#"{"password":"string"}"#,
        r#"{"xi_api_key":"{key}"}"#,
        r#"{"signature":"EqoBCkgIARABGAIi"}"#,
        "no json, but \"api_key\": \"sk-abcdefgh\"",
    ] {
        assert!(of_json(innocent).is_empty(), "{innocent}");
    }
}

#[test]
fn a_plan_is_kept_without_them_and_cannot_be_sent_again_with_stars() {
    let body = r#"{"model":"m","messages":[],"api_key":"sk-in-the-body"}"#;
    let mut draft: Draft = serde_json::from_value(serde_json::json!({
        "provider": "", "dialect": "openai-chat", "transport": "sse", "http": "auto", "baseUrl": null,
        "url": "https://h/v1/chat/completions?token=sk-in-the-query", "ask": weir_dialects::Ask::default(),
        "headers": [{"name": "X-Api-Key", "value": "sk-in-a-field"}], "insecure": false, "title": "of openai-chat",
    }))
    .unwrap();
    draft.ask.raw_body = Some(body.into());
    let plan = Plan::new(&draft, None, &Settings::default(), None, false).unwrap();
    assert_eq!(exposed(&of_plan(&plan)), ["sk-in-a-field", "sk-in-the-query", "sk-in-the-query", "sk-in-the-body"]);
    let hides = Patterns::default();
    of_plan(&plan).iter().for_each(|secret| hides.add(secret.expose()));
    // A key that is spelt like a word of the plan's own leaves the plan readable.
    hides.add("openai-chat");
    let plan = Plan { proxy: "http://me:sk-in-the-proxy@127.0.0.1:3128".into(), ..plan };
    let (text, read) = kept(&plan, &hides);
    assert!(!text.contains("sk-in"), "{text}");
    assert_eq!((read.dialect.as_str(), read.draft.dialect.as_str(), read.draft.transport), ("openai-chat", "openai-chat", Transport::Sse));
    assert_eq!(read.draft.title.as_deref(), Some("of ***********"));
    assert_eq!(read.call.url, "https://h/v1/chat/completions?token=***************");
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), read);
    let again = Plan::new(&read.draft, None, &Settings::default(), None, false).err().unwrap();
    assert_eq!((again.0.blame.as_str(), again.0.code.as_str()), ("user", "not-kept"));
}

#[test]
fn in_a_form() {
    let draft = crate::view::ConsoleDraft {
        url: "https://h/oauth2/v2.0/token".into(),
        body: "grant_type=client_credentials&client_id=me&client_secret=s3%2Bcret-1&scope=x".into(),
        headers: vec![line("Content-Type", "application/x-www-form-urlencoded")],
        ..Default::default()
    };
    let plan = crate::console::plan(&draft, &Settings::default(), None).unwrap();
    assert_eq!(exposed(&of_plan(&plan)), ["s3%2Bcret-1", "s3+cret-1"]);
    let hides = Patterns::default();
    of_plan(&plan).iter().for_each(|secret| hides.add(secret.expose()));
    assert!(!kept(&plan, &hides).0.contains("cret-1"));
}

#[test]
fn what_views_remember() {
    let draft = serde_json::json!({
        "drafts": [{
            "url": "https://h/v1?key=sk-in-the-query", "baseUrl": "https://h", "http": "auto",
            "headers": [{"name": "Authorization", "value": "Bearer sk-in-a-field"}, {"name": "Accept", "value": "*/*"}],
            "ask": {"raw_body": "{\"api_key\":\"sk-in-the-body\"}", "messages": [{"role": "user", "text": "{\"api_key\":\"sk-as-a-question\"}"}]},
        }],
        "saved": [{"form": "text", "text": "{\"xi_api_key\":\"sk-in-a-message\"}"}],
        "subprotocols": ["realtime", "openai-insecure-api-key.sk-in-a-subprotocol"],
    });
    let kept = remembered(&draft.to_string());
    let read: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept.matches("sk-").count(), 1, "what the user asks is no credential of the request: {kept}");
    assert_eq!(read["drafts"][0]["headers"][0]["value"], "Bearer *************");
    assert_eq!((&read["drafts"][0]["headers"][1]["value"], &read["drafts"][0]["baseUrl"]), (&"*/*".into(), &"https://h".into()));
    assert_eq!(read["subprotocols"][1], "openai-insecure-api-key.*******************");
    for same in ["not json", "{\"width\": 3,  \"b\":1}", "320", ""] {
        assert_eq!(remembered(same), same);
    }
}
