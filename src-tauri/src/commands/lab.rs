//! The Lab view.

use weir_sessions::Error;

use crate::ipc::LabState;
use crate::state::App;

pub async fn lab(app: App) -> Result<LabState, Error> {
    Ok(app.lab.state(&app.engine).await)
}

pub async fn start_lab(app: App, port: Option<u16>) -> Result<LabState, Error> {
    app.lab.start(&app.engine, port).await;
    lab(app).await
}

pub async fn stop_lab(app: App) -> Result<LabState, Error> {
    app.lab.stop(&app.engine).await;
    lab(app).await
}

pub async fn set_lab(app: App, settings: weir_lab::Settings) -> Result<LabState, Error> {
    app.lab.set(&app.engine, settings).await?;
    lab(app).await
}

pub async fn close_lab_connections(app: App) -> Result<(), Error> {
    app.lab.close_all().await;
    Ok(())
}
