//! The keys over a real Secret Service: GNOME Keyring on a bus of its own.
//!
//! A process's bus address is fixed when it starts, so each case runs this test program again, on the one ignored test that
//! plays the case, with a home, a runtime folder and a bus address of its own.

#![cfg(target_os = "linux")]

use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use secret_service::EncryptionType;
use secret_service::blocking::SecretService;
use weir_secrets::{KeptIn, Keys, Secret, StoreState};

const KEY: &str = "sk-canary-7Q2hVdX9-w3Kd";
/// Names the folder of a case to the process that plays it.
const FOLDER: &str = "WEIR_TEST_FOLDER";

/// Plays a case; `bus` is whether the process gets a bus address.
fn play(case: &str, bus: bool) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let runtime = folder.path().join("run");
    DirBuilder::new().mode(0o700).create(&runtime).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", case, "--nocapture", "--test-threads=1"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder.path()).env("XDG_RUNTIME_DIR", &runtime).env(FOLDER, folder.path());
    if bus {
        command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", folder.path().join("bus").display()));
    }
    let output = command.output().unwrap();
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Plays a case that must pass.
fn pass(case: &str, bus: bool) {
    let output = play(case, bus);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{case}: {text}");
}

fn skip() -> bool {
    let on_path =
        |name: &str| std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(name).is_file());
    let missing: Vec<_> = ["gnome-keyring-daemon", "dbus-daemon"].into_iter().filter(|name| !on_path(name)).collect();
    if !missing.is_empty() {
        eprintln!("SKIPPED: {} not on PATH; install gnome-keyring and dbus to test against a real Secret Service", missing.join(" and "));
    }
    !missing.is_empty()
}

#[test]
fn a_real_secret_service_comes_locks_goes_and_returns() {
    if !skip() {
        pass("case_life", true);
    }
}

#[test]
fn a_keyring_that_was_never_set_up() {
    if !skip() {
        pass("case_never_set_up", true);
    }
}

#[test]
fn a_process_without_a_bus() {
    pass("case_no_bus", false);
}

#[test]
fn a_bus_that_hangs() {
    pass("case_hung_bus", true);
}

#[test]
fn a_panic_does_not_print_a_key() {
    let output = play("case_panic", false);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        text.contains(&format!("panicked at {}:", file!())) && text.contains(&format!("the key is {}!", "*".repeat(KEY.len()))),
        "{text}"
    );
    assert!(!text.contains(KEY) && !String::from_utf8_lossy(&output.stdout).contains(KEY));
}

/// The case's folder; `None` where an ignored test is run by itself.
fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// A process that ends with its case.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A bus that starts no services by itself, so that no prompt can appear on the screen of whoever runs the tests.
fn start_bus(folder: &Path) -> Running {
    let config = folder.join("bus.conf");
    let address = folder.join("bus");
    let policy =
        r#"<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>"#;
    let text =
        format!("<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>{policy}</busconfig>", address.display());
    fs::write(&config, text).unwrap();
    let child = Command::new("dbus-daemon").arg("--nofork").arg(format!("--config-file={}", config.display())).spawn().unwrap();
    let bus = Running(child);
    until("the bus listens", || address.exists());
    bus
}

