//! What several tests do.

use std::time::Duration;

use weir_tests::window::{Failure, Window};

/// Sends what the composer holds and waits until the session is over; gives its outcome.
pub async fn send(window: &Window) -> Result<String, Failure> {
    window.click("send").await?;
    over(window).await
}

/// Waits until the session that was just sent is over; gives its outcome.
pub async fn over(window: &Window) -> Result<String, Failure> {
    // Send comes back with the outcome, and no sooner.
    let script = "return document.querySelector('[data-testid=send]') !== null && document.querySelector('[data-testid=outcome]') !== null";
    window.within(Duration::from_secs(60), "the session is over", script, vec![]).await?;
    window.attr("outcome", "data-outcome").await
}

/// Points the composer at a server of the test's own, as an endpoint that no provider's table holds.
pub async fn aim(window: &Window, base_url: &str) -> Result<(), Failure> {
    window.choose("provider", "own").await?;
    window.fill("base-url", base_url).await
}

/// The reply as it reads, each run of white space as one space.
pub async fn reply(window: &Window) -> Result<String, Failure> {
    // Without the gutter, which tells times and frames.
    let text: String =
        window.ask("return [...document.querySelectorAll('.reply .page')].map((e) => e.innerText).join('\\n')", vec![]).await?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Rows the table says there are.
pub async fn frames(window: &Window) -> Result<usize, Failure> {
    let text = window.text("frame-count").await?;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().map_err(|_| format!("“{text}” is no count").into())
}

/// Chooses a row of the frame table by its place among those in view, counted from the top.
pub async fn choose_row(window: &Window, place: usize) -> Result<i64, Failure> {
    // Slots are recycled, so their order in the document says nothing.
    let script = "const list = document.querySelector('[role=grid][aria-label=Frames]').getBoundingClientRect();
        const rows = [...document.querySelectorAll('[data-testid=frame-row][data-frame]')]
          .map((e) => [Number(e.dataset.frame), e.getBoundingClientRect()])
          .filter(([, box]) => box.height > 0 && box.top >= list.top + 20 && box.bottom <= list.bottom)
          .sort((a, b) => a[1].top - b[1].top);
        const row = rows[arguments[0]];
        return row ? [row[0], row[1].x + 60, row[1].y + row[1].height / 2] : null";
    window
        .until_with(
            "the row is in view",
            &format!("return (() => {{ {script} }})() !== null").replace("arguments[0]", &place.to_string()),
            vec![],
        )
        .await?;
    let before = selected(window).await?;
    let (_, x, y): (i64, f64, f64) = window.ask(script, vec![place.into()]).await?;
    window.click_at(x, y).await?;
    // The table may have moved on below the pointer: what counts is the row that was hit.
    window
        .until_with("a row is selected", &format!("const now = {SELECTED}; return now >= 0 && now !== arguments[0]"), vec![before.into()])
        .await?;
    selected(window).await
}

/// JavaScript for the frame of the selected row; -1 where none is.
pub const SELECTED: &str = "Number(document.querySelector('[data-testid=frame-row][data-frame][aria-selected=true]')?.dataset.frame ?? -1)";

/// The frame of the selected row; -1 where none is.
pub async fn selected(window: &Window) -> Result<i64, Failure> {
    window.ask(&format!("return {SELECTED}"), vec![]).await
}

/// A word of the reply that matches, and the point of the page where its middle is.
pub async fn word(window: &Window, pattern: &str) -> Result<(String, f64, f64), Failure> {
    let script = "const pattern = new RegExp(arguments[0], 'u');
        for (const run of document.querySelectorAll('.reply [data-at]')) {
          const found = pattern.exec(run.textContent);
          if (!found) continue;
          run.scrollIntoView({ block: 'center' });
          const range = document.createRange();
          range.setStart(run.firstChild, found.index);
          range.setEnd(run.firstChild, found.index + found[0].length);
          const box = range.getBoundingClientRect();
          return [found[0], box.x + box.width / 2, box.y + box.height / 2];
        }
        return ['', 0, 0]";
    let found: (String, f64, f64) = window.ask(script, vec![pattern.into()]).await?;
    if found.0.is_empty() { Err(format!("no word of the reply matches {pattern}").into()) } else { Ok(found) }
}

/// Bytes as the hex view gives them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Opens a menu and chooses what reads so in it.
pub async fn menu(window: &Window, trigger: &str, label: &str) -> Result<(), Failure> {
    window.click(trigger).await?;
    let script = "const item = [...document.querySelectorAll('[role^=menuitem]')].find((e) => e.innerText.trim().split('\\n')[0] === arguments[0]); item?.click(); return item !== undefined";
    window.until_with(&format!("{label} is in the menu"), script, vec![label.into()]).await
}

/// Chooses a dialect by the name it has for people.
pub async fn dialect(window: &Window, name: &str) -> Result<(), Failure> {
    menu(window, "dialect", name).await
}

/// Types a model that no list need hold.
pub async fn model(window: &Window, name: &str) -> Result<(), Failure> {
    window.fill("model", name).await?;
    window.press(&['\u{e007}']).await?;
    let stands = "return document.querySelector('[data-testid=model]').dataset.value === arguments[0]";
    window.until_with("the model stands", stands, vec![name.into()]).await
}

/// Replaces the text of a code editor.
pub async fn rewrite(window: &Window, editor: &str, text: &str) -> Result<(), Failure> {
    window.click(editor).await?;
    window.press(&['\u{e009}', 'a']).await?;
    window.find(editor).await?.send_keys(text).await.map_err(|error| format!("{editor}: {error}").into())
}
