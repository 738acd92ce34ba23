//! Turns after the first: in the composer, on an open socket, and in the raw body.

use weir_tests::window::{Failure, Window};

use crate::stage::{picture, stage};
use crate::steps::send;

/// Text of every turn in the composer, the oldest first.
const TURNS: &str = "[...document.querySelectorAll('.composer .msg:not(.sys) > textarea')].map((e) => e.value)";

async fn turns(window: &Window) -> Result<Vec<String>, Failure> {
    window.ask(&format!("return {TURNS}"), vec![]).await
}

async fn dialect(window: &Window, name: &str) -> Result<(), Failure> {
    window.click("dialect").await?;
    let choose = "const item = [...document.querySelectorAll('[role^=menuitem]')].find((e) => e.innerText.trim() === arguments[0]); item?.click(); return item !== undefined";
    window.until_with("the dialect is in the menu", choose, vec![name.into()]).await
}

#[test]
fn goes_on_from_the_reply_and_back_to_any_turn() {
    stage("conversation", async |window| {
        assert_eq!(send(window).await?, "complete");
        window.click("answer").await?;
        window.until("there is room for the next turn", &format!("return {TURNS}.length === 3")).await?;
        window.fill("prompt", "And then?").await?;
        assert_eq!(send(window).await?, "complete");
        let before = turns(window).await?;
        assert!(before[1].len() > 100, "the reply stands in the conversation: {before:?}");
        picture(window, "conversation").await?;

        window.click("send-from").await?;
        window.until("the turns below are aside", &format!("return {TURNS}.length === 1")).await?;
        window
            .until(
                "it is sent",
                "return document.querySelector('[data-testid=outcome]') !== null && document.querySelector('[data-testid=send]') !== null",
            )
            .await?;
        window.click("put-back").await?;
        window.until("they are back", &format!("return {TURNS}.length === 3")).await?;
        assert_eq!(turns(window).await?, before);
        Ok(())
    });
}

#[test]
fn another_turn_on_the_same_socket() {
    stage("open-socket", async |window| {
        dialect(window, "OpenAI Responses").await?;
        window.segment("transport", "websocket").await?;
        window.click("keep-open").await?;
        window.click("send").await?;
        let open = "return document.querySelector('[data-testid=connection]')?.dataset.state === 'open'";
        window.until("the connection is open", open).await?;
        window.click("answer").await?;
        window.fill("prompt", "And then?").await?;
        window.reads("send", "Send on this connection").await?;
        window.click("send").await?;
        window.until("it is said", "return document.querySelector('[data-testid=said]')?.innerText.includes('And then?')").await?;
        window.until("the second turn is over", open).await?;
        picture(window, "open-socket").await?;
        window.click("hang-up").await?;
        window.until("the connection is closed", "return document.querySelector('[data-testid=outcome]') !== null").await?;
        assert_eq!(window.attr("outcome", "data-outcome").await?, "complete");
        Ok(())
    });
}

#[test]
fn the_raw_body_and_the_form_follow_each_other() {
    stage("raw-body", async |window| {
        window.fill("prompt", "First").await?;
        window.click("tab-raw-body").await?;
        window.reads("raw-body", "First").await?;
        window.click("raw-body").await?;
        window.press(&['\u{e009}', 'a']).await?;
        let body = r#"{"model":"lab/steady","messages":[{"role":"user","content":"Second"}],"stream":true,"temperature":0.5}"#;
        window.find("raw-body").await?.send_keys(body).await?;
        window.reads("raw-standing", "In step").await?;
        window.click("tab-request").await?;
        window.until("the form has it", &format!("return {TURNS}[0] === 'Second'")).await?;
        let temperature: String = window.ask("return document.querySelector('[data-testid=param-temperature]').value", vec![]).await?;
        assert_eq!(temperature, "0.5");
        assert_eq!(send(window).await?, "complete");
        // A body that asks for no stream takes the transport along, and the other way round.
        window.click("tab-raw-body").await?;
        let pressed = "return document.querySelector('[data-testid=transport] [aria-checked=true]')?.textContent.trim()";
        for (stream, transport, said) in [("", "HTTP", "no stream"), (r#","stream":true"#, "SSE", "asks for a stream")] {
            let body = format!(r#"{{"model":"lab/steady","messages":[{{"role":"user","content":"Third"}}]{stream}}}"#);
            crate::steps::rewrite(window, "raw-body", &body).await?;
            window.reads("raw-standing", said).await?;
            picture(window, &format!("raw-body-{}", transport.to_lowercase())).await?;
            window.click("tab-request").await?;
            window.find("transport").await?;
            let chosen: Option<String> = window.ask(pressed, vec![]).await?;
            assert_eq!(chosen.as_deref(), Some(transport));
            window.click("tab-raw-body").await?;
        }
        assert_eq!(send(window).await?, "complete");
        Ok(())
    });
}
