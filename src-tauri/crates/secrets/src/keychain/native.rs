//! macOS's Keychain and Windows' Credential Manager: always there, and prompting by themselves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::CredentialStore;

use super::Keychain;
use crate::error::Obstacle;

/// The store that keyring picks for this system. Neither comes or goes while a program runs, so picking it once is enough.
pub(crate) struct Native;

impl Keychain for Native {
    fn name(&self) -> &'static str {
        if cfg!(windows) { "Credential Manager" } else { "Keychain" }
    }

    /// The system may ask for the login password, or whether this program may read the item, within any call.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn reach(&self, _provider: Option<&str>) -> Result<(), Obstacle> {
        self.store().map(drop)
    }

    fn store(&self) -> Result<Arc<CredentialStore>, Obstacle> {
        match keyring::Entry::store_status() {
            Ok(()) => keyring_core::get_default_store().ok_or_else(|| Obstacle::Missing("keyring has no store for this system.".into())),
            Err(cause) => Err(Obstacle::Missing(cause.to_string())),
        }
    }

    fn modifiers(&self, _provider: &str) -> HashMap<&'static str, String> {
        // Without it a key would roam to every machine of the user's domain.
        if cfg!(windows) { HashMap::from([("persistence", "Local".to_owned())]) } else { HashMap::new() }
    }

    fn unlock(&self) -> Result<(), Obstacle> {
        // Reading is what makes the system ask; that the item does not exist is as good an answer as any.
        let entry = self.store()?.build(super::SERVICE, "weir-unlock", None).map_err(|cause| Obstacle::Failed(cause.to_string()))?;
        match entry.get_secret() {
            Ok(_) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(cause) => Err(super::vault::obstacle(cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_time_for_a_prompt() {
        let native: &dyn Keychain = &Native;
        assert_eq!(native.patience(), Duration::from_secs(60));
        assert!(!native.name().is_empty());
    }
}
