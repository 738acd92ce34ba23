//! One session in the window, from the first click to the exported file, and one comparison.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use weir_tests::window::{Desktop, Failure, Keychain, Window, key, out};

/// Runs a lane of the comparison: enough for its table and charts, and over in seconds.
const RUNS: &str = "6";

/// What to ask of whom.
#[derive(Debug, Default)]
pub struct Wish {
    provider: Option<String>,
    base_url: Option<String>,
    model: Option<String>,
    prompt: Option<String>,
    temperature: Option<String>,
    /// `DIALECT/TRANSPORT` each; the window's own choice where there are none.
    routes: Vec<(String, String)>,
    picture: Option<PathBuf>,
}

impl Wish {
    /// Reads `--name value` pairs; what it does not know it leaves alone.
    pub fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut wish = Self::default();
        while let Some(name) = arguments.next() {
            let value = arguments.next();
            match name.as_str() {
                "--provider" => wish.provider = value,
                "--base-url" => wish.base_url = value,
                "--model" => wish.model = value,
                "--prompt" => wish.prompt = value,
                "--temperature" => wish.temperature = value,
                "--route" => wish.routes.extend(value.as_deref().and_then(|v| v.split_once('/')).map(|(d, t)| (d.into(), t.into()))),
                "--picture" => wish.picture = value.map(PathBuf::from),
                other => eprintln!("{other} is not known"),
            }
        }
        wish
    }

    /// Nothing was asked for: the window is shown as it greets a newcomer, on the Lab.
    fn is_plain(&self) -> bool {
        self.base_url.is_none() && self.provider.is_none() && self.routes.is_empty() && self.picture.is_none()
    }
}

/// Runs it and writes the pictures and the exported session below `out/`.
pub async fn session(wish: &Wish) -> Result<(), Failure> {
    let begun = Instant::now();
    let window = Window::open(Desktop::start(Keychain::Unlocked)?).await?;
    println!("The window stood after {:.1} s.", begun.elapsed().as_secs_f64());
    compose(&window, wish).await?;
    let picture = wish.picture.clone().map_or_else(|| out("").map(|folder| folder.join("session.png")), Ok)?;
    let mut outcome = String::new();
    if wish.routes.is_empty() {
        outcome = send(&window).await?;
        show_a_word(&window).await?;
        window.screenshot(&picture).await?;
    }
    for (dialect, transport) in &wish.routes {
        route(&window, dialect, transport).await?;
        let ended = send(&window).await?;
        let text = window.text("reply").await?;
        println!("{dialect} over {transport}: {ended}, reply {:?}", text.chars().take(300).collect::<String>());
        show_a_word(&window).await?;
        let name = format!("{}-{dialect}-{transport}.png", picture.file_stem().unwrap_or_default().to_string_lossy());
        window.screenshot(&picture.with_file_name(name)).await?;
        outcome = if outcome.is_empty() || outcome == "complete" { ended } else { outcome };
    }

    window.go("sessions").await?;
    window.click("session-row").await?;
    window.click("session-export").await?;
    window.click("export-weir").await?;
    window.reads("toast", ".weir").await?;
    let exported = std::fs::read_dir(window.desktop().weir_home().join("exports"))?.flatten().next().ok_or("nothing was exported")?;
    let kept = out("")?.join(exported.file_name());
    std::fs::copy(exported.path(), &kept)?;
    if wish.is_plain() {
        let picture = out("")?.join("weir.png");
        compare(&window).await?;
        window.screenshot(&picture).await?;
        println!("out/weir.png");
    }
    window.close().await?;
    println!("out/{}", picture.file_name().unwrap_or_default().to_string_lossy());
    println!("out/{}", kept.file_name().unwrap_or_default().to_string_lossy());
    if outcome == "complete" { Ok(()) } else { Err(format!("The session ended as {outcome}.").into()) }
}

async fn compose(window: &Window, wish: &Wish) -> Result<(), Failure> {
    if let Some(provider) = &wish.provider {
        window.choose("provider", provider).await?;
    }
    if let Some(url) = &wish.base_url {
        window.click("[aria-label='Use another base URL']").await?;
        window.fill("base-url", url).await?;
    }
    if let Some(model) = &wish.model {
        window.fill("model", model).await?;
        window.press(&['\u{e007}']).await?;
    }
    if let Some(temperature) = &wish.temperature {
        window.fill("param-temperature", temperature).await?;
    }
    if let Some(prompt) = &wish.prompt {
        window.fill("prompt", prompt).await?;
    }
    Ok(())
}

/// Sends what stands in the composer and waits for the end; tells the outcome.
async fn send(window: &Window) -> Result<String, Failure> {
    window.click("send").await?;
    let over = "return document.querySelector('[data-testid=outcome]') !== null && document.querySelector('[data-testid=stop]') === null";
    window.within(Duration::from_secs(120), "the reply is over", over, Vec::new()).await?;
    let outcome = window.attr("outcome", "data-outcome").await?;
    println!("{} frames, first text after {}, outcome {outcome}.", window.text("metric-frames").await?, window.text("metric-ttft").await?);
    Ok(outcome)
}

/// The comparison that the window offers first, with few runs.
async fn compare(window: &Window) -> Result<(), Failure> {
    window.go("compare").await?;
    window.find("lane").await?;
    window.fill("compare-runs", RUNS).await?;
    window.press(&[key::CONTROL, key::ENTER]).await?;
    window.find("compare-stop").await?;
    let over = "return !!document.querySelector('[data-testid=compare-run]') && /of/.test(document.querySelector('[data-testid=compare-progress]')?.innerText ?? '') && document.querySelectorAll('[data-testid=compare-table] [data-figure]').length > 0";
    window.within(Duration::from_secs(120), "the comparison is over", over, Vec::new()).await?;
    println!("Compared: {}.", window.text("compare-progress").await?.split_whitespace().collect::<Vec<_>>().join(" "));
    Ok(())
}

/// Chooses how to ask.
async fn route(window: &Window, dialect: &str, transport: &str) -> Result<(), Failure> {
    if window.attr("dialect", "data-value").await? != dialect {
        let name = weir_dialects::dialect::find(dialect).ok_or("no such dialect")?.name();
        window.click("dialect").await?;
        let choose = "const item = [...document.querySelectorAll('[role^=menuitem]')].find((e) => e.innerText.trim() === arguments[0]); item?.click(); return item !== undefined";
        window.until_with("the dialect is in the menu", choose, vec![name.into()]).await?;
    }
    if window.attr("transport", "data-value").await? != transport {
        window.segment("transport", transport).await?;
    }
    Ok(())
}

/// Clicks a word near the top of the reply, so that the picture shows the bytes that carried it.
async fn show_a_word(window: &Window) -> Result<(), Failure> {
    let place = "const runs = [...document.querySelectorAll('.reply [data-at]')];
        const long = /\\p{L}{6,}/u;
        const run = runs.find((e) => long.test(e.textContent)) ?? runs[0];
        run.scrollIntoView({ block: 'nearest' });
        const at = (long.exec(run.textContent)?.index ?? -3) + 3;
        const range = document.createRange();
        range.setStart(run.firstChild, at);
        range.setEnd(run.firstChild, at + 1);
        const box = range.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]";
    let (x, y): (f64, f64) = window.ask(place, Vec::new()).await?;
    window.click_at(x, y).await?;
    window.until("the word's bytes are shown", "return (document.querySelector('[data-testid=hex]')?.dataset.bytes ?? '') !== ''").await
}
