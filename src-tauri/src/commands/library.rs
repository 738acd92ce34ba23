//! The Sessions view.

use weir_sessions::view::{ExportFormat, SessionPage, SessionSummary, SessionsQuery};
use weir_sessions::{Error, library};

use super::blocking;
use crate::state::App;

pub async fn sessions(app: App, query: SessionsQuery) -> Result<SessionPage, Error> {
    blocking(move || library::page(&app.engine, &query)).await
}

/// Every tag in use, for the filter and the tag dialog.
pub async fn tags(app: App) -> Result<Vec<String>, Error> {
    blocking(move || Ok(app.engine.library().tags()?)).await
}

pub async fn rename_session(app: App, session: String, title: String) -> Result<(), Error> {
    blocking(move || {
        app.engine.library().rename(&session, &title)?;
        if let Some(open) = app.engine.opened(&session) {
            open.rename(&title);
        }
        Ok(())
    })
    .await
}

pub async fn tag_session(app: App, session: String, tags: Vec<String>) -> Result<(), Error> {
    blocking(move || Ok(app.engine.library().set_tags(&session, &tags)?)).await
}

pub async fn delete_sessions(app: App, sessions: Vec<String>) -> Result<(), Error> {
    blocking(move || Ok(app.engine.library().delete(&sessions)?)).await
}

pub async fn restore_sessions(app: App, sessions: Vec<String>) -> Result<(), Error> {
    blocking(move || Ok(app.engine.library().restore(&sessions)?)).await
}

/// Writes the export to the Downloads folder and tells the file's name.
pub async fn export_sessions(app: App, sessions: Vec<String>, format: ExportFormat) -> Result<String, Error> {
    blocking(move || library::export_to_downloads(&app.engine, &sessions, format)).await
}

/// Writes the sound of a block to the Downloads folder and tells the file's name.
pub async fn save_sound(app: App, session: String, block: u32) -> Result<String, Error> {
    blocking(move || library::sound_to_downloads(&app.engine, &session, block)).await
}

pub async fn import_session(app: App, file: Vec<u8>) -> Result<SessionSummary, Error> {
    blocking(move || library::import(&app.engine, &file)).await
}
