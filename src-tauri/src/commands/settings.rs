//! The Settings view, and what views remember between runs.

use weir_sessions::view::Settings;
use weir_sessions::{Error, credentials};

use super::blocking;
use crate::ipc::About;
use crate::state::App;

pub async fn settings(app: App) -> Result<Settings, Error> {
    Ok(app.engine.settings())
}

pub async fn set_settings(app: App, settings: Settings) -> Result<(), Error> {
    blocking(move || app.engine.set_settings(settings)).await
}

pub async fn about(app: App) -> Result<About, Error> {
    blocking(move || Ok(About { version: env!("CARGO_PKG_VERSION").into(), library_bytes: app.engine.library().size() })).await
}

pub async fn remembered(app: App, name: String) -> Result<Option<String>, Error> {
    blocking(move || Ok(app.engine.library().setting(&format!("view.{name}")))).await
}

pub async fn remember(app: App, name: String, value: String) -> Result<(), Error> {
    // Drafts are among it, and a credential may have been typed into them.
    blocking(move || Ok(app.engine.library().set_setting(&format!("view.{name}"), &credentials::remembered(&value))?)).await
}
