//! What the composer does beside sending: cURL in, code out, tools, forms of the reply, files, and events on open sockets.
//!
//! One window for all of it: each part begins in a request tab of its own.

use std::time::Duration;

use weir_tests::window::{Failure, Window, out};

use crate::stage::{pictures, stage};
use crate::steps::{dialect, frames, menu, model, reply, rewrite, send};

/// A key that can be searched for.
const CANARY: &str = "sk-canary-Hq8Zr2Vn6Lw4Tb9Y-aB3x";

/// An empty request.
async fn fresh(window: &Window) -> Result<(), Failure> {
    window.go("playground").await?;
    window.click("tab-new").await?;
    window.until("the new request is empty", "return document.querySelector('[data-testid=prompt]').value === ''").await?;
    window.choose("provider", "lab").await?;
    model(window, "lab/steady").await
}

/// The page holds no key, in no field either.
async fn keyless(window: &Window, when: &str) -> Result<(), Failure> {
    let source = window.client().source().await?;
    let values: String =
        window.ask("return [...document.querySelectorAll('input, textarea')].map((e) => e.value).join('\\n')", vec![]).await?;
    assert!(!source.contains(CANARY) && !values.contains(CANARY), "the page holds the key {when}");
    Ok(())
}

/// What stands in the body that would be sent.
async fn body(window: &Window, with: &str) -> Result<serde_json::Value, Failure> {
    window.click("tab-raw-body").await?;
    let shown = "return document.querySelector('[data-testid=raw-body]')?.innerText.includes(arguments[0])";
    window.until_with(&format!("the body holds {with}"), shown, vec![with.into()]).await?;
    // The editor draws only the lines in view; the clipboard of nothing is no way to the rest, so long bodies are told by their beginning.
    let text: String = window
        .ask("return [...document.querySelectorAll('[data-testid=raw-body] .cm-line')].map((e) => e.textContent).join('\\n')", vec![])
        .await?;
    window.click("tab-request").await?;
    serde_json::from_str(&text).map_err(|error| format!("{error}: {text}").into())
}

async fn a_command_is_pasted(window: &Window) -> Result<(), Failure> {
    fresh(window).await?;
    window.click("import-curl").await?;
    window.find("import-dialog").await?;
    let command = format!(
        "curl https://api.openai.com/v1/chat/completions -H 'Content-Type: application/json' -H 'Authorization: Bearer {CANARY}' \
         -d '{{\"model\":\"gpt-4o-mini\",\"messages\":[{{\"role\":\"system\",\"content\":\"Be brief.\"}},{{\"role\":\"user\",\"content\":\"What is a weir?\"}}],\"temperature\":0.25,\"stream\":true}}'"
    );
    window.fill("import-text", &command).await?;
    window.click("import-read").await?;
    window.reads("import-dialog", "A key is in the command, ending in aB3x").await?;
    keyless(window, "once the command is read").await?;
    pictures(window, "import").await?;
    window.segment("import-keep", "memory").await?;
    window.click("import-take").await?;
    window.until("the request is there", "return document.querySelector('[data-testid=provider]').dataset.value === 'openai'").await?;
    let fields: Vec<String> = window
        .ask(
            "return ['model', 'system-prompt', 'prompt', 'param-temperature'].map((name) => document.querySelector(`[data-testid=${name}]`).value)",
            vec![],
        )
        .await?;
    assert_eq!(fields, ["gpt-4o-mini", "Be brief.", "What is a weir?", "0.25"]);
    keyless(window, "once the request is open").await
}

