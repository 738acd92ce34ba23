//! `keys.json`: what is known of the keys and is not secret.
//!
//! The window and the command line share the file, so each change reads it anew under a lock, and replaces it in one step:
//! a reader sees the old file or the new one.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::{Blame, Error, KeyKind, SecretUse, TestResult};

/// The form this program writes.
const VERSION: u32 = 1;
/// How many uses are kept, newest first.
pub(crate) const MOST_USES: usize = 500;
/// The lock is held for one read and one write of a small file; longer means that its holder was stopped.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

/// A key in the keychain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub kind: KeyKind,
    pub ends_in: String,
    pub added_at: u64,
    #[serde(default)]
    pub used_at: Option<u64>,
}

/// All that the file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    version: u32,
    /// Keys in the keychain by provider. Keys in memory end with the process that holds them and are not listed.
    #[serde(default)]
    pub keys: BTreeMap<String, Row>,
    /// Last test by provider; those without a key are tested too.
    #[serde(default)]
    pub tests: BTreeMap<String, TestResult>,
    /// Newest first.
    #[serde(default)]
    pub uses: Vec<SecretUse>,
}

/// The file.
pub(crate) struct Ledger {
    path: PathBuf,
    warnings: Mutex<Vec<Error>>,
}

impl Ledger {
    pub(crate) fn new(home: &Path) -> Self {
        Self { path: home.join("keys.json"), warnings: Mutex::default() }
    }

    /// What the file holds now. A file that cannot be understood is moved aside with a warning and counts as empty; one that
    /// cannot be read counts as empty too, with a warning, and stays.
    pub(crate) fn content(&self) -> Content {
        self.try_content().unwrap_or_else(|error| {
            self.warn(error);
            Content::default()
        })
    }

    fn try_content(&self) -> Result<Content, Error> {
        match self.parse()? {
            Some(content) => Ok(content),
            // Seen damaged without the lock: look again with it, and move the file aside if it still is.
            None => self.lock().and_then(|_held| self.locked_content()),
        }
    }

    /// Changes the file. Nothing is written when `change` fails or changes nothing.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Content) -> T) -> Result<T, Error> {
        let _held = self.lock()?;
        let old = self.locked_content()?;
        let mut new = old.clone();
        let result = change(&mut new);
        if new != old {
            new.version = VERSION;
            self.write(&new).map_err(|cause| Error::file(&self.path, "written", &cause, "The list of keys is as it was before."))?;
        }
        Ok(result)
    }

    /// What went wrong with the file so far, oldest first, each thing once.
    pub(crate) fn warnings(&self) -> Vec<Error> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn warn(&self, error: Error) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&error) {
            warnings.push(error);
        }
    }

    /// The file's content, `None` if it is damaged.
    fn parse(&self) -> Result<Option<Content>, Error> {
        let unreadable =
            |cause: &dyn std::fmt::Display| Error::file(&self.path, "read", cause, "Keys in the keychain still work; they are not listed.");
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Some(Content::default())),
            Err(cause) => return Err(unreadable(&cause)),
        };
        /// Enough to tell a newer form from a damaged file.
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        match serde_json::from_slice::<Head>(&bytes) {
            Ok(head) if head.version > VERSION => Err(unreadable(&format!("version {} is of a newer Weir", head.version))),
            _ => Ok(serde_json::from_slice(&bytes).ok()),
        }
    }

    fn locked_content(&self) -> Result<Content, Error> {
        if let Some(content) = self.parse()? {
            return Ok(content);
        }
        let aside = self.path.with_file_name(format!("keys.damaged-{}.json", now()));
        fs::rename(&self.path, &aside)
            .map_err(|cause| Error::file(&self.path, "moved aside", &cause, "It is damaged, so keys in the keychain are not listed."))?;
        self.warn(Error {
            blame: Blame::Local,
            code: "keys-file-damaged",
            message: "The list of keys was damaged and has been moved aside.".into(),
            consequence:
                "The keys themselves are safe in the keychain; one is listed again when it is next used. The record of uses begins anew."
                    .into(),
            evidence: aside.display().to_string(),
            next: "Add missing keys again in Keys; delete the damaged file when it is no longer of interest.".into(),
        });
        Ok(Content::default())
    }

    fn lock(&self) -> Result<File, Error> {
        let failed = |cause: &dyn std::fmt::Display| Error::file(&self.path, "locked", cause, "The list of keys is as it was before.");
        if let Some(home) = self.path.parent() {
            fs::create_dir_all(home).map_err(|cause| failed(&cause))?;
        }
        let file =
            private().create(true).truncate(false).write(true).open(self.path.with_extension("lock")).map_err(|cause| failed(&cause))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_LIMIT => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::WouldBlock) => return Err(failed(&"another process has held the lock for 2 s")),
                Err(TryLockError::Error(cause)) => return Err(failed(&cause)),
            }
        }
    }

    fn write(&self, content: &Content) -> std::io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = private().create(true).truncate(true).write(true).open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(content)?)?;
        // Without it a power cut can leave the new name on an empty file.
        file.sync_data()?;
        drop(file);
        fs::rename(&new, &self.path)
    }
}

/// For this user's eyes only, where the system can say so.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
