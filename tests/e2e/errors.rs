//! What goes wrong is said with its cause, what follows from it, the evidence and the next step; and the next request works.

use std::net::{Ipv4Addr, TcpListener};

use weir_tests::peer::{Peer, sized};

use crate::stage::{picture, stage};
use crate::steps::{aim, send};

#[test]
fn a_port_where_nobody_listens() {
    stage("refused", async |window| {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        aim(window, &format!("http://127.0.0.1:{port}/v1")).await?;
        assert_eq!(send(window).await?, "failed");
        let banner = window.text("error-banner").await?;
        for part in
            [&format!("Nothing listens at 127.0.0.1:{port}") as &str, "Nothing was sent", "Connection refused", "Check host and port"]
        {
            assert!(banner.contains(part), "“{part}” in {banner}");
        }
        assert!(banner.contains("Try again"), "the next step can be taken: {banner}");
        picture(window, "refused").await?;

        // The view is as usable as before.
        window.choose("provider", "lab").await?;
        assert_eq!(send(window).await?, "complete");
        assert!(!window.has("error-banner").await?);
        Ok(())
    });
}

#[test]
fn a_server_that_limits_the_rate() {
    stage("rate-limit", async |window| {
        window.go("lab").await?;
        window.click("[data-fault='status-429']").await?;
        picture(window, "lab").await?;
        window.go("playground").await?;
        assert_eq!(send(window).await?, "failed");
        let banner = window.text("error-banner").await?;
        assert!(banner.contains("429"), "{banner}");
        picture(window, "rate-limit").await?;
        window.go("lab").await?;
        window.click("lab-faults-off").await?;
        window.go("playground").await?;
        assert_eq!(send(window).await?, "complete");
        Ok(())
    });
}

#[test]
fn an_address_that_is_none() {
    stage("bad-url", async |window| {
        aim(window, "not an address").await?;
        window.until("the composer says so", "return document.querySelector('.composer [role=alert]') !== null").await?;
        window.click("send").await?;
        window.reads("error-banner", "Nothing was sent").await?;
        Ok(())
    });
}

#[test]
fn a_reply_in_another_dialect_than_was_asked_for() {
    stage("other-dialect", async |window| {
        let event = |name: &str, data: &str| format!("event: {name}\ndata: {data}\n\n");
        let body = [
            event("message_start", r#"{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3,"output_tokens":1}}}"#),
            event("content_block_delta", r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#),
            event("message_stop", r#"{"type":"message_stop"}"#),
        ]
        .concat();
        let peer = Peer::play(sized("200 OK", "text/event-stream", body.as_bytes())).await;
        aim(window, &peer.url("http", "/v1")).await?;
        assert_eq!(send(window).await?, "failed");
        let banner = window.text("error-banner").await?;
        for part in ["looks like anthropic-messages", "not like openai-chat", "Choose the dialect anthropic-messages", "message_start"] {
            assert!(banner.contains(part), "“{part}” in {banner}");
        }
        // What came is kept, and can be looked into.
        assert!(crate::steps::frames(window).await? >= 3);
        picture(window, "other-dialect").await?;
        Ok(())
    });
}
