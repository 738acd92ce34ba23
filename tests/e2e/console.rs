//! The consoles in the window, against the Lab: a stream that ends and is asked for again, a socket that is talked on.

use std::path::Path;
use std::time::Duration;

use weir_tests::window::{Failure, Window, key};

use crate::stage::{picture, stage};

/// Waits until the console stands in this phase.
async fn phase(window: &Window, name: &str) -> Result<(), Failure> {
    let script = "return document.querySelector('[data-testid=console-standing]')?.dataset.phase === arguments[0]";
    window.within(Duration::from_secs(30), &format!("the console is {name}"), script, vec![name.into()]).await
}

/// The lines of the log that are in view, from the top: what kind each is, and its text.
async fn lines(window: &Window) -> Result<Vec<(String, String)>, Failure> {
    let script = "return [...document.querySelectorAll('[data-testid=console-row][data-frame]')]
        .filter((e) => e.offsetParent)
        .sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)
        .map((e) => [e.dataset.kind, [...e.children].slice(2).map((c) => c.textContent).join(' ').trim()])";
    window.ask(script, vec![]).await
}

/// The lines in view at the top of the log, and those at its bottom.
async fn both_ends(window: &Window) -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    window.find("[data-testid=console-log]").await?.click().await?;
    for end in [key::HOME, key::END] {
        window.press(&[end]).await?;
        let edge = if end == key::HOME {
            "e.ariaRowIndex === '2'"
        } else {
            "Number(e.ariaRowIndex) === Number(document.querySelector('[data-testid=console-log]').ariaRowCount)"
        };
        let script = format!(
            "return [...document.querySelectorAll('[data-testid=console-row][aria-selected=true]')].some((e) => e.dataset.frame && {edge})"
        );
        window.until("the end of the log is in view", &script).await?;
        found.extend(lines(window).await?);
    }
    Ok(found)
}

