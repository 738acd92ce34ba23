//! The keys: set, read, delete, and what is known of them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::keychain::{Keychain, Vault, of_this_system};
use crate::ledger::{Content, Ledger, MOST_USES, Row, now};
use crate::redact::Live;
use crate::{Error, KeptIn, KeyInfo, KeyKind, Secret, SecretUse, StoreState, TestResult, header};

/// The keys of one home folder. Clones share the keys in memory.
///
/// Calls block. On Linux, where a call never prompts by itself, the keychain has 5 s to answer; on macOS and Windows, where
/// any call may, 60 s, as [`Keys::unlock`] has everywhere. After that the call fails with `keychain-timeout`.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    vault: Vault,
    ledger: Ledger,
    memory: Mutex<BTreeMap<String, Held>>,
    live: Live,
}

/// A key kept in memory. The secret is wiped when this is dropped and no request still uses it.
struct Held {
    key: Secret,
    row: Row,
}

impl Keys {
    /// The keys listed in `home/keys.json` (created when there is something to write). The keychain is not touched yet, and
    /// a damaged file is no error: see [`Keys::warnings`].
    pub fn open(home: &Path) -> Self {
        Self::with(home, of_this_system())
    }

    pub(crate) fn with(home: &Path, keychain: Arc<dyn Keychain>) -> Self {
        let keys = Self(Arc::new(Inner {
            vault: Vault::new(keychain),
            ledger: Ledger::new(home),
            memory: Mutex::default(),
            live: Live::default(),
        }));
        // Read once, so that a damaged file is known from the start.
        keys.0.ledger.content();
        keys
    }

    /// Whether the keychain can be used now. It is asked each time, without a prompt: one that appears or is unlocked later is seen.
    pub fn state(&self) -> StoreState {
        self.0.vault.state()
    }

    /// The keys by provider. A key in memory hides one in the keychain for the same provider.
    pub fn list(&self) -> Vec<KeyInfo> {
        let Content { keys, tests, .. } = self.0.ledger.content();
        let tests = &tests;
        let info = |provider: &str, row: &Row, kept_in| KeyInfo {
            provider: provider.to_owned(),
            kind: row.kind,
            kept_in,
            ends_in: row.ends_in.clone(),
            added_at: row.added_at,
            tested: tests.get(provider).cloned(),
            used_at: row.used_at,
        };
        let mut all: BTreeMap<String, KeyInfo> =
            keys.iter().map(|(provider, row)| (provider.clone(), info(provider, row, KeptIn::Keychain))).collect();
        for (provider, held) in self.memory().iter() {
            all.insert(provider.clone(), info(provider, &held.row, KeptIn::Memory));
        }
        all.into_values().collect()
    }

    /// Keeps an API key. See [`Keys::set_as`].
    pub fn set(&self, provider: &str, key: Secret, keep: KeptIn) -> Result<KeyInfo, Error> {
        self.set_as(provider, KeyKind::ApiKey, key, keep)
    }

    /// Keeps a secret in place of the one the provider had there. Into the keychain: a key in memory is dropped. Into
    /// memory: a key in the keychain stays, hidden until this one is forgotten.
    ///
    /// # Errors
    /// By blame of the user: a provider id that is not a lower-case name, an empty key, an API key with characters that no
    /// header can carry. By blame of the configuration: `keychain-*`; nothing is then kept anywhere.
    pub fn set_as(&self, provider: &str, kind: KeyKind, key: Secret, keep: KeptIn) -> Result<KeyInfo, Error> {
        check_name(provider)?;
        if key.is_empty() {
            return Err(Error::empty());
        }
        if kind == KeyKind::ApiKey {
            header::check_key(&key).map_err(|error| Error { consequence: "Nothing was stored.".into(), ..error })?;
        }
        self.0.live.add(&key);
        // The end of a PEM file is the same for every key.
        let ends_in = if kind == KeyKind::JwtSigning { String::new() } else { key.ends_in() };
        let row = Row { kind, ends_in, added_at: now(), used_at: None };
        match keep {
            KeptIn::Memory => {
                self.memory().insert(provider.to_owned(), Held { key, row: row.clone() });
                self.forget_test(provider);
            }
            KeptIn::Keychain => {
                self.0.vault.write(provider, key)?;
                let listed = self.0.ledger.change(|content| {
                    content.keys.insert(provider.to_owned(), row.clone());
                    content.tests.remove(provider);
                });
                self.memory().remove(provider);
                listed.map_err(|error| Error {
                    consequence: "The key is in the keychain and works, but it is not listed.".into(),
                    ..error
                })?;
            }
        }
        let Row { kind, ends_in, added_at, .. } = row;
        Ok(KeyInfo { provider: provider.to_owned(), kind, kept_in: keep, ends_in, added_at, tested: None, used_at: None })
    }

