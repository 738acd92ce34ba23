//! Every dialect over every transport, in the window, against the Lab: what it meant to say is what one reads there.

use weir_dialects::{Transport, dialect, provider};
use weir_tests::window::{Failure, Window};

use crate::stage::{picture, stage};
use crate::steps::{frames, reply, send, word};

/// Chooses a dialect of the provider that stands in the composer.
async fn choose(window: &Window, id: &str) -> Result<(), Failure> {
    if window.attr("dialect", "data-value").await? == id {
        return Ok(());
    }
    let name = dialect::find(id).ok_or("no such dialect")?.name();
    window.click("dialect").await?;
    let script = "const item = [...document.querySelectorAll('[role^=menuitem]')].find((e) => e.innerText.trim() === arguments[0]); item?.click(); return item !== undefined";
    window.until_with("the dialect is in the menu", script, vec![name.into()]).await?;
    let stands = "return document.querySelector('[data-testid=dialect]').dataset.value === arguments[0]";
    window.until_with("the dialect stands", stands, vec![id.into()]).await
}

/// What the composer offers of the Lab: every dialect with its transports.
fn offered() -> Vec<(&'static str, Transport)> {
    let lab = provider::find("lab").expect("the Lab is a provider");
    let all = lab.dialects.iter().filter(|(id, _)| id != "raw").filter_map(|(id, _)| dialect::find(id));
    all.flat_map(|dialect| dialect.transports().iter().map(|transport| (dialect.id(), *transport))).collect()
}

#[test]
fn each_replies_streams_and_leads_from_a_word_to_its_bytes() {
    stage("dialects", async |window| {
        let all = offered();
        assert!(all.len() > 12, "{all:?}");
        for (id, transport) in all {
            let what = format!("{id} over {}", transport.name());
            choose(window, id).await?;
            if window.attr("transport", "data-value").await? != transport.name() {
                window.segment("transport", transport.name()).await?;
            }
            assert_eq!(send(window).await?, "complete", "{what}");
            assert!(frames(window).await? > 3, "{what}");
            assert!(reply(window).await?.len() > 100, "{what}: {}", reply(window).await?);
            let (_, x, y) = word(window, "\\p{L}{5,}").await?;
            window.click_at(x, y).await?;
            let shown = "return (document.querySelector('[data-testid=hex]')?.dataset.bytes ?? '') !== '' && document.querySelector('[data-testid=frame-row][aria-selected=true]') !== null";
            window.until(&format!("{what}: the word's bytes are shown"), shown).await?;
            picture(window, &format!("dialect-{id}-{}", transport.name())).await?;
        }
        Ok(())
    });
}
