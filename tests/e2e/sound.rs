//! Sound of a reply in the window: it plays, or what is missing is said and the file can be saved.

use std::time::Duration;

use crate::stage::{pictures, stage};
use crate::steps::{dialect, send};

#[test]
fn sound_plays_or_says_what_is_missing_and_can_be_saved() {
    stage("sound", async |window| {
        dialect(window, "OpenAI Realtime").await?;
        // Sound is asked for in the session's set-up; the composer asks for text alone.
        window.click("tab-raw-body").await?;
        window.reads("raw-body", "session.update").await?;
        let body = r#"{"type":"session.update","session":{"type":"realtime","output_modalities":["audio"]}}
{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Say something."}]}}
{"type":"response.create"}"#;
        crate::steps::rewrite(window, "raw-body", body).await?;
        window.click("tab-request").await?;
        assert_eq!(send(window).await?, "complete");
        window.find("audio").await?;
        let facts = window.text("audio-facts").await?;
        assert!(facts.contains("PCM 24 kHz") && facts.contains("deltas"), "{facts}");
        window.click("audio-play").await?;
        // Either time moves on, or it is said that nothing can be heard here.
        let told = "const text = document.querySelector('[data-testid=audio]').innerText;
            return /\\b0:0[1-9] \\//.test(text) || text.includes('no sound output')";
        window.within(Duration::from_secs(30), "it plays or says why not", told, vec![]).await?;
        eprintln!("sound: {}", window.text("audio").await?);
        pictures(window, "sound").await?;
        window.click("audio-save").await?;
        let exports = window.desktop().weir_home().join("exports");
        let saved = async || loop {
            let found = std::fs::read_dir(&exports).ok().and_then(|mut files| {
                files.find_map(|file| file.ok().map(|file| file.path()).filter(|path| path.extension().is_some_and(|kind| kind == "wav")))
            });
            if let Some(path) = found {
                return std::fs::read(path);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let file = tokio::time::timeout(Duration::from_secs(20), saved()).await??;
        assert!(file.starts_with(b"RIFF") && file.len() > 10_000, "{} bytes", file.len());
        Ok(())
    });
}