/// The connections among the lines of the log, wherever they stand.
async fn groups(window: &Window) -> Result<Vec<String>, Failure> {
    let lines = both_ends(window).await?;
    let mut found: Vec<String> = lines.into_iter().filter(|(kind, _)| kind == "group").map(|(_, text)| text).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

#[test]
fn a_stream_is_asked_for_again_with_its_last_id_and_opens_again_from_the_library() {
    stage("console-sse", async |window| {
        window.press(&[key::CONTROL, '7']).await?;
        picture(window, "console-first").await?;
        assert!(window.attr("console-url", "value").await.is_ok());
        window.fill("console-url", "{lab}/sse?count=10&each=4&interval_ms=60&retry_ms=900").await?;
        window.click("console-connect").await?;
        phase(window, "waiting").await?;
        window.reads("console-standing", "Reconnecting in").await?;
        assert_eq!(window.text("console-last-event-id").await?.trim(), "4");
        picture(window, "console-waiting").await?;
        phase(window, "over").await?;
        window.reads("console-standing", "Closed").await?;
        let live = groups(window).await?;
        assert_eq!(live.len(), 4, "{live:?}");
        assert!(live[0].starts_with("Connection 1 ") && live[0].contains("200 OK") && !live[0].contains("Last-Event-ID"), "{live:?}");
        assert!(live[1].contains("Last-Event-ID: 4") && live[2].contains("Last-Event-ID: 8"), "{live:?}");
        assert!(live[3].contains("Last-Event-ID: 10") && live[3].contains("204"), "{live:?}");
        assert_eq!(window.text("console-received").await?, "10");

        // The same rows below: a group for each connection.
        window.fill("frame-filter", "kind:connection").await?;
        window.reads("frame-count", " of ").await?;
        picture(window, "console-sse").await?;

        // An event, read whole, with its bytes.
        window.fill("frame-filter", "").await?;
        window.fill("console-search", "event 7 of").await?;
        window
            .until(
                "one line is left",
                "const lines = [...document.querySelectorAll('[data-testid=console-row][data-frame]')]; return lines.length === 1 && lines[0].textContent.includes('event 7 of') && document.querySelector('[data-testid=console-count]').textContent.trim() === '1 line'",
            )
            .await?;
        window.click("[data-testid=console-row][data-frame]").await?;
        window.reads("console-detail-text", "event 7 of 10\nnaïve").await?;
        window.find("layer-tree").await?;
        picture(window, "console-event").await?;

        window.go("sessions").await?;
        window.click("session-row").await?;
        window.click("session-open").await?;
        phase(window, "over").await?;
        window.until("all is shown", "return document.querySelector('[data-testid=console-received]')?.textContent === '10'").await?;
        assert_eq!(groups(window).await?, live);
        Ok(())
    });
}

#[test]
fn a_socket_takes_text_bytes_pings_and_a_close() {
    stage("console-websocket", async |window| {
        window.go("console").await?;
        window.segment("console-mode", "websocket").await?;
        window.click("console-connect").await?;
        phase(window, "open").await?;
        for (form, text) in [("text", "grüße"), ("hex", "00 ff"), ("base64", "AQI="), ("ping", "still there?")] {
            window.segment("console-form", form).await?;
            window.fill("console-message", text).await?;
            if form == "text" {
                window.click("console-keep").await?;
                window.find("console-saved").await?;
            }
            window.click("console-send").await?;
            window.until("it went", "return document.querySelector('[data-testid=console-message]').value === ''").await?;
        }
        let pong = "return [...document.querySelectorAll('[data-testid=console-row][data-frame]')].some((e) => e.dataset.dir === 'in' && e.textContent.includes('still there?'))";
        window.until("the pong came", pong).await?;
        picture(window, "console-websocket").await?;

        // A rule that is switched on while the socket is open.
        window.click("console-rule-add").await?;
        window.fill("console-rule-when", "marco").await?;
        window.fill("console-rule-reply", "polo").await?;
        window.click("console-rule-on").await?;
        window.segment("console-form", "text").await?;
        window.fill("console-message", "marco").await?;
        window.press(&[key::CONTROL, key::ENTER]).await?;
        let polo = "return [...document.querySelectorAll('[data-testid=console-row][data-frame]')].filter((e) => e.textContent.includes('polo')).length === 2";
        window.until("the answer went and came back", polo).await?;

        window.segment("console-form", "close").await?;
        window.fill("console-close-code", "4001").await?;
        window.fill("console-close-reason", "bye").await?;
        window.click("console-send").await?;
        phase(window, "over").await?;
        window.reads("console-standing", "4001").await?;
        window.reads("console-standing", "bye").await?;
        // The log asks at its own pace.
        let closed = "return [...document.querySelectorAll('[data-testid=console-row][data-dir=in][data-frame]')].some((e) => e.textContent.includes('4001 bye'))";
        window.until("the server's close is in the log", closed).await?;
        // More was said than fits: what is in view at the top and at the bottom.
        let live = both_ends(window).await?;
        let said: Vec<&str> = live.iter().map(|(_, text)| text.as_str()).collect();
        for part in ["→ text  grüße", "← text  grüße", "→ binary  00 ff", "← binary  01 02", "→ close  4001 bye", "← close  4001 bye"]
        {
            assert!(said.iter().any(|line| line.contains(part)), "{part}: {said:?}");
        }
        picture(window, "console-closed").await?;

        window.go("sessions").await?;
        window.click("session-row").await?;
        window.click("session-open").await?;
        phase(window, "over").await?;
        window.until("all is shown", "return document.querySelectorAll('[data-testid=console-row][data-frame]').length > 8").await?;
        assert_eq!(both_ends(window).await?, live);
        Ok(())
    });
}

/// Files below `folder` that hold one of `keys`.
fn holding(folder: &Path, keys: &[&str], found: &mut Vec<String>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            holding(&path, keys, found)?;
        } else if path.is_file() {
            let bytes = std::fs::read(&path)?;
            let held = keys.iter().filter(|key| bytes.windows(key.len()).any(|part| part == key.as_bytes()));
            found.extend(held.map(|key| format!("{}: {key}", path.display())));
        }
    }
    Ok(())
}

