//! The composer.

use weir_dialects::dialect;
use weir_dialects::provider::Provider;
use weir_sessions::Error;
use weir_sessions::models::{self, ModelList};
use weir_sessions::view::{DialectInfo, Draft, Preview, ReadBody};

use std::sync::PoisonError;

use weir_secrets::{KeptIn, KeyInfo};
use weir_sessions::code::{self, CodeSample};

use super::blocking;
use crate::ipc::Imported;
use crate::state::App;

pub async fn providers(app: App) -> Result<Vec<Provider>, Error> {
    Ok(app.engine.providers())
}

pub async fn dialects(_: App) -> Result<Vec<DialectInfo>, Error> {
    Ok(dialect::ALL.iter().map(|dialect| DialectInfo::of(*dialect)).collect())
}

pub async fn models(app: App, provider: String, base_url: Option<String>, refresh: bool) -> Result<ModelList, Error> {
    models::list(&app.engine, &provider, base_url.as_deref(), refresh).await
}

pub async fn save_provider(app: App, provider: Provider) -> Result<Vec<Provider>, Error> {
    blocking(move || app.engine.save_provider(provider)).await
}

pub async fn delete_provider(app: App, id: String) -> Result<Vec<Provider>, Error> {
    blocking(move || app.engine.delete_provider(&id)).await
}

pub async fn read_body(app: App, draft: Draft, body: String) -> Result<Option<ReadBody>, Error> {
    blocking(move || {
        let kept = |read: ReadBody| Ok(ReadBody { ask: app.engine.without_files(&read.ask)?, ..read });
        app.engine.read_body(&draft, &body).map(kept).transpose()
    })
    .await
}

/// Keeps an attached file; gives the reference that stands for it in a draft.
pub async fn attach(app: App, file: Vec<u8>) -> Result<String, Error> {
    blocking(move || app.engine.keep_file(&file)).await
}

/// The content of an attached file.
pub async fn attached(app: App, reference: String) -> Result<Vec<u8>, Error> {
    blocking(move || app.engine.file(&reference)).await
}

pub async fn import_curl(app: App, text: String) -> Result<Imported, Error> {
    blocking(move || {
        let mut found = weir_sessions::import_curl::read(&text)?;
        found.draft.ask = app.engine.without_files(&found.draft.ask)?;
        let key = found.key.as_ref().map(weir_secrets::Secret::ends_in);
        *app.found_key.lock().unwrap_or_else(PoisonError::into_inner) = found.key;
        Ok(Imported { draft: found.draft, key, notes: found.notes })
    })
    .await
}

pub async fn keep_found_key(app: App, provider: String, keep: KeptIn) -> Result<KeyInfo, Error> {
    blocking(move || {
        let found = app.found_key.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let key = found.ok_or_else(|| Error::missing("key of the imported command"))?;
        let kept = app.engine.keys().set(&provider, key, keep)?;
        // Only now: a locked keychain is unlocked and asked again.
        *app.found_key.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(kept)
    })
    .await
}

pub async fn forget_found_key(app: App) -> Result<(), Error> {
    *app.found_key.lock().unwrap_or_else(PoisonError::into_inner) = None;
    Ok(())
}

pub async fn code(app: App, draft: Draft) -> Result<Vec<CodeSample>, Error> {
    blocking(move || code::for_draft(&app.engine, &draft)).await
}

pub async fn preview(app: App, draft: Draft) -> Result<Preview, Error> {
    blocking(move || Ok(app.engine.preview(&draft))).await
}
