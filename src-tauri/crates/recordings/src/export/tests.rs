use std::ops::ControlFlow;

use super::*;
use crate::{Finished, NewSession, Query, RecordKind, State};

fn record(t: u64, bytes: &[u8]) -> Record {
    Record { conn: 1, kind: RecordKind::In, t, bytes: bytes.to_vec().into() }
}

fn session(library: &Library, title: &str) -> String {
    let new = NewSession { title: title.into(), prompt: "大模型".into(), plan: "{}".into(), started_at_ms: 5, ..NewSession::default() };
    let recorder = library.create(new).unwrap();
    recorder.append(vec![record(1, title.as_bytes()), record(2, &[0; 3_000_000]), record(3, b"end")]).unwrap();
    let done = Finished { outcome: "complete".into(), reply: "answer".into(), bytes_down: 9, status: Some(200), ..Finished::default() };
    recorder.finish(done).unwrap();
    recorder.id().into()
}

#[test]
fn an_export_is_a_library_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::in_memory().unwrap();
    let ids = [session(&library, "one"), session(&library, "two"), session(&library, "three")];
    library.set_tags(&ids[0], &["kept".into()]).unwrap();
    library.set_setting("private", "yes").unwrap();
    let path = dir.path().join("out.weir");
    std::fs::write(&path, "old").unwrap();
    library.export(&[ids[0].clone(), ids[2][..12].into(), ids[0].clone()], &path).unwrap();
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["out.weir"]);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((&bytes[68..72], bytes[18]), (&b"WEIR"[..], 1));

    let copy = Library::open(&path).unwrap();
    assert_eq!(copy.list(&Query::default()).unwrap().total, 2);
    assert_eq!(copy.list(&Query { text: "模型 answ".into(), ..Query::default() }).unwrap().total, 2);
    assert_eq!(copy.session(&ids[0]).unwrap(), library.session(&ids[0]).unwrap());
    assert_eq!(copy.setting("private"), None);
    let read = |library: &Library| {
        let mut all = Vec::new();
        library
            .reader(&ids[2])
            .unwrap()
            .records(&mut |record| {
                all.push(record);
                ControlFlow::Continue(())
            })
            .unwrap();
        all
    };
    assert_eq!(read(&copy), read(&library));
}

#[test]
fn what_is_still_recorded_goes_out_as_cut() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::in_memory().unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    recorder.append(vec![record(1, b"so far")]).unwrap();
    let path = dir.path().join("out.weir");
    library.export(&[recorder.id().into()], &path).unwrap();
    let copy = Library::open(&path).unwrap();
    let row = copy.session(recorder.id()).unwrap();
    assert_eq!((row.state, row.outcome.as_str()), (State::Done, "cut"));
    assert_eq!((row.bytes_down, row.total_ms), (6, 0.000_001));
    assert_eq!(copy.reader(recorder.id()).unwrap().read(1, RecordKind::In, 0, 99).unwrap(), b"so far");
    assert_eq!(library.session(recorder.id()).unwrap().state, State::Recording);
}

#[test]
fn a_failed_export_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.weir");
    std::fs::write(&path, "old").unwrap();
    let library = Library::open(&dir.path().join("library.weir")).unwrap();
    let id = session(&library, "one");
    assert!(matches!(library.export(&["nobody".into()], &path), Err(Error::NotFound(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    let own = dir.path().join("library.weir");
    assert!(matches!(library.export(std::slice::from_ref(&id), &own), Err(Error::OntoItself(_))));
    assert_eq!(library.export(&[id], &dir.path().join("no/out.weir")).unwrap_err().code(), "disk");
    assert!(!std::fs::read_dir(dir.path()).unwrap().any(|e| e.unwrap().file_name().to_string_lossy().contains("export")));
}
