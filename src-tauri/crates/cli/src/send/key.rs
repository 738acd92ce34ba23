//! Which key a run sends. It never comes from the command line by intent; where it does all the same, in a header, it is kept out of the record.

use std::borrow::Cow;

use weir_secrets::{Secret, StoreState};
use weir_sessions::view::Draft;
use weir_sessions::{Engine, Error, KeyChoice};

use super::args::Key;

/// Fields whose values are credentials.
const CREDENTIALS: [&str; 5] = ["authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key"];

/// Below this many characters a header's value is taken for an example, not for a key.
const SHORTEST: usize = 8;

/// The key, as it is planned and as it is sent.
pub struct Chosen<'a> {
    draft: Cow<'a, Draft>,
    /// What the plan is made for.
    pub planned: KeyChoice,
    /// What is sent and kept out of the log.
    pub sent: KeyChoice,
}

impl Chosen<'_> {
    /// The draft, with `{key}` in place of a credential that a header held.
    pub fn draft<'b>(&'b self, _: &'b Draft) -> &'b Draft {
        &self.draft
    }
}

/// Chooses by what `--key` says, the provider and the headers.
pub fn choose<'a>(said: Option<Key>, draft: &'a Draft, engine: &Engine) -> Result<Chosen<'a>, Error> {
    let same = |choice: KeyChoice| Chosen { draft: Cow::Borrowed(draft), planned: choice.clone(), sent: choice };
    match said {
        Some(Key::Environment(name)) => Ok(same(KeyChoice::Given(environment(&name)?))),
        Some(Key::Keychain) => {
            if !engine.keys().list().iter().any(|key| key.provider == draft.provider) {
                return Err(Error::new(
                    "configuration",
                    "key-missing",
                    format!("There is no key for «{}».", draft.provider),
                    "Nothing was sent.",
                    match engine.keys().state() {
                        StoreState::Available { name } => format!("{name} is there and unlocked"),
                        StoreState::Locked => "the keychain is locked".into(),
                        StoreState::Missing { evidence } => evidence,
                    },
                    "Store one with: weir-cli keys set PROVIDER",
                ));
            }
            Ok(same(KeyChoice::Stored))
        }
        explicit => {
            if let Some((lifted, secret)) = lifted(draft) {
                return Ok(Chosen { draft: Cow::Owned(lifted), planned: KeyChoice::None, sent: KeyChoice::Given(secret) });
            }
            if explicit.is_some() {
                return Ok(same(KeyChoice::None));
            }
            match engine.missing_key(draft) {
                Some(error) => Err(error),
                None => Ok(same(KeyChoice::Stored)),
            }
        }
    }
}

/// The key in an environment variable.
pub fn environment(name: &str) -> Result<Secret, Error> {
    let missing = |evidence: &str| {
        Error::new(
            "user",
            "key-missing",
            format!("The environment has no key in {name}."),
            "Nothing was sent.",
            evidence,
            "Set the variable, or use --key none.",
        )
    };
    let secret = match std::env::var(name) {
        Ok(value) => Secret::new(&value),
        Err(std::env::VarError::NotPresent) => return Err(missing("the variable is not set")),
        Err(std::env::VarError::NotUnicode(_)) => return Err(missing("its value is not text")),
    };
    if secret.is_empty() {
        return Err(missing("the variable is empty"));
    }
    weir_secrets::header::check_key(&secret)?;
    Ok(secret)
}

/// Takes the credential out of the first header that holds one as it stands.
fn lifted(draft: &Draft) -> Option<(Draft, Secret)> {
    let keyless = draft.headers.iter().all(|header| !header.value.contains("{key"));
    let at = draft.headers.iter().position(|header| CREDENTIALS.contains(&header.name.to_ascii_lowercase().as_str()))?;
    let value = &draft.headers[at].value;
    let (scheme, credential) = value.rsplit_once(' ').map_or(("", value.as_str()), |(scheme, credential)| (scheme, credential));
    let fits = credential.len() >= SHORTEST && credential.bytes().all(|b| b.is_ascii_graphic());
    if !keyless || !fits {
        return None;
    }
    let secret = Secret::new(credential);
    let mut draft = draft.clone();
    draft.headers[at].value = if scheme.is_empty() { "{key}".into() } else { format!("{scheme} {{key}}") };
    Some((draft, secret))
}
