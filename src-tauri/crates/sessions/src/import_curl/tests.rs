use serde_json::json;
use weir_dialects::Role;

use super::*;
use crate::Plan;
use crate::view::Settings;

fn import(text: &str) -> Imported {
    read(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What the draft would send: URL, fields and body.
fn sent(draft: &Draft) -> (String, Vec<(String, String)>, Value) {
    let plan = Plan::new(draft, provider::find(&draft.provider), &Settings::default(), None, true).unwrap();
    let headers = plan.call.headers.iter().map(|header| (header.name.to_lowercase(), header.value.clone())).collect();
    let body = plan.call.messages.first().map_or(plan.call.body.as_str(), |message| message.text.as_str());
    (plan.call.url.clone(), headers, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn openai_as_documented() {
    let imported = import(
        r#"$ curl https://api.openai.com/v1/chat/completions \
  -H "Content-Type: application/json" \
  -H "Authorization: Bearer $OPENAI_API_KEY" \
  -d '{
    "model": "gpt-5.4",
    "messages": [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": "it'\''s $5"}],
    "temperature": 0.7, "stream": true, "logit_bias": {"1": 2}
  }'"#,
    );
    let draft = &imported.draft;
    assert_eq!(
        (draft.provider.as_str(), draft.dialect.as_str(), draft.transport, &draft.url),
        ("openai", "openai-chat", Transport::Sse, &None)
    );
    assert_eq!(
        (draft.ask.model.as_str(), draft.ask.system.as_str(), draft.ask.messages[0].text.as_str()),
        ("gpt-5.4", "You are helpful.", "it's $5")
    );
    assert!(draft.headers.is_empty() && imported.key.is_none() && draft.ask.raw_body.is_none());
    assert_eq!(imported.notes, ["The key stood in the variable OPENAI_API_KEY: here it is the stored one."]);
    let (_, headers, body) = sent(draft);
    assert!(headers.contains(&("authorization".into(), "Bearer {key}".into())));
    assert_eq!((&body["logit_bias"], &body["temperature"]), (&json!({"1": 2}), &json!(0.7)));
}

#[test]
fn a_key_by_value_is_handed_over_apart() {
    for (command, key) in [
        (
            r#"curl https://api.openai.com/v1/responses -H 'authorization: Bearer sk-secret' --json '{"model":"m","input":"hi"}'"#,
            "sk-secret",
        ),
        (
            r#"curl -H "x-api-key: sk-ant-secret" -H "anthropic-version: 2023-06-01" https://api.anthropic.com/v1/messages --data '{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'"#,
            "sk-ant-secret",
        ),
        (
            r#"curl "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse&key=AIzaSecret" -d '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'"#,
            "AIzaSecret",
        ),
        (r#"curl wss://r.openai.azure.com/openai/v1/realtime?model=m\&api-key=az-secret"#, "az-secret"),
        (r#"curl 'wss://h.example/v1/live?access_token=auth_tokens/secret'"#, "auth_tokens/secret"),
        (r#"curl 'wss://h.example/v1/stream?token=once-secret'"#, "once-secret"),
        (r#"curl https://h.example/v1/speak -H 'Authorization: Token dg-secret' -d 'x'"#, "dg-secret"),
        (r#"curl https://h.example/v1/chat/completions --oauth2-bearer tok-secret -d '{"model":"m","messages":[]}'"#, "tok-secret"),
        (r#"curl -u user:pass-secret https://h.example/v1/chat/completions -d '{"model":"m","messages":[]}'"#, "dXNlcjpwYXNzLXNlY3JldA=="),
        (r#"curl https://h.example/other -H 'X-Api-Key: raw-secret' -d 'x'"#, "raw-secret"),
    ] {
        let imported = import(command);
        assert_eq!(imported.key.as_ref().map(Secret::expose), Some(key), "{command}");
        let kept = serde_json::to_string(&imported.draft).unwrap();
        assert!(!kept.contains("ecret"), "{kept}");
        let (url, headers, _) = sent(&imported.draft);
        assert!(url.contains("{key}") || headers.iter().any(|(_, value)| value.contains("{key}")), "{command}: {url} {headers:?}");
    }
    // Where it stood it goes, and nowhere else.
    let keyed = |command: &str| {
        let mut draft = import(command).draft;
        if draft.ask.model.is_empty() {
            draft.ask.model = "m".into();
        }
        let (url, headers, _) = sent(&draft);
        let fields = headers.into_iter().filter(|(_, value)| value.contains("{key}")).map(|(name, value)| format!("{name}: {value}"));
        (url.contains("{key}"), fields.collect::<Vec<_>>())
    };
    for (command, query, field) in [
        ("curl https://h.example/v1/speak -H 'Authorization: Token dg' -d x", false, "authorization: Token {key}"),
        (
            "curl -u me:pass https://h.example/v1/chat/completions -d '{\"model\":\"m\",\"messages\":[]}'",
            false,
            "authorization: Basic {key}",
        ),
        ("curl https://h.example/v1/tts -H 'xi-api-key: el' -d x", false, "xi-api-key: {key}"),
        ("curl 'wss://h.example/x.BidiGenerateContentConstrained?access_token=auth_tokens/x'", true, ""),
        (
            "curl https://api.openai.com/v1/chat/completions -H 'authorization: bearer k' -d '{\"model\":\"m\",\"messages\":[]}'",
            false,
            "authorization: Bearer {key}",
        ),
    ] {
        let fields = if field.is_empty() { Vec::new() } else { vec![field.to_owned()] };
        assert_eq!(keyed(command), (query, fields), "{command}");
    }
    for placeholder in ["<token>", "YOUR_API_KEY", "sk-...", "$KEY", "${KEY:-none}"] {
        let imported = import(&format!(
            "curl https://api.groq.com/openai/v1/chat/completions -H \"Authorization: Bearer {placeholder}\" -d '{{\"messages\":[]}}'"
        ));
        assert!(imported.key.is_none(), "{placeholder}");
    }
}

#[test]
fn every_dialect_by_its_path() {
    for (command, provider, dialect, transport, raw) in [
        (
            r#"curl https://api.anthropic.com/v1/messages -H "x-api-key: $K" -d '{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}'"#,
            "anthropic",
            "anthropic-messages",
            Transport::Sse,
            false,
        ),
        (
            r#"curl https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse -H "x-goog-api-key: $K" -d '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'"#,
            "gemini",
            "gemini",
            Transport::Sse,
            false,
        ),
        (
            r#"curl https://generativelanguage.googleapis.com/v1beta/models/g:generateContent -H "x-goog-api-key: $K" -d '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'"#,
            "gemini",
            "gemini",
            Transport::Http,
            false,
        ),
        (
            r#"curl localhost:11434/api/chat -d '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'"#,
            "ollama",
            "ollama",
            Transport::Ndjson,
            false,
        ),
        (
            r#"curl https://api.cohere.com/v2/chat -H "Authorization: bearer $K" -d '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'"#,
            "cohere",
            "cohere",
            Transport::Sse,
            false,
        ),
        (
            r#"curl -N https://api.openai.com/v1/chat/completions -d '{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],"stream":true}'"#,
            "openai",
            "openai-chat",
            Transport::Sse,
            false,
        ),
        (
            r#"curl -N https://api.openai.com/v1/chat/completions -d '{"model":"m","messages":"none","stream":true}'"#,
            "openai",
            "openai-chat",
            Transport::Sse,
            true,
        ),
        (
            r#"curl https://mine.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21 -H 'api-key: $K' -d '{"messages":[{"role":"user","content":"hi"}]}'"#,
            "azure-classic",
            "openai-chat",
            Transport::Http,
            false,
        ),
        (
            r#"curl http://127.0.0.1:9000/v1/chat/completions -d '{"model":"m","messages":[{"role":"user","content":"hi"}]}'"#,
            "",
            "openai-chat",
            Transport::Http,
            false,
        ),
        (r#"curl -N http://127.0.0.1:9000/events"#, "", "raw", Transport::Sse, false),
        (
            r#"curl http://127.0.0.1:9000/chat -d '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'"#,
            "",
            "openai-chat",
            Transport::Sse,
            false,
        ),
    ] {
        let Imported { draft, .. } = import(command);
        assert_eq!(
            (draft.provider.as_str(), draft.dialect.as_str(), draft.transport, draft.ask.raw_body.is_some()),
            (provider, dialect, transport, raw),
            "{command}"
        );
        let (url, _, body) = sent(&draft);
        let given = command.split_whitespace().find(|word| word.contains("://") || word.starts_with("localhost")).unwrap();
        assert!(url.ends_with(given.trim_start_matches("http://")), "{url} {given}");
        if let Some((_, data)) = command.split_once("-d '") {
            assert_eq!(body, serde_json::from_str::<Value>(data.trim_end_matches('\'')).unwrap(), "{command}");
        }
    }
}

#[test]
fn as_chrome_copies_it_for_windows() {
    let command = "curl ^\"https://api.deepseek.com/chat/completions^\" ^\r\n  -H ^\"accept: */*^\" ^\r\n  -H ^\"authorization: Bearer sk-secret^\" ^\r\n  -H ^\"content-type: application/json^\" ^\r\n  -H ^\"cookie: a=b^\" ^\r\n  -H ^\"sec-ch-ua: ^\\^\"x^\\^\"^\" ^\r\n  --data-raw ^\"^{^\\^\"model^\\^\":^\\^\"m^\\^\",^\\^\"messages^\\^\":^[^{^\\^\"role^\\^\":^\\^\"user^\\^\",^\\^\"content^\\^\":^\\^\"100^% a ^& b^\\^\"^}^],^\\^\"stream^\\^\":true^}^\" ^\r\n  --insecure";
    let imported = import(command);
    assert_eq!((imported.draft.provider.as_str(), imported.draft.transport, imported.draft.insecure), ("deepseek", Transport::Sse, true));
    assert_eq!(imported.draft.ask.messages[0].text, "100% a & b");
    assert_eq!(imported.key.unwrap().expose(), "sk-secret");
    assert!(imported.draft.headers.is_empty(), "{:?}", imported.draft.headers);
    // Older form: real quotes, carets only at the line ends.
    let older = import(
        "curl.exe \"https://api.groq.com/openai/v1/chat/completions\" ^\n -H \"Authorization: Bearer %GROQ_API_KEY%\" ^\n -d \"{\\\"model\\\":\\\"m\\\",\\\"messages\\\":[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"ab \\\\\\\"q\\\\\\\"\\\"}]}\"",
    );
    assert_eq!((older.draft.provider.as_str(), older.draft.ask.messages[0].text.as_str()), ("groq", "ab \"q\""));
    assert!(older.key.is_none() && older.notes[0].contains("GROQ_API_KEY"), "{:?}", older.notes);
}

#[test]
fn as_browsers_copy_it_for_posix() {
    let imported = import(
        "curl 'https://api.x.ai/v1/chat/completions' -H 'authorization: Bearer k' --data-raw $'{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"it\\'s \\u0041\\x42\\103 \\\\n\\xc3\\xa9\"}]}' --compressed --http2 -sSL",
    );
    assert_eq!(imported.draft.ask.messages[0].text, "it's ABC \né");
    assert_eq!((imported.draft.provider.as_str(), imported.draft.http.as_str()), ("xai", "2"));
}

#[test]
fn options_in_every_form() {
    let imported = import(
        "curl -sSkXPOST -HX-Own:1 --url http://h.example/v1/chat/completions -d '{\"model\":\"m\",' -o out --data-binary '\"messages\":[]}' --http1.1 --max-time 5 2>/dev/null | jq .",
    );
    assert!(imported.draft.insecure && imported.draft.http == "1.1");
    assert_eq!(imported.draft.headers, [HeaderLine { name: "X-Own".into(), value: "1".into() }]);
    // curl joins pieces by &, which makes no JSON of these: sent as it stands.
    assert_eq!(imported.draft.ask.raw_body.as_deref(), Some("{\"model\":\"m\",&\"messages\":[]}"));
    let socket = import("curl wss://api.openai.com/v1/responses -H \"Authorization: Bearer $K\"");
    assert_eq!((socket.draft.dialect.as_str(), socket.draft.transport), ("openai-responses", Transport::Websocket));
    let query = import("curl -G http://h.example/search -d q=a --data-urlencode 'x=a b&c'");
    assert_eq!(query.draft.url.as_deref(), Some("http://h.example/search?q=a&x=a+b%26c"));
    assert!(query.draft.ask.raw_body.is_none());
    let file = import("curl http://h.example/v1/chat/completions -d @body.json");
    assert!(file.notes.iter().any(|note| note.contains("body.json")), "{:?}", file.notes);
    let variable = import("curl http://h.example/v1/chat/completions -d \"{\\\"model\\\":\\\"$MODEL\\\",\\\"messages\\\":[]}\"");
    assert_eq!(variable.draft.ask.model, "${MODEL}");
    assert!(variable.notes.iter().any(|note| note.contains("MODEL")));
}

#[test]
fn what_is_no_command_is_said() {
    for (text, why) in [
        ("", "no cURL command"),
        ("wget http://h", "no cURL command"),
        ("curl", "no URL"),
        ("curl -H 'a: b", "single quote is not closed"),
        ("curl -d", "-d wants a value"),
        ("curl ftp://h/x", "scheme ftp"),
        ("curl $'a", "not closed"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.to_string().contains(why), "{text}: {error}");
        assert_eq!(error.0.code, "curl");
    }
}

#[test]
fn what_is_exported_is_imported() {
    for (provider, dialect) in [
        ("openai", "openai-chat"),
        ("openai", "openai-responses"),
        ("anthropic", "anthropic-messages"),
        ("gemini", "gemini"),
        ("cohere", "cohere"),
        ("ollama", "ollama"),
    ] {
        let known = provider::find(provider);
        let transport = dialect::find(dialect).unwrap().transports()[0];
        let mut draft = import("curl http://h.example/v1/chat/completions -d '{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"it'\\''s \\\"so\\\" \\\\n $x\"}]}'").draft;
        assert_eq!(draft.ask.messages[0].role, Role::User);
        (draft.provider, draft.dialect, draft.transport, draft.url) = (provider.into(), dialect.into(), transport, None);
        let plan = Plan::new(&draft, known, &Settings::default(), None, true).unwrap();
        let again = import(&crate::export::curl(&plan.call, false)).draft;
        assert_eq!((&again.provider, &again.dialect, again.transport), (&draft.provider, &draft.dialect, draft.transport), "{dialect}");
        assert_eq!(sent(&again), sent(&draft), "{dialect}");
    }
}
