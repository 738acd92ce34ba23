//! The keys over keyring-core's mock store, with the keychain's moods played by hand.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use keyring_core::{CredentialStore, mock};

use super::*;
use crate::error::Obstacle;
use crate::{Blame, HeaderTemplate, Verdict};

/// Each of its bytes but the last four must appear nowhere.
const CANARY: &str = "sk-canary-7Q2hVdX9-w3Kd";

struct Fake {
    store: Arc<mock::Store>,
    mood: Mutex<Option<Obstacle>>,
}

impl Fake {
    fn new() -> Arc<Self> {
        Arc::new(Self { store: mock::Store::new().unwrap(), mood: Mutex::default() })
    }

    fn turns(&self, mood: Option<Obstacle>) {
        *self.mood.lock().unwrap() = mood;
    }

    fn fails_once(&self, provider: &str, error: keyring_core::Error) {
        let store: &CredentialStore = self.store.as_ref();
        let entry = store.build("weir", provider, None).unwrap();
        entry.as_any().downcast_ref::<mock::Cred>().unwrap().set_error(error);
    }
}

impl Keychain for Fake {
    fn name(&self) -> &'static str {
        "Fake"
    }
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
    fn reach(&self, _provider: Option<&str>) -> Result<(), Obstacle> {
        self.mood.lock().unwrap().clone().map_or(Ok(()), Err)
    }
    fn store(&self) -> Result<Arc<CredentialStore>, Obstacle> {
        Ok(self.store.clone())
    }
    fn modifiers(&self, _provider: &str) -> HashMap<&'static str, String> {
        HashMap::new()
    }
    fn unlock(&self) -> Result<(), Obstacle> {
        self.turns(None);
        Ok(())
    }
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn file(home: &tempfile::TempDir) -> String {
    fs::read_to_string(home.path().join("keys.json")).unwrap_or_default()
}

fn test_result(detail: &str) -> TestResult {
    TestResult { verdict: Verdict::Passed, status: Some(200), took_ms: Some(312), detail: detail.into(), at: 1 }
}

#[test]
fn a_key_in_the_keychain_outlives_the_process() {
    let (home, fake) = (home(), Fake::new());
    let keys = Keys::with(home.path(), fake.clone());
    let info = keys.set("openai", Secret::new(CANARY), KeptIn::Keychain).unwrap();
    assert_eq!((info.provider.as_str(), info.kept_in, info.ends_in.as_str()), ("openai", KeptIn::Keychain, "w3Kd"));
    assert_eq!(keys.list(), vec![info]);

    let later = Keys::with(home.path(), fake);
    assert_eq!(later.read("openai", "Authorization → api.openai.com:443").unwrap().expose(), CANARY);
    let uses = keys.uses();
    assert_eq!((uses[0].provider.as_str(), uses[0].ends_in.as_str()), ("openai", "w3Kd"));
    assert_eq!(uses[0].used_for, "Authorization → api.openai.com:443");
    assert_eq!(keys.list()[0].used_at, Some(uses[0].at), "one process sees what the other noted");

    later.delete("openai").unwrap();
    assert!(keys.list().is_empty());
    assert_eq!(keys.read("openai", "").unwrap_err().code, "key-missing");
    assert_eq!(keys.delete("openai").unwrap_err().code, "key-missing");
}

#[test]
fn no_keychain_is_an_error_and_never_memory() {
    let (home, fake) = (home(), Fake::new());
    let keys = Keys::with(home.path(), fake.clone());
    for (mood, code) in [
        (Obstacle::Missing("no bus".into()), "keychain-missing"),
        (Obstacle::Locked("locked".into()), "keychain-locked"),
        (Obstacle::Denied("no".into()), "keychain-denied"),
        (Obstacle::Timeout("5 s".into()), "keychain-timeout"),
        (Obstacle::Failed("?".into()), "keychain-failed"),
    ] {
        fake.turns(Some(mood));
        let error = keys.set("openai", Secret::new(CANARY), KeptIn::Keychain).unwrap_err();
        assert_eq!((error.code, error.blame), (code, Blame::Configuration));
        for part in [&error.message, &error.consequence, &error.evidence, &error.next] {
            assert!(!part.is_empty(), "{error:?}");
        }
        assert!(!format!("{error:?} {error}").contains(CANARY));
        assert_eq!(keys.read("openai", "").unwrap_err().code, code, "the key was not kept anywhere");
        assert!(keys.list().is_empty());
    }
    fake.turns(Some(Obstacle::Locked("locked".into())));
    assert_eq!(keys.state(), StoreState::Locked);
    keys.unlock().unwrap();
    assert_eq!(keys.state(), StoreState::Available { name: "Fake".into() });
    keys.set("openai", Secret::new(CANARY), KeptIn::Keychain).expect("the keychain that came later is used");
}