    /// Reads a key to use it, from memory or else from the keychain, and puts the use on record: `used_for` says where it
    /// goes, e.g. `Authorization → api.openai.com:443`. If the record cannot be written the key is still given out, and
    /// [`Keys::warnings`] says so.
    ///
    /// # Errors
    /// `key-missing`, `keychain-*`, `provider-name`. A keychain that is locked is not unlocked here.
    pub fn read(&self, provider: &str, used_for: &str) -> Result<Secret, Error> {
        check_name(provider)?;
        let at = now();
        let held = self.memory().get_mut(provider).map(|held| {
            held.row.used_at = Some(at);
            held.key.clone()
        });
        let in_memory = held.is_some();
        let key = match held {
            Some(key) => key,
            None => self.0.vault.read(provider)?,
        };
        self.0.live.add(&key);
        let used_for = self.0.live.redact(used_for);
        let recorded = self.0.ledger.change(|content| {
            let mut ends_in = key.ends_in();
            if !in_memory {
                // A key that another program or an earlier list knew of is listed again.
                let row = content.keys.entry(provider.to_owned()).or_insert_with(|| Row {
                    kind: KeyKind::ApiKey,
                    ends_in: ends_in.clone(),
                    added_at: at,
                    used_at: None,
                });
                if row.kind == KeyKind::JwtSigning {
                    ends_in.clear();
                }
                row.ends_in.clone_from(&ends_in);
                row.used_at = Some(at);
            }
            content.uses.insert(0, SecretUse { at, provider: provider.to_owned(), ends_in, used_for });
            content.uses.truncate(MOST_USES);
        });
        if let Err(error) = recorded {
            self.0.ledger.warn(Error { consequence: format!("A use of the key for {provider} is missing from the record."), ..error });
        }
        Ok(key)
    }

    /// Deletes the provider's key, from memory and from the keychain. `Ok` too when another program deleted it before.
    ///
    /// # Errors
    /// `key-missing` if none was known; `keychain-*`: the key is then still there, in memory too.
    pub fn delete(&self, provider: &str) -> Result<(), Error> {
        check_name(provider)?;
        let listed = self.0.ledger.content().keys.contains_key(provider);
        // Not listed is not the same as not there: the list may have been lost. A key in memory is proof enough of what is meant.
        let stored = (listed || !self.memory().contains_key(provider)) && self.0.vault.delete(provider)?;
        let held = self.memory().remove(provider).is_some();
        if !(listed || stored || held) {
            return Err(Error { consequence: "Nothing was deleted.".into(), ..Error::no_key(provider) });
        }
        self.0.ledger.change(|content| {
            content.keys.remove(provider);
            content.tests.remove(provider);
        })
    }

    /// Notes the outcome of a test request, for a provider with or without a key.
    pub fn note_test(&self, provider: &str, result: TestResult) {
        let result = TestResult { detail: self.0.live.redact(&result.detail), ..result };
        if let Err(error) =
            check_name(provider).and_then(|()| self.0.ledger.change(|content| content.tests.insert(provider.to_owned(), result)))
        {
            self.0.ledger.warn(error);
        }
    }

    /// The last test of each provider, those without a key included.
    pub fn tests(&self) -> BTreeMap<String, TestResult> {
        self.0.ledger.content().tests
    }

    /// Drops all keys kept in memory. Keys in the keychain stay.
    pub fn forget_session_keys(&self) {
        let held = std::mem::take(&mut *self.memory());
        for provider in held.keys() {
            self.forget_test(provider);
        }
    }

    /// The last 500 uses of keys, newest first.
    pub fn uses(&self) -> Vec<SecretUse> {
        self.0.ledger.content().uses
    }

    /// Asks the user for the keychain's password where the keychain can do so, and waits up to 60 s for it.
    ///
    /// # Errors
    /// `keychain-denied` when the prompt was dismissed or could not be shown, `keychain-timeout`, `keychain-missing`.
    pub fn unlock(&self) -> Result<(), Error> {
        self.0.vault.unlock()
    }

    /// What went wrong with `keys.json` since opening: damaged and moved aside, not readable, not writable.
    pub fn warnings(&self) -> Vec<Error> {
        self.0.ledger.warnings()
    }

    /// `text` with every key that is in memory or in use replaced by as many stars as it has bytes.
    pub fn redact(&self, text: &str) -> String {
        self.0.live.redact(text)
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    fn memory(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A test says something of the key it was made with only.
    fn forget_test(&self, provider: &str) {
        if let Err(error) = self.0.ledger.change(|content| content.tests.remove(provider)) {
            self.0.ledger.warn(error);
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// A provider's id: 1 to 64 of `a-z 0-9 . _ -`, the first a letter or digit. It is the user name in the keychain.
fn check_name(id: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = id.as_bytes();
    let fine = (1..=64).contains(&bytes.len()) && plain(bytes[0]) && bytes.iter().all(|&byte| plain(byte) || b"._-".contains(&byte));
    if fine { Ok(()) } else { Err(Error::provider_name(id)) }
}
