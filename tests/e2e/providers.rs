//! Providers of one's own and lists of models, in the window: added, used, changed, deleted.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use weir_lab::{Lab, LabConfig};
use weir_tests::window::{Failure, Window};

use crate::stage::{pictures, stage};
use crate::steps::{model, reply, send};

/// Lists two models to whoever asks, and counts.
fn lister() -> Result<(SocketAddr, Arc<AtomicUsize>), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (address, asked) = (listener.local_addr()?, Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            count.fetch_add(1, Ordering::SeqCst);
            let body = r#"{"object":"list","data":[{"id":"brook-1"},{"id":"brook-2"}]}"#;
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    Ok((address, asked))
}

/// Names in the open list of models.
const LISTED: &str = "[...document.querySelectorAll('[role=listbox] [data-value]')].map((e) => e.dataset.value)";

async fn the_lab_lists_its_models(window: &Window) -> Result<(), Failure> {
    window.click("model").await?;
    window.until("the Lab's models are listed", &format!("return {LISTED}.includes('lab/tools')")).await?;
    window.reads("models-refresh", "listed").await?;
    pictures(window, "models").await?;
    window.press(&['\u{e00c}']).await?;
    // A name that no list holds is sent as it was typed.
    model(window, "lab/of-my-own").await?;
    assert_eq!(send(window).await?, "failed");
    window.reads("error-banner", "lab/of-my-own").await?;
    model(window, "lab/bursty").await?;
    assert_eq!(send(window).await?, "complete");
    Ok(())
}

async fn add(window: &Window, name: &str, base: &str) -> Result<(), Failure> {
    window.click("provider").await?;
    window.click("provider-add").await?;
    window.fill("provider-name", name).await?;
    window.fill("provider-base", base).await
}

async fn one_is_added_used_changed_and_deleted(window: &Window, lab: &str) -> Result<(), Failure> {
    add(window, "My gateway", &format!("{lab}/v1")).await?;
    let id: String = window.ask("return document.querySelector('[data-testid=provider-id]').value", vec![]).await?;
    assert_eq!(id, "my-gateway", "the id follows the name");
    window.fill("#provider-models", "lab/steady").await?;
    pictures(window, "provider-dialog").await?;
    window.click("provider-save").await?;
    window.until("it is chosen", "return document.querySelector('[data-testid=provider]').dataset.value === 'my-gateway'").await?;
    window.until("its model too", "return document.querySelector('[data-testid=model]').dataset.value === 'lab/steady'").await?;
    window.fill("prompt", "Tell me about rivers and weirs, please.").await?;
    assert_eq!(send(window).await?, "complete");
    assert!(reply(window).await?.len() > 40);

    window.click("provider").await?;
    window.click("provider-change").await?;
    window.fill("provider-name", "My gateway, moved").await?;
    window.fill("provider-base", &format!("{lab}/nowhere")).await?;
    window.click("provider-save").await?;
    window.until("it has its new name", "return document.querySelector('[data-testid=provider]').value === 'My gateway, moved'").await?;
    assert_eq!(send(window).await?, "failed", "it goes to the new address");
    window.reads("error-banner", "404").await?;
    pictures(window, "provider-404").await?;

    window.click("provider").await?;
    window.click("provider-change").await?;
    window.click("provider-delete").await?;
    window.until("the Lab stands in", "return document.querySelector('[data-testid=provider]').dataset.value === 'lab'").await?;
    window.click("provider").await?;
    window.until("it is not offered", &format!("return {LISTED}.length > 5 && !{LISTED}.includes('my-gateway')")).await?;
    window.press(&['\u{e00c}']).await
}

async fn a_list_is_asked_for_once(window: &Window) -> Result<(), Failure> {
    let (address, asked) = lister()?;
    add(window, "Brook", &format!("http://{address}")).await?;
    window.click("[role=radiogroup][aria-label=Key] [data-value=required]").await?;
    window.click("provider-save").await?;
    window.until("it is chosen", "return document.querySelector('[data-testid=provider]').dataset.value === 'brook'").await?;
    window.go("keys").await?;
    if !window.has("key-value").await? {
        window.click("key-add").await?;
    }
    window.choose("key-provider", "brook").await?;
    window.fill("key-value", "not-a-real-key-of-anyone").await?;
    window.click("key-save").await?;
    window.find("[data-testid=key-row][data-provider=brook]").await?;
    window.go("playground").await?;
    let listed = format!("return {LISTED}.includes('brook-2')");
    let before = asked.load(Ordering::SeqCst);
    for _ in 0..2 {
        window.click("model").await?;
        window.until("its models are listed", &listed).await?;
        window.press(&['\u{e00c}']).await?;
    }
    assert_eq!(asked.load(Ordering::SeqCst), before + 1, "the list is kept");
    window.click("model").await?;
    window.click("models-refresh").await?;
    let begun = std::time::Instant::now();
    while asked.load(Ordering::SeqCst) < before + 2 {
        assert!(begun.elapsed().as_secs() < 20, "a refresh asks again");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(())
}

#[test]
fn providers_and_their_models() {
    stage("providers", async |window| {
        let lab = Lab::start(LabConfig { port: 0, ..LabConfig::default() }).await?;
        the_lab_lists_its_models(window).await?;
        one_is_added_used_changed_and_deleted(window, &format!("http://{}", lab.address())).await?;
        a_list_is_asked_for_once(window).await?;
        lab.stop().await;
        Ok(())
    });
}