#[test]
fn a_key_in_memory_hides_the_one_in_the_keychain_and_is_forgotten() {
    let (home, fake) = (home(), Fake::new());
    let keys = Keys::with(home.path(), fake.clone());
    keys.set("openai", Secret::new("sk-in-the-keychain-aaaa"), KeptIn::Keychain).unwrap();
    fake.turns(Some(Obstacle::Missing("gone".into())));
    keys.set("openai", Secret::new(CANARY), KeptIn::Memory).expect("memory needs no keychain");
    assert_eq!((keys.list().len(), keys.list()[0].kept_in), (1, KeptIn::Memory));
    assert_eq!(keys.read("openai", "x").unwrap().expose(), CANARY);
    assert!(keys.list()[0].used_at.is_some());
    assert_eq!(keys.delete("openai").unwrap_err().code, "keychain-missing");
    assert_eq!(keys.list()[0].kept_in, KeptIn::Memory, "a deletion that fails leaves all as it was");

    let watch = keys.memory()["openai"].key.watch();
    keys.forget_session_keys();
    assert!(watch.upgrade().is_none(), "nobody holds the key any more, so it is wiped");
    assert_eq!(keys.list()[0].ends_in, "aaaa");
    fake.turns(None);
    assert_eq!(keys.read("openai", "x").unwrap().expose(), "sk-in-the-keychain-aaaa");

    keys.set("openai", Secret::new(CANARY), KeptIn::Memory).unwrap();
    keys.set("openai", Secret::new("sk-in-the-keychain-bbbb"), KeptIn::Keychain).unwrap();
    assert_eq!(keys.list()[0].ends_in, "bbbb", "a key put into the keychain replaces the one in memory");
    assert!(!file(&home).contains("memory"));
}

#[test]
fn a_key_in_memory_alone_is_deleted_without_a_keychain() {
    let (home, fake) = (home(), Fake::new());
    fake.turns(Some(Obstacle::Missing("gone".into())));
    let keys = Keys::with(home.path(), fake);
    keys.set("groq", Secret::new(CANARY), KeptIn::Memory).unwrap();
    keys.delete("groq").unwrap();
    assert!(keys.list().is_empty());
}

#[test]
fn a_key_another_program_deleted_can_be_deleted() {
    let (home, fake) = (home(), Fake::new());
    let keys = Keys::with(home.path(), fake.clone());
    keys.set("openai", Secret::new(CANARY), KeptIn::Keychain).unwrap();
    fake.fails_once("openai", keyring_core::Error::NoEntry);
    keys.delete("openai").unwrap();
    assert!(keys.list().is_empty());
}

#[test]
fn what_the_store_says_is_told_by_code() {
    let (home, fake) = (home(), Fake::new());
    let keys = Keys::with(home.path(), fake.clone());
    keys.set("openai", Secret::new(CANARY), KeptIn::Keychain).unwrap();
    fake.fails_once("openai", keyring_core::Error::TooLong("password".into(), 2560));
    let error = keys.set("openai", Secret::new(CANARY), KeptIn::Keychain).unwrap_err();
    assert_eq!((error.code, error.blame), ("key-too-long", Blame::User));
    fake.fails_once("openai", keyring_core::Error::BadEncoding(CANARY.as_bytes().to_vec()));
    let error = keys.read("openai", "").unwrap_err();
    assert_eq!(error.code, "keychain-failed");
    fake.fails_once("openai", keyring_core::Error::PlatformFailure(Box::new(secret_service_error())));
    assert_eq!(keys.read("openai", "").unwrap_err().code, "keychain-denied");
}

#[cfg(target_os = "linux")]
fn secret_service_error() -> secret_service::Error {
    secret_service::Error::Prompt
}

