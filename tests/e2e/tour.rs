//! The tour: six stops, each sent to the Lab as a reader arrives there, its frames beside the sentences that explain them.

use std::time::Duration;

use serde_json::json;
use weir_tests::window::{Failure, Window, key};

use crate::stage::{picture, stage};

/// A scene of a stop, and the sentences whose frames must be there in it.
type Scene = (&'static str, &'static [&'static str]);

/// The stops and their scenes.
const STOPS: &[(&str, &[Scene])] = &[
    ("http", &[("main", &["head", "body", "length", "whole"])]),
    ("sse", &[("main", &["accept", "stream", "type", "event", "text", "done"])]),
    ("back", &[("main", &["retry", "id", "ask", "on"])]),
    ("ws", &[("main", &["ask", "accept", "masked", "plain", "ping", "pong", "close", "closed"])]),
    (
        "faults",
        &[
            ("deploy", &["deployHttp", "deploySse", "deployWs"]),
            ("slow", &["slowHttp", "slowSse", "slowWs"]),
            ("buffer", &["bufferHttp", "bufferSse", "bufferWs"]),
        ],
    ),
    ("door", &[("main", &["bearer", "refused", "let"])]),
];

/// Opens the tour from the command palette.
async fn open(window: &Window) -> Result<(), Failure> {
    window.press(&[key::CONTROL, 'k']).await?;
    let field = window.find("[data-testid=palette] input").await?;
    field.send_keys("tour").await?;
    window.press(&[key::ENTER]).await?;
    window.find("tour").await.map(drop)
}

/// Waits until the scene on the stage is over and nothing went missing.
async fn played(window: &Window, stop: &str, scene: &str) -> Result<(), Failure> {
    let script = "const tour = document.querySelector('[data-testid=tour]');
        if (tour?.dataset.state === 'failed') throw new Error(`${tour.dataset.stop}: ${tour.querySelector('[role=alert]')?.innerText}`);
        return tour?.dataset.stop === arguments[0] && tour.dataset.scene === arguments[1] && tour.dataset.state === 'done'";
    window.within(Duration::from_secs(40), &format!("{stop}, {scene} is over"), script, vec![stop.into(), scene.into()]).await
}

/// Looks at a sentence; gives the summary of the frame that it lights, and whether the frame lights the sentence again.
async fn look(window: &Window, say: &str) -> Result<(String, bool), Failure> {
    let button = format!("[data-say='{say}'] button");
    window
        .until_with("the frame has come", "return document.querySelector(arguments[0])?.disabled === false", vec![button.clone().into()])
        .await?;
    window.ask::<()>("document.querySelector(arguments[0]).focus()", vec![button.into()]).await?;
    window.until("a frame is lit", "return document.querySelectorAll('[data-testid=tour-frame].lit').length === 1").await?;
    let lit: String =
        window.ask("return document.querySelector('[data-testid=tour-frame].lit').innerText.replace(/\\s+/g, ' ')", vec![]).await?;
    window.ask::<()>("document.querySelector('[data-testid=tour-frame].lit').focus()", vec![]).await?;
    let back = "return document.querySelector(arguments[0]).classList.contains('lit')";
    window.until_with("the frame lights its sentence", back, vec![format!("[data-say='{say}']").into()]).await?;
    Ok((lit, true))
}

/// Goes through all stops. Gives, for each sentence, the frame it lights.
async fn walk(window: &Window, pictures: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut seen = Vec::new();
    for (n, (stop, scenes)) in STOPS.iter().enumerate() {
        for (scene, says) in *scenes {
            if scenes.len() > 1 {
                window.segment("tour-scene", scene).await?;
            }
            played(window, stop, scene).await?;
            for say in *says {
                let (frame, lights_back) = look(window, say).await?;
                assert!(lights_back);
                seen.push(((*say).to_owned(), frame));
            }
            let first = says[0];
            window.click(&format!("[data-say='{first}'] button")).await?;
            window
                .until(
                    "its bytes are there",
                    "return (document.querySelector('[data-testid=tour] [data-testid=hex]')?.dataset.bytes ?? '') !== ''",
                )
                .await?;
            assert!(window.count("[data-testid=tour] [data-testid=layer-node]").await? > 0, "{stop}: its tree is there");
            window.ask::<()>("document.activeElement?.blur()", vec![]).await?;
            picture(window, &format!("tour-{pictures}-{}-{stop}-{scene}", n + 1)).await?;
        }
        window.click("tour-next").await?;
    }
    window.until("it is closed", "return document.querySelector('[data-testid=tour]') === null").await?;
    Ok(seen)
}

/// The bytes that are chosen once a sentence is clicked, as text.
async fn chosen(window: &Window, say: &str) -> Result<String, Failure> {
    window.click(&format!("[data-say='{say}'] button")).await?;
    let script = "const bytes = document.querySelector('[data-testid=tour] [data-testid=hex]')?.dataset.bytes ?? '';
        return bytes.replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)))";
    let mut text = String::new();
    for _ in 0..100 {
        let now: String = window.ask(script, vec![]).await?;
        if !now.is_empty() && now == text {
            break;
        }
        text = now;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(text)
}

