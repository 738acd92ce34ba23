//! Several turns on one socket: each dialect that holds one open, against the Lab.

use std::sync::Arc;
use std::time::Duration;

use weir_dialects::{Ask, Message, Role, Transport, dialect};
use weir_sessions::view::{BlockKind, Draft, OutcomeKind, Update};
use weir_sessions::{KeyChoice, Session};
use weir_tests::desk::Desk;

use super::captures::quick_lab;

/// Waits until `done` holds of the session's updates.
async fn until(session: &Arc<Session>, what: &str, mut done: impl FnMut(&Update) -> bool) {
    let mut watcher = session.watch();
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while let Some(update) = watcher.next().await {
            if done(&update) {
                return;
            }
        }
        panic!("{what}: it ended before, {:?}", session.outcome());
    });
    waited.await.unwrap_or_else(|_| panic!("{what}: it did not come"));
}

fn blocks(session: &Session) -> Vec<(BlockKind, String)> {
    session.analysis().fold.folded.blocks.iter().map(|block| (block.kind, block.text.clone())).collect()
}

fn texts(session: &Session) -> usize {
    blocks(session).iter().filter(|(kind, text)| *kind == BlockKind::Text && !text.is_empty()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_turn_goes_over_the_same_connection() {
    let (lab, desk) = (quick_lab().await, Desk::new());
    desk.engine().set_lab(Some(format!("http://{}", lab.address())));
    let open = dialect::ALL.iter().filter(|dialect| dialect.persistent(Transport::Websocket) && dialect.id() != "raw");
    let mut tried = Vec::new();
    for dialect in open {
        let what = dialect.id();
        let ask = Ask { model: "lab/steady".into(), messages: vec![Message::new(Role::User, "Explain yourself.")], ..Ask::default() };
        let draft = Draft {
            provider: "lab".into(),
            dialect: what.into(),
            transport: Transport::Websocket,
            http: "auto".into(),
            base_url: None,
            url: None,
            ask: ask.clone(),
            headers: Vec::new(),
            insecure: false,
            title: None,
            keep_open: true,
            deflate: false,
            reused: false,
        };
        let session = desk.engine().send(&draft, KeyChoice::None, None).expect("the draft is sent");
        until(&session, what, |_| session.analysis().ended()).await;
        assert!(session.is_live(), "{what}");
        assert_eq!(texts(&session), 1, "{what}: {:?}", blocks(&session));

        let mut next = ask;
        let said = session.analysis().fold.folded.text(BlockKind::Text);
        // The user thinks it over. That is no gap of the peer's, and no part of its rate.
        const PAUSE: Duration = Duration::from_secs(1);
        tokio::time::sleep(PAUSE).await;
        next.messages.push(Message::new(Role::Assistant, said));
        next.messages.push(Message::new(Role::User, "And the other bank?"));
        session.say(&next).expect("it is open");
        until(&session, what, |_| texts(&session) == 2 && session.analysis().ended()).await;
        session.hang_up().expect("it is open");
        session.ended().await;

        let outcome = session.outcome().expect("it is over");
        assert_eq!(outcome.kind, OutcomeKind::Complete, "{what}: {outcome:?}");
        let live = blocks(&session);
        let spoken: Vec<_> = live.iter().map(|(kind, _)| *kind).filter(|kind| *kind != BlockKind::Audio).collect();
        assert_eq!(spoken, [BlockKind::Text, BlockKind::Said, BlockKind::Text], "{what}");
        assert!(live.iter().any(|(kind, text)| *kind == BlockKind::Said && text == "And the other bank?"), "{what}: {live:?}");
        let metrics = session.analysis().metrics();
        let longest = session.analysis().fold.gaps.longest().expect("there are gaps");
        assert!(Duration::from_nanos(longest) < PAUSE, "{what}: a gap of {longest} ns");
        if let Some(rate) = metrics.rate {
            let tokens = session.analysis().fold.folded.facts.usage.as_ref().and_then(|usage| usage.output_tokens).unwrap_or(2);
            assert!((tokens - 1) as f64 / rate.value < PAUSE.as_secs_f64(), "{what}: {rate:?} for {tokens} tokens");
        }
        let error = session.say(&next).expect_err("it is closed");
        assert_eq!(error.0.code, "closed", "{what}");

        let id = session.id().to_owned();
        drop(session);
        let reopened = desk.engine().session(&id).expect("it was kept");
        assert_eq!(blocks(&reopened), live, "{what}: reopened");
        tried.push(what);
    }
    assert!(tried.len() >= 4, "{tried:?}");
    lab.stop().await;
}

/// The answer to the first message of a turn may come before the next one is queued: what waits for it must not wait for ever.
#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_turn_wait_for_the_words_of_that_turn() {
    let (lab, desk) = (quick_lab().await, Desk::new());
    desk.engine().set_lab(Some(format!("http://{}", lab.address())));
    let mut ask = Ask { model: "cosyvoice-v2".into(), messages: vec![Message::new(Role::User, "One.")], ..Ask::default() };
    let mut draft = weir_tests::desk::draft("", "dashscope-task", Transport::Websocket);
    draft.provider = "lab".into();
    draft.url = None;
    draft.ask = ask.clone();
    draft.keep_open = true;
    let session = desk.engine().send(&draft, KeyChoice::None, None).expect("the draft is sent");
    let sounds = || blocks(&session).iter().filter(|(kind, _)| *kind == BlockKind::Audio).count();
    until(&session, "the first task", |_| session.analysis().ended()).await;
    for turn in 2..10 {
        ask.messages.push(Message::new(Role::User, format!("And {turn}.")));
        session.say(&ask).expect("it is open");
        until(&session, &format!("task {turn}"), |_| sounds() == turn && session.analysis().ended()).await;
    }
    session.hang_up().expect("it is open");
    session.ended().await;
    assert_eq!(session.outcome().expect("it is over").kind, OutcomeKind::Complete);
    lab.stop().await;
}
