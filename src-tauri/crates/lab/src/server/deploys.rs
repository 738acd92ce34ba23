//! Deploys under way: which path a deploy took its connection from, and how who comes back is met.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// By path, until when nobody answers there. A path that was down answers its next request in peace: the new version is up. The
/// request after that meets the next deploy.
#[derive(Debug, Default)]
pub(super) struct Deploys(HashMap<String, Instant>);

/// How a request that asks for a deploy is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// By the old version, which is about to go.
    Old,
    /// By nobody.
    Nobody,
    /// By the new version, which stays.
    New,
}

impl Deploys {
    /// A deploy has taken a connection at `path`; nobody answers there for `down`.
    pub(super) fn take(&mut self, path: &str, down: Duration) {
        self.0.insert(path.into(), Instant::now() + down);
    }

    pub(super) fn meet(&mut self, path: &str) -> Met {
        match self.0.get(path) {
            None => Met::Old,
            Some(until) if Instant::now() < *until => Met::Nobody,
            Some(_) => {
                self.0.remove(path);
                Met::New
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn old_then_nobody_then_new() {
        let mut deploys = Deploys::default();
        assert_eq!(deploys.meet("/a"), Met::Old);
        deploys.take("/a", Duration::from_secs(2));
        assert_eq!((deploys.meet("/a"), deploys.meet("/b")), (Met::Nobody, Met::Old));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((deploys.meet("/a"), deploys.meet("/a")), (Met::New, Met::Old));
    }
}
