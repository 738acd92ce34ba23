//! A session in a tab.

use std::sync::PoisonError;

use weir_dialects::{Ask, Outgoing};
use weir_sessions::view::{Draft, SessionInfo};
use weir_sessions::{Error, KeyChoice};

use super::blocking;
use crate::state::App;

pub async fn send(app: App, draft: Draft) -> Result<SessionInfo, Error> {
    blocking(move || {
        let session = app.engine.send(&draft, KeyChoice::Stored, None)?;
        let info = session.info();
        app.hold(session);
        Ok(info)
    })
    .await
}

pub async fn stop(app: App, session: String) -> Result<(), Error> {
    app.session(&session)?.stop();
    Ok(())
}

pub async fn open(app: App, session: String) -> Result<SessionInfo, Error> {
    blocking(move || Ok(app.session(&session)?.info())).await
}

pub async fn close(app: App, session: String) -> Result<(), Error> {
    // A running session goes on and is kept; only its view is gone.
    app.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
    blocking(move || app.engine.close(&session)).await
}

pub async fn say(app: App, session: String, ask: Ask) -> Result<(), Error> {
    blocking(move || app.session(&session)?.say(&app.engine.with_files(&ask)?)).await
}

pub async fn tell(app: App, session: String, message: String, binary: bool) -> Result<(), Error> {
    app.session(&session)?.tell(Outgoing { text: message, binary, after: None })
}

pub async fn ping(app: App, session: String, payload: String) -> Result<(), Error> {
    app.session(&session)?.ping(&payload)
}

pub async fn hang_up(app: App, session: String) -> Result<(), Error> {
    app.session(&session)?.hang_up()
}
