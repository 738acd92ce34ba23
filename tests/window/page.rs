//! What a user does to the page, and what a test asks of it. Elements go by their `data-testid`.

use std::path::Path;
use std::time::{Duration, Instant};

use fantoccini::Locator;
use fantoccini::actions::{InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::elements::Element;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Failure, Window};

/// Keys that are no characters (WebDriver, "keyboard actions").
pub mod key {
    /// Control.
    pub const CONTROL: char = '\u{e009}';
    /// Shift.
    pub const SHIFT: char = '\u{e008}';
    /// Enter.
    pub const ENTER: char = '\u{e007}';
    /// Escape.
    pub const ESCAPE: char = '\u{e00c}';
    /// Home.
    pub const HOME: char = '\u{e011}';
    /// End.
    pub const END: char = '\u{e010}';
    /// Backspace.
    pub const BACKSPACE: char = '\u{e003}';
    /// Arrow down.
    pub const DOWN: char = '\u{e015}';
}

/// Longest wait for anything that does not say otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

impl Window {
    /// The first element with this `data-testid`, or for anything else with `[`, `.`, `#` or a space in it, of this CSS selector.
    ///
    /// # Errors
    /// It is not there within 20 s.
    pub async fn find(&self, name: &str) -> Result<Element, Failure> {
        let selector = selector(name);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.client().wait().at_most(left).for_element(Locator::Css(&selector)).await {
                Ok(found) => return Ok(found),
                // WebKit's driver looks an element up in two steps; between them the page may have put another in its place.
                Err(error) if error.to_string().contains("Stale element found when trying to create") && !left.is_zero() => {}
                Err(error) => return Err(format!("{name} is not on the page: {error}").into()),
            }
        }
    }

    /// It is on the page now.
    ///
    /// # Errors
    /// The driver's.
    pub async fn has(&self, name: &str) -> Result<bool, Failure> {
        Ok(!self.client().find_all(Locator::Css(&selector(name))).await?.is_empty())
    }

    /// Clicks.
    ///
    /// # Errors
    /// It is not there, or something lies over it.
    pub async fn click(&self, name: &str) -> Result<(), Failure> {
        self.find(name).await?.click().await.map_err(|error| format!("{name} cannot be clicked: {error}").into())
    }

    /// The text a user reads there.
    ///
    /// # Errors
    /// It is not there.
    pub async fn text(&self, name: &str) -> Result<String, Failure> {
        self.find(name).await?;
        self.ask("return document.querySelector(arguments[0])?.innerText ?? ''", vec![selector(name).into()]).await
    }

    /// An attribute; "" where it has none.
    ///
    /// # Errors
    /// It is not there.
    pub async fn attr(&self, name: &str, attribute: &str) -> Result<String, Failure> {
        Ok(self.find(name).await?.attr(attribute).await?.unwrap_or_default())
    }

    /// Replaces what stands in a text field.
    ///
    /// # Errors
    /// It is not there, or takes no text.
    pub async fn fill(&self, name: &str, text: &str) -> Result<(), Failure> {
        let field = self.find(name).await?;
        field.click().await?;
        self.press(&[key::CONTROL, 'a']).await?;
        self.press(&[key::BACKSPACE]).await?;
        if !text.is_empty() {
            field.send_keys(text).await?;
        }
        Ok(())
    }

    /// Chooses an option of a drop-down list by its value.
    ///
    /// # Errors
    /// It is not there.
    pub async fn choose(&self, name: &str, value: &str) -> Result<(), Failure> {
        if self.attr(name, "data-value").await? == value {
            return Ok(());
        }
        self.click(name).await?;
        self.click(&format!("[role=listbox] [data-value='{value}']")).await?;
        self.until_with(
            "the choice stands",
            "return document.querySelector(arguments[0]).dataset.value === arguments[1]",
            vec![selector(name).into(), value.into()],
        )
        .await
    }

    /// Chooses one of a row of buttons that exclude each other.
    ///
    /// # Errors
    /// It is not there.
    pub async fn segment(&self, name: &str, value: &str) -> Result<(), Failure> {
        self.click(&format!("{} [data-value='{value}']", selector(name))).await?;
        self.until_with(
            "the choice stands",
            "return document.querySelector(arguments[0]).dataset.value === arguments[1]",
            vec![selector(name).into(), value.into()],
        )
        .await
    }

    /// Goes to a view and waits until it stands.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn go(&self, view: &str) -> Result<(), Failure> {
        self.click(&format!("nav-{view}")).await?;
        self.until_with(
            "the view stands",
            "return document.querySelector(arguments[0])?.getAttribute('aria-current') === 'page'",
            vec![selector(&format!("nav-{view}")).into()],
        )
        .await
    }

    /// Presses keys together and lets them go again.
    ///
    /// # Errors
    /// The driver's.
    pub async fn press(&self, keys: &[char]) -> Result<(), Failure> {
        let mut actions = KeyActions::new("keyboard".into());
        for &value in keys {
            actions = actions.then(KeyAction::Down { value });
        }
        for &value in keys.iter().rev() {
            actions = actions.then(KeyAction::Up { value });
        }
        Ok(self.client().perform_actions(actions).await?)
    }

    /// Clicks at a point of the page, in CSS pixels.
    ///
    /// # Errors
    /// The driver's.
    pub async fn click_at(&self, x: f64, y: f64) -> Result<(), Failure> {
        let actions = MouseActions::new("mouse".into())
            .then(PointerAction::MoveTo { duration: None, x, y })
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        Ok(self.client().perform_actions(actions).await?)
    }

    /// Runs the body of a JavaScript function in the page and gives what it returns.
    ///
    /// # Errors
    /// It threw, or returned something else.
    pub async fn ask<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> Result<T, Failure> {
        let value = self.client().execute(script, arguments).await.map_err(|error| format!("{script}: {error}"))?;
        serde_json::from_value(value).map_err(|error| format!("{script}: {error}").into())
    }

    /// Waits until a function's body returns true.
    ///
    /// # Errors
    /// It did not within 20 s.
    pub async fn until(&self, what: &str, script: &str) -> Result<(), Failure> {
        self.until_with(what, script, Vec::new()).await
    }

    /// The same, with arguments.
    ///
    /// # Errors
    /// It did not within 20 s.
    pub async fn until_with(&self, what: &str, script: &str, arguments: Vec<Value>) -> Result<(), Failure> {
        self.within(PATIENCE, what, script, arguments).await
    }

    /// The same, with another patience.
    ///
    /// # Errors
    /// It did not in that time.
    pub async fn within(&self, patience: Duration, what: &str, script: &str, arguments: Vec<Value>) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            if self.ask::<Value>(script, arguments.clone()).await? == json!(true) {
                return Ok(());
            }
            if begun.elapsed() > patience {
                return Err(format!("waited {patience:?} until {what}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an element's text holds `part`.
    ///
    /// # Errors
    /// It did not within 20 s.
    pub async fn reads(&self, name: &str, part: &str) -> Result<(), Failure> {
        let script = "return (document.querySelector(arguments[0])?.innerText ?? '').includes(arguments[1])";
        self.until_with(&format!("{name} reads “{part}”"), script, vec![selector(name).into(), part.into()]).await
    }

    /// How many there are.
    ///
    /// # Errors
    /// The driver's.
    pub async fn count(&self, name: &str) -> Result<usize, Failure> {
        self.ask("return document.querySelectorAll(arguments[0]).length", vec![selector(name).into()]).await
    }

    /// Makes the window this large, where the display's window manager lets it.
    ///
    /// # Errors
    /// The driver's.
    pub async fn resize(&self, width: u32, height: u32) -> Result<(), Failure> {
        self.client().set_window_size(width, height).await?;
        self.until_with("the window has its size", "return Math.abs(innerWidth - arguments[0]) < 2", vec![width.into()]).await
    }

    /// Writes what the page shows as a PNG.
    ///
    /// # Errors
    /// The driver's, or the disk's.
    pub async fn screenshot(&self, file: &Path) -> Result<(), Failure> {
        Ok(std::fs::write(file, self.client().screenshot().await?)?)
    }
}

/// `data-testid` values are plain words; anything with CSS's own characters is a selector.
fn selector(name: &str) -> String {
    if name.contains(['[', '.', '#', ' ', '>']) { name.to_owned() } else { format!("[data-testid='{name}']") }
}