#[cfg(not(target_os = "linux"))]
fn secret_service_error() -> std::io::Error {
    #[derive(Debug, thiserror::Error)]
    #[error("cancelled")]
    struct Cancelled {
        #[allow(dead_code, reason = "read by Debug")]
        code: i32,
        #[allow(dead_code, reason = "read by Debug")]
        message: &'static str,
    }
    std::io::Error::other(Cancelled { code: -128, message: "m" })
}

#[test]
fn the_last_500_uses_are_kept_newest_first() {
    let (home, fake) = (home(), Fake::new());
    let keys = Keys::with(home.path(), fake);
    keys.set("openai", Secret::new(CANARY), KeptIn::Memory).unwrap();
    for n in 0..MOST_USES + 3 {
        keys.read("openai", &format!("use {n}")).unwrap();
    }
    let uses = keys.uses();
    assert_eq!(uses.len(), 500);
    assert_eq!((uses[0].used_for.as_str(), uses[499].used_for.as_str()), ("use 502", "use 3"));
    assert!(uses.is_sorted_by_key(|one| std::cmp::Reverse(one.at)));
}

#[test]
fn tests_are_noted_for_any_provider_and_end_with_their_key() {
    let (home, fake) = (home(), Fake::new());
    let keys = Keys::with(home.path(), fake);
    keys.set("openai", Secret::new(CANARY), KeptIn::Keychain).unwrap();
    keys.note_test("openai", test_result("84 models"));
    keys.note_test("lab", test_result("running"));
    assert_eq!(keys.list()[0].tested, Some(test_result("84 models")));
    assert_eq!(keys.tests()["lab"].detail, "running");
    keys.set("openai", Secret::new("another-key-entirely"), KeptIn::Keychain).unwrap();
    assert_eq!(keys.list()[0].tested, None, "the test was of the other key");
    keys.note_test("openai", test_result("84 models"));
    keys.delete("openai").unwrap();
    assert_eq!(keys.tests().into_keys().collect::<Vec<_>>(), ["lab"]);
}

#[test]
fn a_damaged_file_is_moved_aside_with_a_warning_and_keys_are_found_again() {
    let (home, fake) = (home(), Fake::new());
    Keys::with(home.path(), fake.clone()).set("openai", Secret::new(CANARY), KeptIn::Keychain).unwrap();
    let good = file(&home);
    for damaged in [&good[..good.len() / 2], "", "[]", "{\"version\":1,\"keys\":3}", "\u{0}\u{0}\u{0}"] {
        fs::write(home.path().join("keys.json"), damaged).unwrap();
        let keys = Keys::with(home.path(), fake.clone());
        let warnings = keys.warnings();
        assert_eq!((warnings.len(), warnings[0].code), (1, "keys-file-damaged"), "{damaged:?}");
        assert_eq!(fs::read_to_string(&warnings[0].evidence).unwrap(), damaged, "the evidence is where the file is now");
        fs::remove_file(&warnings[0].evidence).unwrap();
        assert!(keys.list().is_empty());
        keys.read("openai", "x").expect("the key is in the keychain");
        assert_eq!(keys.list()[0].ends_in, "w3Kd");
    }
}

#[test]
fn a_file_of_a_newer_weir_is_left_alone() {
    let (home, fake) = (home(), Fake::new());
    let newer = r#"{"version":2,"vaults":[]}"#;
    fs::write(home.path().join("keys.json"), newer).unwrap();
    let keys = Keys::with(home.path(), fake);
    assert_eq!(keys.warnings()[0].code, "keys-file");
    let error = keys.set("openai", Secret::new(CANARY), KeptIn::Keychain).unwrap_err();
    assert!(error.consequence.contains("is in the keychain"), "{error:?}");
    assert_eq!(keys.read("openai", "x").unwrap().expose(), CANARY);
    assert!(keys.warnings().iter().any(|one| one.consequence.contains("missing from the record")));
    assert_eq!(file(&home), newer);
}

