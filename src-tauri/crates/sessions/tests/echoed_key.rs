//! A key that the prompt holds and the model repeats in pieces does not come together again in the library.

use weir_dialects::{Ask, Message, Role, Transport};
use weir_lab::{Lab, LabConfig};
use weir_secrets::Secret;
use weir_sessions::view::{Draft, OutcomeKind};
use weir_sessions::{Engine, KeyChoice};

const KEY: &str = "sk-canary-99887766";

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_is_not_kept_whole() {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(home.path()).unwrap();
    let mut lab = LabConfig { port: 0, ..LabConfig::default() };
    lab.settings.pace.ttft_ms = 0;
    lab.settings.pace.tokens_per_second = 0.0;
    let lab = Lab::start(lab).await.unwrap();
    engine.set_lab(Some(lab.url()));
    let message = Message::new(Role::User, format!("is {KEY} mine"));
    let draft = Draft {
        provider: "lab".into(),
        dialect: "openai-chat".into(),
        transport: Transport::Sse,
        http: "auto".into(),
        base_url: None,
        url: None,
        ask: Ask { model: "lab/steady".into(), messages: vec![message], ..Ask::default() },
        headers: Vec::new(),
        insecure: false,
        title: None,
        keep_open: false,
        deflate: false,
        reused: false,
    };
    let session = engine.send(&draft, KeyChoice::Given(Secret::new(KEY)), None).unwrap();
    session.ended().await;
    assert_eq!(session.outcome().unwrap().kind, OutcomeKind::Complete);
    let kept = engine.library().session(session.id()).unwrap();
    assert!(kept.reply.contains(&"*".repeat(KEY.len())), "the Lab repeats the prompt: {}", kept.reply);
    for file in std::fs::read_dir(home.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()));
    }
    lab.stop().await;
}