#[test]
fn keys_typed_where_browsers_need_them_are_stars_in_the_log_and_in_no_file() {
    const KEYS: [&str; 3] = ["sk-typed-query-1x8f", "sk-typed-protocol-2k4z", "sk-typed-message-3q7m"];
    stage("console-typed-keys", async |window| {
        window.go("console").await?;
        window.segment("console-mode", "websocket").await?;
        window.fill("console-url", &format!("{{lab}}/echo/ws?access_token={}", KEYS[0])).await?;
        window.fill("console-subprotocols", &format!("realtime, openai-insecure-api-key.{}", KEYS[1])).await?;
        window.click("console-connect").await?;
        phase(window, "open").await?;
        window.segment("console-form", "text").await?;
        let first = format!("{{\"text\":\" \",\"xi_api_key\":\"{}\"}}", KEYS[2]);
        window.fill("console-message", &first).await?;
        window.click("console-keep").await?;
        window.find("console-saved").await?;
        window.click("console-send").await?;
        let echoed = "return [...document.querySelectorAll('[data-testid=console-row][data-frame]')].filter((e) => e.textContent.includes('xi_api_key')).length === 2";
        window.until("the message went and came back", echoed).await?;
        let log: String = window.ask("return document.querySelector('[data-testid=console-log]').textContent", vec![]).await?;
        assert!(!KEYS.iter().any(|key| log.contains(key)) && log.contains("*********"), "{log}");
        picture(window, "console-typed-keys").await?;
        window.segment("console-form", "close").await?;
        window.click("console-send").await?;
        phase(window, "over").await?;
        assert!(!KEYS.iter().any(|key| window.log().contains(key)), "{}", window.log());
        // What the page remembers, the kept message too, is written a moment after it changes.
        let patience = std::time::Instant::now() + Duration::from_secs(10);
        let remembered = || -> Result<bool, Failure> {
            let mut found = Vec::new();
            holding(&window.desktop().weir_home(), &[r#"xi_api_key\":\"****"#], &mut found)?;
            Ok(!found.is_empty())
        };
        while !remembered()? {
            assert!(std::time::Instant::now() < patience, "nothing was kept");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut found = Vec::new();
        holding(&window.desktop().weir_home(), &KEYS, &mut found)?;
        assert!(found.is_empty(), "{found:?}");
        Ok(())
    });
}

#[test]
fn the_consoles_stand_in_both_themes_and_in_the_smallest_window() {
    stage("console-looks", async |window| {
        window.go("console").await?;
        window.segment("console-mode", "websocket").await?;
        window.click("console-connect").await?;
        phase(window, "open").await?;
        window.fill("console-message", "{\"hello\":[1,2,3]}").await?;
        window.click("console-send").await?;
        window.until("the echo came", "return document.querySelectorAll('[data-testid=console-row][data-dir=in]').length > 0").await?;
        window.click("[data-testid=console-row][data-dir=in]").await?;
        window.find("console-detail-text").await?;
        for theme in ["light", "dark"] {
            window.go("settings").await?;
            window.segment("settings-theme", theme).await?;
            window.go("console").await?;
            picture(window, &format!("console-{theme}")).await?;
        }
        window.resize(1000, 700).await?;
        window.go("console").await?;
        picture(window, "console-small").await?;
        let wide: Vec<String> = window
            .ask(
                "return [document.documentElement, document.body, ...document.querySelectorAll('main, main > *, main .pane')]
                  .filter((e) => e.scrollWidth > innerWidth || e.getBoundingClientRect().right > innerWidth + 1)
                  .map((e) => `${e.tagName}.${e.className}: ${e.scrollWidth}`)",
                vec![],
            )
            .await?;
        assert!(wide.is_empty(), "{wide:?}");
        window.segment("console-mode", "sse").await?;
        picture(window, "console-small-sse").await
    });
}