fn frame<'a>(seen: &'a [(String, String)], say: &str) -> &'a str {
    seen.iter().find(|(name, _)| name == say).map_or("", |(_, frame)| frame.as_str())
}

#[test]
fn six_stops_run_live_in_both_languages() {
    stage("tour", async |window| {
        assert!(window.has("take-tour").await?, "an empty Playground offers it");
        open(window).await?;
        window.segment("tour-language", "en").await?;
        let seen = walk(window, "en").await?;
        for (say, part) in [
            ("head", "POST /v1/chat/completions"),
            ("length", "HTTP/1.1 200"),
            ("done", "[DONE]"),
            ("retry", "3000 ms"),
            ("id", "event 4 of 8"),
            ("on", "event 5 of 8"),
            ("accept", "POST"),
            ("masked", "hello"),
            ("plain", "hello"),
            ("ping", "ping tour"),
            ("pong", "pong tour"),
            ("close", "close 1000"),
            ("closed", "close 1000"),
            ("deployHttp", "503"),
            ("deployWs", "close 1012"),
            ("refused", "401"),
            ("let", "200"),
        ] {
            // `accept` stands at two stops; the first one found is that of the event stream.
            assert!(frame(&seen, say).contains(part), "{say}: {:?} lacks {part}", frame(&seen, say));
        }

        // Every request was an ordinary session: it is in the library and opens in the Playground.
        window.click("take-tour").await?;
        window.segment("tour-language", "zh-CN").await?;
        window.until("it speaks Chinese", "return document.querySelector('[data-testid=tour]').lang === 'zh-CN'").await?;
        walk(window, "zh").await?;
        open(window).await?;
        let kept: String = window.ask("return document.querySelector('[data-testid=tour]').lang", vec![]).await?;
        assert_eq!(kept, "zh-CN", "the language is kept");
        window.click("[data-testid=tour-stop]:last-child").await?;
        played(window, "door", "main").await?;
        window.click("[data-testid=tour-act][data-act=right]").await?;
        window.click("tour-open").await?;
        window.until("it is in the Playground", "return document.querySelector('[data-testid=tour]') === null").await?;
        window
            .until_with(
                "its outcome",
                "return document.querySelector('[data-testid=outcome]')?.dataset.outcome === arguments[0]",
                vec![json!("complete")],
            )
            .await
    });
}

#[test]
fn the_tour_goes_by_keyboard_and_reads_tokens() {
    stage("tour-keys", async |window| {
        window.click("take-tour").await?;
        played(window, "http", "main").await?;
        for _ in 0..5 {
            window.press(&['\u{e014}']).await?;
        }
        played(window, "door", "main").await?;
        window.press(&['\u{e012}']).await?;
        window.until("back", "return document.querySelector('[data-testid=tour]').dataset.stop === 'faults'").await?;
        window.click("[data-testid=tour-stop]:nth-child(3)").await?;
        played(window, "back", "main").await?;
        assert_eq!(chosen(window, "ask").await?.to_lowercase(), "last-event-id: 4\r\n");
        assert_eq!(chosen(window, "retry").await?, "retry: 3000\n");
        window.click("[data-testid=tour-stop]:last-child").await?;
        assert_eq!(window.attr("tour-jwt-expiry", "data-standing").await?, "expired", "the example ended in 2011");
        assert!(window.text("tour-jwt-parts").await?.contains("\"joe\""));
        window.fill("tour-jwt", "not.a").await?;
        window.find("tour-jwt-fault").await?;
        assert!(!window.text("tour-jwt-fault").await?.is_empty());
        window.press(&[key::ESCAPE]).await?;
        window.until("Escape closes it", "return document.querySelector('[data-testid=tour]') === null").await
    });
}
