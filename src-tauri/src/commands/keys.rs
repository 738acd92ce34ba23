//! The Keys view. Values come in and never go out.

use weir_secrets::{KeptIn, KeyInfo, Secret, TestResult};
use weir_sessions::{Error, models};

use super::blocking;
use crate::ipc::KeysState;
use crate::state::App;

pub async fn keys(app: App) -> Result<KeysState, Error> {
    blocking(move || {
        let keys = app.engine.keys();
        let warnings = keys.warnings().into_iter().map(|error| *Error::from(error).0).collect();
        Ok(KeysState { store: keys.state(), keys: keys.list(), tests: keys.tests(), uses: keys.uses(), warnings })
    })
    .await
}

pub async fn set_key(app: App, provider: String, value: String, keep: KeptIn) -> Result<KeyInfo, Error> {
    let secret = Secret::new(&value);
    drop(value);
    blocking(move || Ok(app.engine.keys().set(&provider, secret, keep)?)).await
}

pub async fn delete_key(app: App, provider: String) -> Result<(), Error> {
    blocking(move || Ok(app.engine.keys().delete(&provider)?)).await
}

pub async fn test_key(app: App, provider: String) -> Result<TestResult, Error> {
    Ok(models::test_key(&app.engine, &provider).await)
}

pub async fn forget_session_keys(app: App) -> Result<(), Error> {
    app.engine.keys().forget_session_keys();
    Ok(())
}

pub async fn unlock_keychain(app: App) -> Result<(), Error> {
    blocking(move || Ok(app.engine.keys().unlock()?)).await
}