/// Goes on from the imported request: its key is a variable in every language.
async fn it_comes_out_as_code(window: &Window) -> Result<(), Failure> {
    menu(window, "copy-as", "Code…").await?;
    window.find("code-text").await?;
    for (id, parts) in [
        ("python", ["from openai import OpenAI", "os.environ[\"OPENAI_API_KEY\"]"]),
        ("python-httpx", ["import httpx", "os.environ[\"OPENAI_API_KEY\"]"]),
        ("javascript", ["import OpenAI from", "process.env.OPENAI_API_KEY"]),
        ("javascript-fetch", ["await fetch(", "process.env.OPENAI_API_KEY"]),
        ("rust", ["reqwest", "OPENAI_API_KEY"]),
        ("curl", ["curl", "$"]),
    ] {
        window.click(&format!("code-{id}")).await?;
        for part in parts {
            window.reads("code-text", part).await?;
        }
        let text = window.text("code-text").await?;
        assert!(text.contains("What is a weir?") && !text.contains(CANARY), "{text}");
    }
    window.click("code-python").await?;
    pictures(window, "code").await?;
    window.press(&['\u{e00c}']).await?;
    window.until("the dialog is gone", "return document.querySelector('[data-testid=code-dialog]') === null").await
}

async fn a_form_is_asked_for(window: &Window) -> Result<(), Failure> {
    fresh(window).await?;
    window.fill("prompt", "What is a weir?").await?;
    window.click("output").await?;
    window.segment("output-form", "schema").await?;
    window.find("output-schema").await?;
    pictures(window, "output-form").await?;
    window.click("output-save").await?;
    window.reads("output", "reply").await?;
    let body = body(window, "json_schema").await?;
    assert_eq!(body["response_format"]["json_schema"]["schema"]["required"][0], "answer", "{body}");
    assert_eq!(send(window).await?, "complete");
    let said: serde_json::Value = serde_json::from_str(&reply(window).await?)?;
    assert!(said["answer"].is_string(), "the reply has the form that was asked for: {said}");
    Ok(())
}

