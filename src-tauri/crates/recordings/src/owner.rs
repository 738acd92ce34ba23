//! Is the process that records a session still alive?
//!
//! Process ids are used again and cannot be asked about in the same way everywhere, so a process proves that it lives by
//! holding a lock: before it records, it creates `<library>-live-<token>` and locks it. The system drops the lock when the
//! process ends, however it ends. A session being written carries the token. Who finds such a session tries the lock:
//! taken, the writer lives; free or without a file, it is gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::{Error, database};

/// This library handle's proof of life.
#[derive(Debug)]
pub struct Owner {
    token: String,
    /// `None`: in memory, where no other process looks.
    path: Option<PathBuf>,
    held: Mutex<Option<File>>,
}

impl Owner {
    pub fn new(library: Option<&Path>) -> Result<Self, Error> {
        let token = database::random_name(16)?;
        let path = library.map(|library| file(library, &token));
        Ok(Self { token, path, held: Mutex::new(None) })
    }

    /// The token, with the lock held: what `owner` of a session that is written now says.
    pub fn claim(&self) -> Result<&str, Error> {
        let mut held = self.held.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let (None, Some(path)) = (&*held, &self.path) {
            let lock = OpenOptions::new().write(true).create_new(true).open(path).map_err(Error::io("create", path))?;
            lock.lock().map_err(Error::io("lock", path))?;
            *held = Some(lock);
        }
        Ok(&self.token)
    }

    /// The token, whether or not anything was claimed.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let held = self.held.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let (Some(lock), Some(path)) = (held, &self.path) {
            drop(lock);
            // Left behind, it is removed by whoever recovers next.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Does the holder of that token live? Removes the file of one that does not.
pub fn lives(library: &Path, token: &str) -> bool {
    // A token from a foreign file must not reach another folder.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    let path = file(library, token);
    let lock = match OpenOptions::new().write(true).open(&path) {
        Ok(lock) => lock,
        Err(error) => return error.kind() != std::io::ErrorKind::NotFound,
    };
    match lock.try_lock() {
        Ok(()) => {
            drop(lock);
            let _ = std::fs::remove_file(&path);
            false
        }
        // Where it cannot be told, the session is left alone.
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
    }
}

fn file(library: &Path, token: &str) -> PathBuf {
    let mut name = library.as_os_str().to_owned();
    name.push("-live-");
    name.push(token);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_lives_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("library.weir");
        let owner = Owner::new(Some(&library)).unwrap();
        assert!(!lives(&library, owner.token()), "nothing was claimed");
        let token = owner.claim().unwrap().to_string();
        assert!(lives(&library, &token));
        drop(owner);
        assert!(!lives(&library, &token));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_without_a_lock_is_a_dead_process() {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("library.weir");
        std::fs::write(file(&library, "abc"), "").unwrap();
        assert!(!lives(&library, "abc"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(!lives(&library, "../abc"));
    }
}
