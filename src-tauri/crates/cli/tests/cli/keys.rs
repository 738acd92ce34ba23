//! `keys`, where there is no keychain.

use crate::program::Home;

#[test]
fn without_a_keychain_nothing_is_stored_and_that_is_said() {
    let home = Home::new();
    let key = "sk-canary-0d9f4f7d";
    let ran = home.run_with(&["keys", "set", "openai"], format!("{key}\n").as_bytes());
    if cfg!(target_os = "linux") {
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert!(ran.err.contains("The key was not stored") && !ran.err.contains(key), "{}", ran.err);
        let listed = home.run(&["keys", "list", "--json"]);
        assert_eq!((listed.code, listed.out.as_str()), (0, ""));
        let sent = home.run(&["send", "--provider", "openai", "--model", "m", "--prompt", "x", "--json"]);
        assert_eq!((sent.code, sent.summary()["error"]["code"].as_str()), (1, Some("key-missing")), "{}", sent.out);
    }
    assert_eq!(home.run_with(&["keys", "set", "openai"], b" \n").code, 2, "an empty key");
    assert_eq!(home.run(&["keys", "set"]).code, 2);
    assert!(home.files().iter().all(|file| !file.windows(key.len()).any(|window| window == key.as_bytes())));
}

#[test]
fn a_test_that_cannot_be_made_has_failed() {
    let home = Home::new();
    let ran = home.run(&["keys", "test", "lab", "--json"]);
    assert_eq!((ran.code, ran.lines()[0]["verdict"].as_str()), (1, Some("failed")));
}
