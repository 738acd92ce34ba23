//! The composer.

use weir_dialects::provider::{self, Provider};
use weir_dialects::{Dialect, dialect};
use weir_sessions::view::{DialectInfo, Draft, Preview};
use weir_sessions::{Error, models};

use super::blocking;
use crate::state::App;

pub async fn providers(_: App) -> Result<Vec<Provider>, Error> {
    Ok(provider::ALL.to_vec())
}

pub async fn dialects(_: App) -> Result<Vec<DialectInfo>, Error> {
    let info = |dialect: &&dyn Dialect| DialectInfo {
        id: dialect.id().into(),
        name: dialect.name().into(),
        transports: dialect.transports().to_vec(),
    };
    Ok(dialect::ALL.iter().map(info).collect())
}

pub async fn models(app: App, provider: String, base_url: Option<String>) -> Result<Vec<String>, Error> {
    models::list(&app.engine, &provider, base_url.as_deref()).await
}

pub async fn preview(app: App, draft: Draft) -> Result<Preview, Error> {
    blocking(move || Ok(app.engine.preview(&draft))).await
}
