//! The consoles.

use weir_sessions::Error;
use weir_sessions::view::{ConsoleDraft, ConsoleMessage, ConsolePage, ConsoleRule, MessageForm, SessionInfo};

use super::blocking;
use crate::ipc::IpcError;
use crate::state::App;

pub async fn console(app: App, draft: ConsoleDraft) -> Result<SessionInfo, Error> {
    blocking(move || {
        let session = app.engine.console(&draft)?;
        let info = session.info();
        app.hold(session);
        Ok(info)
    })
    .await
}

pub async fn console_url(app: App, url: String) -> Result<String, Error> {
    app.engine.resolved(&url)
}

pub async fn console_rows(app: App, session: String, filter: String, start: u32, count: u32) -> Result<ConsolePage, IpcError> {
    let work = move || Ok(app.session(&session)?.console_rows(&filter, start as usize, count as usize));
    Ok(blocking(work).await??)
}

pub async fn console_message(app: App, session: String, row: u32) -> Result<ConsoleMessage, Error> {
    blocking(move || app.session(&session)?.console_message(row)).await
}

pub async fn console_send(app: App, session: String, form: MessageForm, text: String) -> Result<(), Error> {
    app.session(&session)?.send_as(form, &text)
}

pub async fn console_close(app: App, session: String, code: u16, reason: String) -> Result<(), Error> {
    app.session(&session)?.close_as(code, &reason)
}

pub async fn console_answers(app: App, session: String, echo: bool, rules: Vec<ConsoleRule>) -> Result<(), Error> {
    app.session(&session)?.answer_by(echo, &rules)
}