fn start_keyring(password: Option<&str>) -> Running {
    let mut command = Command::new("gnome-keyring-daemon");
    command.args(["--foreground", "--components=secrets"]).stdin(Stdio::piped()).stdout(Stdio::null());
    if password.is_some() {
        command.arg("--unlock");
    }
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    if let Some(password) = password {
        input.write_all(password.as_bytes()).unwrap();
    }
    Running(child)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited 20 s until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn available() -> StoreState {
    StoreState::Available { name: "Secret Service".into() }
}

#[test]
#[ignore = "played by a_real_secret_service_comes_locks_goes_and_returns"]
fn case_life() {
    let Some(folder) = folder() else { return };
    let home = folder.join("weir");
    let keys = Keys::open(&home);
    let missing = |evidence: &str| match keys.state() {
        StoreState::Missing { evidence: seen } => assert!(seen.contains(evidence), "{seen}"),
        other => panic!("{other:?}"),
    };

    missing("No session bus (DBUS_SESSION_BUS_ADDRESS is unix:path=");
    let error = keys.set("openai", Secret::new(KEY), KeptIn::Keychain).unwrap_err();
    assert_eq!(error.code, "keychain-missing");
    assert!(keys.list().is_empty() && !home.exists());

    let _bus = start_bus(&folder);
    missing("org.freedesktop.secrets");
    assert_eq!(keys.read("openai", "").unwrap_err().code, "keychain-missing");
    assert_eq!(keys.unlock().unwrap_err().code, "keychain-missing");

    let keyring = start_keyring(Some("pw"));
    until("the same Keys sees the keychain", || keys.state() == available());
    assert_eq!(keys.read("openai", "").unwrap_err().code, "key-missing");
    let begun = Instant::now();
    keys.set("openai", Secret::new(KEY), KeptIn::Keychain).unwrap();
    let (set, begun) = (begun.elapsed(), Instant::now());
    assert_eq!(keys.read("openai", "Authorization → api.openai.com:443").unwrap().expose(), KEY);
    eprintln!("set {set:?}, read {:?}", begun.elapsed());
    keys.set("openai", Secret::new("sk-another-key-77ce"), KeptIn::Keychain).unwrap();
    assert_eq!(keys.read("openai", "x").unwrap().expose(), "sk-another-key-77ce", "replaced, not added");
    keys.set("groq", Secret::new(KEY), KeptIn::Keychain).unwrap();
    assert_eq!(keys.list().iter().map(|one| one.provider.as_str()).collect::<Vec<_>>(), ["groq", "openai"]);
    keys.delete("groq").unwrap();
    assert_eq!(keys.read("groq", "").unwrap_err().code, "key-missing");
    assert_eq!(keys.uses().len(), 2, "reads that failed are no uses");

    let service = SecretService::connect(EncryptionType::Plain).unwrap();
    let collection = service.get_default_collection().unwrap();
    let items = collection.get_all_items().unwrap();
    let [item] = &items[..] else { panic!("one item is left") };
    assert_eq!(item.get_label().unwrap(), "Weir: key for openai");
    let attributes = item.get_attributes().unwrap();
    assert_eq!((attributes["service"].as_str(), attributes["username"].as_str()), ("weir", "openai"));

    collection.lock().unwrap();
    assert_eq!(keys.state(), StoreState::Locked);
    let begun = Instant::now();
    for (provider, what) in [("openai", "stored"), ("groq", "new")] {
        let error = keys.set(provider, Secret::new(KEY), KeptIn::Keychain).unwrap_err();
        assert_eq!(error.code, "keychain-locked", "{what}");
        assert_eq!(keys.read(provider, "x").unwrap_err().code, "keychain-locked", "{what}");
    }
    assert_eq!(keys.delete("openai").unwrap_err().code, "keychain-locked");
    assert!(begun.elapsed() < Duration::from_secs(4), "nothing waited for a prompt");
    assert_eq!(keys.unlock().unwrap_err().code, "keychain-denied", "there is nothing to prompt with");
    keys.set("groq", Secret::new(KEY), KeptIn::Memory).unwrap();
    assert_eq!(keys.read("groq", "x").unwrap().expose(), KEY, "keys in memory work meanwhile");
    drop(keyring);

    until("the keychain is gone", || matches!(keys.state(), StoreState::Missing { .. }));
    let keyring = start_keyring(None);
    until("it is back, locked", || keys.state() == StoreState::Locked);
    assert_eq!(keys.read("openai", "x").unwrap_err().code, "keychain-locked");
    drop(keyring);
    until("the keychain is gone", || matches!(keys.state(), StoreState::Missing { .. }));
    let _keyring = start_keyring(Some("pw"));
    until("it is back, unlocked", || keys.state() == available());
    assert_eq!(Keys::open(&home).read("openai", "x").unwrap().expose(), "sk-another-key-77ce");
    let file = fs::read_to_string(home.join("keys.json")).unwrap();
    assert!(file.contains("77ce") && !file.contains("sk-"), "{file}");
}

#[test]
#[ignore = "played by a_keyring_that_was_never_set_up"]
fn case_never_set_up() {
    let Some(folder) = folder() else { return };
    let keys = Keys::open(&folder.join("weir"));
    let _bus = start_bus(&folder);
    let _keyring = start_keyring(None);
    until("the keychain answers", || keys.state() == StoreState::Locked);
    let error = keys.set("openai", Secret::new(KEY), KeptIn::Keychain).unwrap_err();
    assert_eq!((error.code, error.evidence.as_str()), ("keychain-locked", "There is no default collection yet; unlocking sets one up."));
    assert_eq!(keys.unlock().unwrap_err().code, "keychain-denied");
}

#[test]
#[ignore = "played by a_process_without_a_bus"]
fn case_no_bus() {
    let Some(folder) = folder() else { return };
    let keys = Keys::open(&folder.join("weir"));
    assert!(matches!(keys.state(), StoreState::Missing { evidence } if evidence.contains("DBUS_SESSION_BUS_ADDRESS is not set")));
    assert_eq!(keys.set("openai", Secret::new(KEY), KeptIn::Keychain).unwrap_err().code, "keychain-missing");
    assert_eq!(fs::read_dir(folder.join("run")).unwrap().count(), 0, "no bus was started");
}

#[test]
#[ignore = "played by a_bus_that_hangs"]
fn case_hung_bus() {
    let Some(folder) = folder() else { return };
    // It accepts, in the kernel, and never says a word.
    let _listener = UnixListener::bind(folder.join("bus")).unwrap();
    let keys = Keys::open(&folder.join("weir"));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(matches!(keys.state(), StoreState::Missing { evidence } if evidence == "No answer within 5 s.")));
        assert_eq!(keys.set("openai", Secret::new(KEY), KeptIn::Keychain).unwrap_err().code, "keychain-timeout");
    });
    assert!((5..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[test]
#[ignore = "played by a_panic_does_not_print_a_key"]
fn case_panic() {
    let Some(folder) = folder() else { return };
    let keys = Keys::open(&folder.join("weir"));
    weir_secrets::install_panic_redaction(&keys);
    keys.set("openai", Secret::new(KEY), KeptIn::Memory).unwrap();
    panic!("the key is {KEY}!");
}
