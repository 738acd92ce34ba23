//! Reading, writing and deleting one key in the keychain, within its time limit.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::{Entry, Error as StoreError};
use zeroize::Zeroizing;

use super::limit::Hung;
use super::{Keychain, SERVICE};
use crate::error::{Act, Error, Obstacle};
use crate::{Secret, StoreState};

/// A user needs this long to find and type a password.
const PROMPT: Duration = Duration::from_secs(60);

/// The keychain behind a time limit.
pub(crate) struct Vault {
    keychain: Arc<dyn Keychain>,
    hung: Hung,
}

impl Vault {
    pub(crate) fn new(keychain: Arc<dyn Keychain>) -> Self {
        Self { keychain, hung: Hung::default() }
    }

    pub(crate) fn state(&self) -> StoreState {
        match self.within(self.keychain.patience(), |keychain| keychain.reach(None)) {
            Ok(()) => StoreState::Available { name: self.keychain.name().to_owned() },
            Err(Obstacle::Locked(_)) => StoreState::Locked,
            Err(obstacle) => StoreState::Missing { evidence: obstacle.error(self.keychain.name(), "", Act::Read).evidence },
        }
    }

    pub(crate) fn unlock(&self) -> Result<(), Error> {
        self.within(PROMPT, |keychain| keychain.unlock()).map_err(|obstacle| obstacle.error(self.keychain.name(), "", Act::Unlock))
    }

    pub(crate) fn write(&self, provider: &str, key: Secret) -> Result<(), Error> {
        self.on(provider, Act::Set, move |entry| entry.set_password(key.expose()))
    }

    pub(crate) fn read(&self, provider: &str) -> Result<Secret, Error> {
        self.on(provider, Act::Read, |entry| entry.get_password().map(|key| Secret::new(&Zeroizing::new(key))))
    }

    /// Whether there was something to delete.
    pub(crate) fn delete(&self, provider: &str) -> Result<bool, Error> {
        match self.on(provider, Act::Delete, Entry::delete_credential) {
            Ok(()) => Ok(true),
            Err(error) if error.code == "key-missing" => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn on<T: Send + 'static>(
        &self,
        provider: &str,
        act: Act,
        call: impl Fn(&Entry) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        let id = provider.to_owned();
        self.within(self.keychain.patience(), move |keychain| {
            keychain.reach(Some(&id))?;
            let modifiers = keychain.modifiers(&id);
            let modifiers: HashMap<&str, &str> = modifiers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let entry = keychain.store()?.build(SERVICE, &id, Some(&modifiers)).map_err(obstacle)?;
            match call(&entry) {
                // The same key in two collections: the user copied it. All copies are written and deleted, the first one is read.
                Err(StoreError::Ambiguous(copies)) if act == Act::Read => {
                    copies.first().ok_or(StoreError::NoEntry).and_then(call).map_err(obstacle)
                }
                Err(StoreError::Ambiguous(copies)) => {
                    let mut results = copies.iter().map(call).collect::<Result<Vec<T>, _>>().map_err(obstacle)?;
                    results.pop().ok_or(Obstacle::NoEntry)
                }
                result => result.map_err(obstacle),
            }
        })
        .map_err(|obstacle| obstacle.error(self.keychain.name(), provider, act))
    }

    fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl FnOnce(&dyn Keychain) -> Result<T, Obstacle> + Send + 'static,
    ) -> Result<T, Obstacle> {
        let keychain = self.keychain.clone();
        self.hung.within(limit, move || call(keychain.as_ref()))
    }
}

/// What a store's error means. The variants that carry an item's bytes are never printed: they may be the key.
pub(super) fn obstacle(cause: StoreError) -> Obstacle {
    match cause {
        StoreError::NoEntry => Obstacle::NoEntry,
        StoreError::NoDefaultStore => Obstacle::Missing(cause.to_string()),
        StoreError::TooLong(_, limit) => Obstacle::TooLong(limit),
        StoreError::BadEncoding(bytes) | StoreError::BadDataFormat(bytes, _) => {
            drop(Zeroizing::new(bytes));
            Obstacle::Failed("The item is not text.".into())
        }
        StoreError::NoStorageAccess(cause) => platform(cause, Obstacle::Locked),
        StoreError::PlatformFailure(cause) => platform(cause, Obstacle::Failed),
        other => Obstacle::Failed(other.to_string()),
    }
}

/// What an error of the platform means, `otherwise` when it is none of those known.
fn platform(cause: Box<dyn std::error::Error + Send + Sync>, otherwise: fn(String) -> Obstacle) -> Obstacle {
    #[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
    let cause = match cause.downcast::<secret_service::Error>() {
        Ok(cause) => return super::secret_service::obstacle(*cause),
        Err(cause) => cause,
    };
    // Security.framework's error shows its OSStatus (SecBase.h) in its debug form only.
    let (text, status) = (cause.to_string(), format!("{cause:?}"));
    let is = |code: &str| status.contains(&format!("code: {code},")) || status.contains(&format!("code: {code} "));
    if is("-128") || is("-25293") {
        Obstacle::Denied(text) // errSecUserCanceled, errSecAuthFailed
    } else if is("-25308") || is("-25307") && text.contains("locked") {
        Obstacle::Locked(text) // errSecInteractionNotAllowed
    } else if is("-25291") || is("-25294") || is("-25307") {
        Obstacle::Missing(text) // errSecNotAvailable, errSecNoSuchKeychain, errSecNoDefaultKeychain
    } else {
        otherwise(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prints as Security.framework's error does.
    #[derive(Debug, thiserror::Error)]
    #[error("words of the system")]
    struct Error {
        #[allow(dead_code, reason = "read by Debug")]
        code: i32,
        #[allow(dead_code, reason = "read by Debug")]
        message: &'static str,
    }

    #[test]
    fn an_osstatus_is_told_apart() {
        let of = |code| obstacle(StoreError::PlatformFailure(Box::new(Error { code, message: "m" })));
        assert!(matches!(of(-128), Obstacle::Denied(_)));
        assert!(matches!(of(-25293), Obstacle::Denied(_)));
        assert!(matches!(of(-25308), Obstacle::Locked(_)));
        assert!(matches!(of(-25307), Obstacle::Missing(_)));
        assert!(matches!(of(-12800), Obstacle::Failed(_)), "no code is taken for the beginning of another");
    }

    #[test]
    fn an_items_bytes_are_not_printed() {
        let failed = obstacle(StoreError::BadEncoding(b"sk-canary\xff".to_vec()));
        assert!(!format!("{failed:?}").contains("115"), "{failed:?}");
        assert_eq!(failed, Obstacle::Failed("The item is not text.".into()));
    }
}
