use crate::{Error, Finished, Library, NewSession, Query, State};

fn add(library: &Library, title: &str, started_at_ms: i64) -> String {
    let new = NewSession {
        title: title.into(),
        provider: if title.len() > 1 { "lab" } else { "openai" }.into(),
        transport: "sse".into(),
        started_at_ms,
        ..NewSession::default()
    };
    let recorder = library.create(new).unwrap();
    let done = Finished { outcome: "complete".into(), bytes_down: 100, bytes_up: 10, ..Finished::default() };
    recorder.finish(done).unwrap();
    recorder.id().into()
}

fn titles(library: &Library, query: Query) -> Vec<String> {
    library.list(&query).unwrap().rows.into_iter().map(|row| row.title).collect()
}

#[test]
fn the_newest_comes_first_and_the_totals_are_of_all() {
    let library = Library::in_memory().unwrap();
    for (title, at) in [("b", 20), ("a", 10), ("c", 30), ("c2", 30)] {
        add(&library, title, at);
    }
    let page = library.list(&Query { offset: 1, limit: 2, ..Query::default() }).unwrap();
    assert_eq!(page.rows.iter().map(|row| row.title.as_str()).collect::<Vec<_>>(), ["c", "b"]);
    assert_eq!((page.total, page.bytes), (4, 440));
    assert_eq!(titles(&library, Query { since_ms: Some(20), ..Query::default() }), ["c2", "c", "b"]);
    assert_eq!(titles(&library, Query { provider: Some("lab".into()), ..Query::default() }), ["c2"]);
    assert_eq!(titles(&library, Query { outcome: Some("cut".into()), ..Query::default() }).len(), 0);
    assert_eq!(titles(&library, Query { transport: Some("sse".into()), text: "c".into(), ..Query::default() }), ["c2", "c"]);
}

#[test]
fn a_session_goes_from_recording_to_done() {
    let library = Library::in_memory().unwrap();
    let recorder = library.create(NewSession { model: "m".into(), ..NewSession::default() }).unwrap();
    let row = library.session(recorder.id()).unwrap();
    assert_eq!((row.state, row.outcome.as_str(), row.model.as_str()), (State::Recording, "", "m"));
    let done =
        Finished { outcome: "failed".into(), status: Some(429), ttft_ms: Some(1.5), total_ms: f64::NAN, frames: 7, ..Finished::default() };
    recorder.finish(done.clone()).unwrap();
    let row = library.session(recorder.id()).unwrap();
    assert_eq!((row.state, row.outcome.as_str(), row.status), (State::Done, "failed", Some(429)));
    assert_eq!((row.ttft_ms, row.total_ms, row.frames), (Some(1.5), 0.0, 7));

    library.amend(recorder.id(), Finished { outcome: "cut".into(), reply: "found later".into(), ..done }).unwrap();
    assert_eq!(library.session(recorder.id()).unwrap().reply, "found later");
    drop(recorder);
    assert_eq!(titles(&library, Query { text: "later".into(), ..Query::default() }).len(), 1);
    assert_eq!(titles(&library, Query { outcome: Some("cut".into()), ..Query::default() }).len(), 1);
}

#[test]
fn a_prefix_of_an_id_is_enough_if_it_is_unique() {
    let library = Library::in_memory().unwrap();
    let ids: Vec<_> = (0..100).map(|n| add(&library, "x", n)).collect();
    for id in &ids {
        assert_eq!(&library.session(id).unwrap().id, id);
        assert_eq!(&library.session(&id[..12]).unwrap().id, id);
    }
    // 100 ids begin with one of 32 letters.
    assert!(ids.iter().any(|id| matches!(library.session(&id[..1]), Err(Error::Ambiguous(_)))));
    for unknown in ["", "nothing-like-this", "%", "'"] {
        assert!(matches!(library.session(unknown), Err(Error::NotFound(_))), "{unknown}");
    }
}

#[test]
fn what_was_deleted_can_be_restored_until_it_is_purged() {
    let library = Library::in_memory().unwrap();
    let (a, b) = (add(&library, "a", 1), add(&library, "b", 2));
    library.delete(&[a.clone(), b.clone()]).unwrap();
    assert_eq!(titles(&library, Query::default()).len(), 0);
    assert_eq!(titles(&library, Query { deleted: true, ..Query::default() }), ["b", "a"]);
    assert!(library.session(&a).unwrap().deleted_at_ms.is_some());
    library.restore(std::slice::from_ref(&a)).unwrap();
    assert_eq!(titles(&library, Query { text: "a".into(), ..Query::default() }), ["a"]);
    assert_eq!(library.purge_deleted(std::time::Duration::from_secs(3600)).unwrap(), 0);
    assert_eq!(library.purge_deleted(std::time::Duration::ZERO).unwrap(), 1);
    assert!(matches!(library.session(&b), Err(Error::NotFound(_))));
    assert_eq!(titles(&library, Query::default()), ["a"]);
    // All or none.
    assert!(library.delete(&[a, "nobody".into()]).is_err());
    assert_eq!(titles(&library, Query::default()), ["a"]);
}
