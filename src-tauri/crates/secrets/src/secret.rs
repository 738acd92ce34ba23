//! A value that cannot be printed or serialised.

use std::fmt;
use std::sync::{Arc, Weak};

use zeroize::Zeroizing;

/// A secret string. Its `Debug` prints `<redacted>`, it has no `Display` and no `Serialize`. Clones share one copy in
/// memory, which is wiped when the last of them is dropped.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes the secret over. Surrounding white space is dropped: keys are pasted with line ends.
    pub fn new(value: &str) -> Self {
        Self(Arc::new(Zeroizing::new(value.trim().to_owned())))
    }

    /// The secret itself. Call it only where it goes on the wire or into the keychain.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, or fewer for a short secret (nothing below 12 characters, so that no guess gets easy).
    pub fn ends_in(&self) -> String {
        let length = self.0.chars().count();
        if length < 12 { String::new() } else { self.0.chars().skip(length - 4).collect() }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A handle that finds the secret while it is in use somewhere and does not keep it alive.
    pub(crate) fn watch(&self) -> Weak<Zeroizing<String>> {
        Arc::downgrade(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}
