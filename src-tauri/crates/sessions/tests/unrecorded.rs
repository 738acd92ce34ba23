//! With recording off a session can be seen and exported while its tab is open, and is gone afterwards.

use weir_dialects::{Ask, Message, Role, Transport};
use weir_lab::{Lab, LabConfig};
use weir_sessions::view::{Draft, OutcomeKind, SessionsQuery, Settings};
use weir_sessions::{Engine, KeyChoice, library};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_kept_lives_until_its_tab_closes() {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(home.path()).unwrap();
    let mut lab = LabConfig { port: 0, ..LabConfig::default() };
    lab.settings.pace.ttft_ms = 0;
    lab.settings.pace.tokens_per_second = 0.0;
    let lab = Lab::start(lab).await.unwrap();
    engine.set_lab(Some(lab.url()));
    engine.set_settings(Settings { record: false, ..engine.settings() }).unwrap();
    let message = Message::new(Role::User, "hello");
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
    let session = engine.send(&draft, KeyChoice::Stored, None).unwrap();
    session.ended().await;
    assert_eq!(session.outcome().unwrap().kind, OutcomeKind::Complete);
    assert!(!session.frame(0).unwrap().nodes.is_empty(), "its bytes can be read");
    let id = session.id().to_owned();
    assert_eq!(engine.session(&id).unwrap().id(), id, "its tab finds it");
    assert!(engine.library_of(&id).session(&id).is_ok());
    assert_eq!(library::page(&engine, &SessionsQuery::default()).unwrap().total, 0, "the list has nothing");
    drop(session);
    engine.close(&id).unwrap();
    assert!(engine.session(&id).is_err(), "nothing is left of it");
    lab.stop().await;
}