#[test]
fn many_writers_lose_nothing() {
    let (home, fake) = (home(), Fake::new());
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (home, fake) = (home.path(), fake.clone());
            scope.spawn(move || {
                let keys = Keys::with(home, fake);
                keys.set(&format!("p{writer}"), Secret::new(CANARY), KeptIn::Keychain).unwrap();
                for _ in 0..5 {
                    keys.read(&format!("p{writer}"), "x").unwrap();
                }
                assert_eq!(keys.warnings(), []);
            });
        }
    });
    let keys = Keys::with(home.path(), fake);
    assert_eq!((keys.list().len(), keys.uses().len()), (8, 40));
}

#[cfg(unix)]
#[test]
fn the_file_is_for_the_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    Keys::with(home.path(), Fake::new()).set("openai", Secret::new(CANARY), KeptIn::Keychain).unwrap();
    assert_eq!(fs::metadata(home.path().join("keys.json")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_cannot_be_a_key_or_a_name_is_refused() {
    let (home, fake) = (home(), Fake::new());
    let keys = Keys::with(home.path(), fake);
    for (provider, key, code) in [
        ("openai", " \n", "key-empty"),
        ("openai", "sk-two words", "key-characters"),
        ("", CANARY, "provider-name"),
        ("OpenAI", CANARY, "provider-name"),
        ("../x", CANARY, "provider-name"),
        ("-x", CANARY, "provider-name"),
        (&"x".repeat(65), CANARY, "provider-name"),
    ] {
        for keep in [KeptIn::Keychain, KeptIn::Memory] {
            let error = keys.set(provider, Secret::new(key), keep).unwrap_err();
            assert_eq!((error.code, error.blame), (code, Blame::User), "{provider:?}");
        }
    }
    assert!(keys.list().is_empty());
    let pem = "-----BEGIN PRIVATE KEY-----\nMIG2\n-----END PRIVATE KEY-----";
    let info = keys.set_as("my-gateway.2", KeyKind::JwtSigning, Secret::new(pem), KeptIn::Keychain).expect("a signing key is never sent");
    assert_eq!(info.ends_in, "");
    keys.read("my-gateway.2", "signature").unwrap();
    assert_eq!(keys.uses()[0].ends_in, "");
}

#[test]
fn the_canary_appears_nowhere() {
    let (home, fake) = (home(), Fake::new());
    let keys = Keys::with(home.path(), fake.clone());
    let secret = Secret::new(CANARY);
    let mut seen = vec![format!("{secret:?} {:?}", keys.set("openai", secret.clone(), KeptIn::Keychain))];
    let read = keys.read("openai", &format!("?key={CANARY} → example.com:443")).unwrap();
    keys.note_test("openai", test_result(&format!("Incorrect API key provided: {CANARY}")));
    seen.push(format!("{read:?} {keys:?} {:?} {:?} {:?} {:?} {:?}", keys.list(), keys.uses(), keys.tests(), keys.state(), keys.warnings()));
    for mood in [Obstacle::Locked("x".into()), Obstacle::Failed("x".into()), Obstacle::TooLong(1), Obstacle::NoEntry] {
        fake.turns(Some(mood));
        for error in [keys.set("openai", secret.clone(), KeptIn::Keychain).unwrap_err(), keys.read("openai", "").unwrap_err()] {
            seen.push(format!("{error:?} {error} {}", serde_json::to_string(&error).unwrap()));
        }
    }
    fake.turns(None);
    fake.fails_once("openai", keyring_core::Error::BadEncoding(CANARY.as_bytes().to_vec()));
    seen.push(format!("{:?}", keys.read("openai", "").unwrap_err()));
    keys.set("groq", secret.clone(), KeptIn::Memory).unwrap();
    let template = HeaderTemplate::parse("Authorization: Bearer {key}").unwrap();
    seen.push(format!("{template:?} {:?} {:?}", template.value(&secret), keys.list()));
    seen.push(serde_json::to_string(&(keys.list(), keys.uses(), keys.tests(), keys.state())).unwrap());
    seen.push(file(&home));
    let bytes = format!("{:?}", CANARY.as_bytes());
    for text in &seen {
        assert!(!text.contains(&CANARY[3..CANARY.len() - 4]) && !text.contains(bytes.trim_matches(['[', ']'])), "{text}");
    }
    assert!(seen.last().unwrap().contains("w3Kd") && seen.last().unwrap().contains(&"*".repeat(CANARY.len())));
}
