//! What may be known of a key outside the engine.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Where a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum KeptIn {
    /// The operating system's keychain: it stays after quitting.
    Keychain,
    /// This process's memory: gone, and wiped, when the program ends.
    Memory,
}

/// What the secret is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum KeyKind {
    /// A key sent in a header as it is.
    #[default]
    ApiKey,
    /// The client secret of OAuth 2 client credentials.
    OauthClient,
    /// A private key that signs JWTs.
    JwtSigning,
}

/// A key as the page sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct KeyInfo {
    /// The provider's lower-case id, or one the user made.
    pub provider: String,
    /// What the secret is.
    pub kind: KeyKind,
    /// Where it is kept.
    pub kept_in: KeptIn,
    /// Its last four characters, "" for a secret below 12 characters or of a kind whose end says nothing.
    pub ends_in: String,
    /// When it was set, in milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub added_at: u64,
    /// Outcome of the last test request.
    pub tested: Option<TestResult>,
    /// When it was last read, in milliseconds since the Unix epoch.
    #[ts(type = "number | null")]
    pub used_at: Option<u64>,
}

/// How a test request went, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum Verdict {
    /// The key works.
    Passed,
    /// The provider answered, and it says nothing about the key: rate limited, overloaded.
    Unclear,
    /// The provider refused the key, or could not be reached.
    Failed,
}

/// Outcome of a test request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TestResult {
    /// In one word.
    pub verdict: Verdict,
    /// HTTP status, when there was one.
    pub status: Option<u16>,
    /// Milliseconds from sending to the end of the reply.
    pub took_ms: Option<u32>,
    /// A few words: `84 models`, `API not enabled`. Known secrets in it are starred out before it is kept.
    pub detail: String,
    /// When, in milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub at: u64,
}

/// One reading of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SecretUse {
    /// When, in milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub at: u64,
    /// Whose key.
    pub provider: String,
    /// The key's last four characters, as [`KeyInfo::ends_in`].
    pub ends_in: String,
    /// Where it went, e.g. `Authorization → api.openai.com:443`.
    pub used_for: String,
}

/// Whether the operating system's keychain can be used now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "lowercase")]
#[ts(export)]
pub enum StoreState {
    /// It is there and unlocked.
    Available {
        /// `Secret Service`, `Keychain` or `Credential Manager`.
        name: String,
    },
    /// It is there and needs the user's password ([`crate::Keys::unlock`] asks for it).
    Locked,
    /// It is not there, or does not answer.
    Missing {
        /// What was seen.
        evidence: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_gets_plain_numbers_and_names() {
        let config = ts_rs::Config::default();
        let all = [KeyInfo::decl(&config), SecretUse::decl(&config), TestResult::decl(&config), StoreState::decl(&config)].join("\n");
        // JSON carries numbers; a page that was told `bigint` would compare them wrongly.
        assert!(!all.contains("bigint"), "{all}");
        for part in ["endsIn: string", "keptIn: KeptIn", "usedAt: number | null", "tested: TestResult | null", "\"state\": \"locked\""] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert_eq!(serde_json::to_string(&StoreState::Missing { evidence: "e".into() }).unwrap(), r#"{"state":"missing","evidence":"e"}"#);
    }
}