async fn a_tool_is_called_and_answered_by_hand(window: &Window) -> Result<(), Failure> {
    fresh(window).await?;
    model(window, "lab/tools").await?;
    window.fill("prompt", "What is the weather in Paris for 3 days?").await?;
    window.click("tool-add").await?;
    window.fill("tool-name", "weather").await?;
    window.fill("tool-about", "Tells the weather.").await?;
    rewrite(
        window,
        "tool-arguments",
        r#"{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}"#,
    )
    .await?;
    pictures(window, "tool-dialog").await?;
    window.click("tool-save").await?;
    assert_eq!(send(window).await?, "complete");
    window.reads("tool-call", "weather").await?;
    window.reads("tool-call", "arguments are valid JSON").await?;
    window.click("tool-return").await?;
    let result = ".msg[data-role=tool] > textarea";
    window.find(result).await?;
    window.fill(result, r#"{"degrees":[14,15,15]}"#).await?;
    pictures(window, "tool-result").await?;
    let body = body(window, "degrees").await?;
    let messages = body["messages"].as_array().ok_or("a conversation")?;
    assert_eq!(messages.len(), 3, "{body}");
    assert_eq!(messages[1]["tool_calls"][0]["id"], messages[2]["tool_call_id"], "{body}");
    assert_eq!(messages[2]["content"], r#"{"degrees":[14,15,15]}"#);
    assert_eq!(send(window).await?, "complete");
    assert!(reply(window).await?.len() > 40, "the model goes on from the result");
    Ok(())
}

async fn an_earlier_turn_is_edited_and_sent_again(window: &Window) -> Result<(), Failure> {
    fresh(window).await?;
    window.fill("prompt", "First question").await?;
    assert_eq!(send(window).await?, "complete");
    window.click("answer").await?;
    window.fill("prompt", "Second question").await?;
    assert_eq!(send(window).await?, "complete");
    let first = ".composer .msg[data-role=user] > textarea";
    window.fill(first, "First question, put better").await?;
    window.click("send-from").await?;
    window.until("the turns below are aside", "return document.querySelector('[data-testid=put-back]') !== null").await?;
    let over = "return document.querySelector('[data-testid=outcome]') !== null && document.querySelector('[data-testid=send]') !== null";
    window.within(Duration::from_secs(60), "it is over", over, vec![]).await?;
    let body = body(window, "put better").await?;
    assert_eq!(body["messages"], serde_json::json!([{"role": "user", "content": "First question, put better"}]), "{body}");
    window.click("put-back").await?;
    window.until("they are back", "return document.querySelectorAll('.composer .msg[data-role]').length === 3").await
}

/// A picture of 4 MB: what is sent is the file; what the composer works with is not.
async fn a_picture_goes_along(window: &Window) -> Result<(), Failure> {
    fresh(window).await?;
    window.fill("prompt", "What is this?").await?;
    let file = out("e2e")?.join("attached.png");
    std::fs::write(&file, noise(4 << 20))?;
    window.find("attach-file").await?.send_keys(&file.to_string_lossy()).await?;
    window.reads("attachment", "attached.png").await?;
    window.reads("attachment", "image/png, 4.2 MB").await?;
    pictures(window, "attached").await?;
    // The page answers while the request is put together anew at each letter.
    window.fill("prompt", "What is this picture of?").await?;
    assert_eq!(send(window).await?, "complete");
    window.fill("frame-filter", "dir:out size>5592400").await?;
    window.press(&['\u{e007}']).await?;
    let filtered = "return document.querySelectorAll('[data-testid=frame-row][data-frame]').length === 1";
    window.until("all of the file went out: 4 MiB are 5,592,408 B in base64", filtered).await
}

/// A PNG's signature before bytes that no codec makes smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize_with(length, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    bytes
}

async fn events_are_sent_on_an_open_socket(window: &Window) -> Result<(), Failure> {
    for (name, transport, event, answer) in [
        ("OpenAI Realtime", "websocket", "session.update", "session.updated"),
        ("Gemini Live", "websocket", "clientContent", "turnComplete"),
        ("OpenAI Responses", "websocket", "response.create (warm-up)", "response.completed"),
    ] {
        fresh(window).await?;
        dialect(window, name).await?;
        window.segment("transport", transport).await?;
        window.fill("prompt", "Say something.").await?;
        if window.attr("keep-open", "aria-checked").await? != "true" {
            window.click("keep-open").await?;
        }
        window.click("send").await?;
        let open = "return document.querySelector('[data-testid=connection]')?.dataset.state === 'open'";
        window.within(Duration::from_secs(60), "the connection is open", open, vec![]).await?;
        let before = frames(window).await?;
        menu(window, "client-events", event).await?;
        window.find("event-message").await?;
        pictures(window, &format!("event-{}", name.to_lowercase().replace(' ', "-"))).await?;
        window.click("event-send").await?;
        window.until("the dialog is gone", "return document.querySelector('[data-testid=event-dialog]') === null").await?;
        let told =
            format!("return Number(document.querySelector('[data-testid=frame-count]').innerText.replace(/\\D/g, '')) > {before} + 1");
        window.until(&format!("{name}: the event and its answer are in the inspector"), &told).await?;
        window.until("the turn is over", open).await?;
        window.fill("frame-filter", &format!("\"{answer}\"")).await?;
        window.press(&['\u{e007}']).await?;
        window
            .until(
                &format!("{name}: {answer} is among the frames"),
                "return document.querySelector('[data-testid=frame-row][data-frame]') !== null",
            )
            .await?;
        window.click("hang-up").await?;
        window.until("the connection is closed", "return document.querySelector('[data-testid=outcome]') !== null").await?;
        assert_eq!(window.attr("outcome", "data-outcome").await?, "complete", "{name}");
    }
    Ok(())
}

#[test]
fn the_composer() {
    stage("compose", async |window| {
        a_command_is_pasted(window).await?;
        it_comes_out_as_code(window).await?;
        a_form_is_asked_for(window).await?;
        a_tool_is_called_and_answered_by_hand(window).await?;
        an_earlier_turn_is_edited_and_sent_again(window).await?;
        events_are_sent_on_an_open_socket(window).await?;
        a_picture_goes_along(window).await
    });
}
