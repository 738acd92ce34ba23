//! The operating system's keychain, asked afresh each time and never waited for without end.

mod limit;
#[cfg(any(test, target_os = "macos", windows))]
mod native;
#[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
mod secret_service;
mod vault;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::CredentialStore;

use crate::error::Obstacle;

pub(crate) use vault::Vault;

/// The name under which all of Weir's items are kept.
const SERVICE: &str = "weir";

/// A keychain: keyring-core's store, and what keyring-core has no call for.
pub(crate) trait Keychain: Send + Sync {
    /// Its name for people.
    fn name(&self) -> &'static str;

    /// How long a call may take. Short where no call prompts, long where the system asks the user within the call.
    fn patience(&self) -> Duration;

    /// Whether the provider's item, or with `None` a new one, is within reach without a prompt.
    fn reach(&self, provider: Option<&str>) -> Result<(), Obstacle>;

    /// The store, opened now.
    fn store(&self) -> Result<Arc<CredentialStore>, Obstacle>;

    /// Modifiers for the store's entries: label, persistence.
    fn modifiers(&self, provider: &str) -> HashMap<&'static str, String>;

    /// Asks the user for the password, if the keychain can.
    fn unlock(&self) -> Result<(), Obstacle>;
}

/// The keychain of the system this runs on.
pub(crate) fn of_this_system() -> Arc<dyn Keychain> {
    #[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
    return Arc::new(secret_service::SecretService);
    #[cfg(any(target_os = "macos", windows))]
    return Arc::new(native::Native);
}
