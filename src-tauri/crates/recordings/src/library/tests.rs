use std::ops::ControlFlow;

use super::*;
use crate::{Record, RecordKind, State};

fn record(t: u64, len: usize) -> Record {
    Record { conn: 0, kind: RecordKind::In, t, bytes: vec![t as u8; len].into() }
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_closed_file_stands_alone_and_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.weir");
    let library = Library::open(&path).unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    recorder.append(vec![record(1, 3_000_000)]).unwrap();
    recorder.finish(Finished::default()).unwrap();
    let id = recorder.id().to_string();
    assert!(recorder.reader().read(0, RecordKind::In, 5, 2).is_ok());
    library.close().unwrap();
    assert!(matches!(recorder.append(vec![record(1, 1)]), Err(Error::Closed)));
    drop(recorder);
    assert_eq!(files(dir.path()), ["one.weir"]);
    let header = std::fs::read(&path).unwrap();
    assert_eq!(&header[68..72], b"WEIR");
    // 1: a rollback journal; 2 would need a write-ahead log.
    assert_eq!(header[18], 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = Library::open(&path).unwrap();
    assert_eq!(again.reader(&id).unwrap().len(0, RecordKind::In), 3_000_000);
    drop(again);
    assert_eq!(files(dir.path()), ["one.weir"]);
}

#[test]
fn a_temporary_library_leaves_nothing() {
    let library = Library::temporary().unwrap();
    let path = library.path().unwrap().to_path_buf();
    library.create(NewSession::default()).unwrap().append(vec![record(1, 10)]).unwrap();
    assert!(path.exists());
    drop(library);
    assert!(!path.parent().unwrap().exists());
}

#[test]
fn a_dropped_recorder_cuts_its_session() {
    let library = Library::in_memory().unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    let id = recorder.id().to_string();
    recorder.append(vec![record(1_000_000, 10), record(2_500_000, 10)]).unwrap();
    recorder.append(vec![Record { kind: RecordKind::Out, ..record(2_000_000, 7) }]).unwrap();
    let clone = recorder.clone();
    drop(recorder);
    assert_eq!(library.session(&id).unwrap().state, State::Recording);
    drop(clone);
    library.set_setting("after", "it").unwrap();
    let row = library.session(&id).unwrap();
    assert_eq!((row.state, row.outcome.as_str()), (State::Done, "cut"));
    assert_eq!((row.bytes_down, row.bytes_up, row.total_ms), (20, 7, 2.0));
}

#[test]
fn the_queue_is_bounded_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(&dir.path().join("l.weir")).unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    let piece = bytes::Bytes::from(vec![9; 1 << 20]);
    for t in 0..150 {
        recorder.append(vec![Record { bytes: piece.clone(), ..record(t, 0) }]).unwrap();
        assert!(recorder.queued() <= crate::writer::QUEUE + (1 << 20) + 64);
    }
    // Larger than the whole queue: alone, but not for ever.
    recorder.append(vec![record(1, crate::writer::QUEUE + 1)]).unwrap();
    recorder.flush().unwrap();
    assert_eq!(recorder.queued(), 0);
    assert_eq!(recorder.reader().len(0, RecordKind::In), (150 << 20) + crate::writer::QUEUE as u64 + 1);
}

#[test]
fn a_full_disk_is_learnt_and_what_came_before_stays() {
    let library = Library::in_memory().unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    let other = library.create(NewSession::default()).unwrap();
    recorder.append(vec![record(1, 1000)]).unwrap();
    recorder.flush().unwrap();
    let pages: i64 = library.read(|db| Ok(db.pragma_query_value(None, "page_count", |row| row.get(0))?)).unwrap();
    let limit = |pages: i64| {
        library.writer().write(move |db| Ok(db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)).unwrap();
    };
    limit(pages + 4);
    recorder.append(vec![record(2, 1_000_000)]).unwrap();
    assert!(matches!(recorder.flush(), Err(Error::DiskFull)));
    assert_eq!(recorder.flush().unwrap_err().code(), "disk-full");
    assert!(matches!(recorder.append(vec![record(3, 1)]), Err(Error::DiskFull)));
    assert_eq!(recorder.queued(), 0);
    // The other session is not concerned, and the failed one says what it is.
    limit(1_000_000);
    other.append(vec![record(1, 10)]).unwrap();
    other.flush().unwrap();
    let done = Finished { outcome: "complete".into(), ..Finished::default() };
    assert!(matches!(recorder.finish(done), Err(Error::DiskFull)));
    let row = library.session(recorder.id()).unwrap();
    assert_eq!((row.state, row.outcome.as_str()), (State::Done, "cut"));
    let mut kept = Vec::new();
    let id = recorder.id().to_string();
    drop(recorder);
    let reader = library.reader(&id).unwrap();
    reader
        .records(&mut |record| {
            kept.push(record.t);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(kept, [1]);
}

#[test]
fn its_size_is_what_is_kept_not_how_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(&dir.path().join("l.weir")).unwrap();
    let recorder = library.create(NewSession::default()).unwrap();
    // A slow reply: a commit for every delta.
    for n in 0..200 {
        recorder.append(vec![record(n, 100)]).unwrap();
        recorder.flush().unwrap();
    }
    recorder.finish(Finished::default()).unwrap();
    let size = library.size();
    let path = library.path().unwrap().to_path_buf();
    drop(recorder);
    library.close().unwrap();
    assert_eq!(size, path.metadata().unwrap().len());
}

#[test]
fn purging_gives_the_space_back() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(&dir.path().join("l.weir")).unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let recorder = library.create(NewSession::default()).unwrap();
        recorder.append(vec![record(1, 500_000); 40]).unwrap();
        recorder.finish(Finished::default()).unwrap();
        ids.push(recorder.id().to_string());
    }
    library.delete(&ids[..1]).unwrap();
    assert_eq!(library.purge_deleted(Duration::ZERO).unwrap(), 1);
    let path = library.path().unwrap().to_path_buf();
    let kept = library.reader(&ids[1]).unwrap();
    assert_eq!(kept.len(0, RecordKind::In), 20_000_000);
    assert_eq!(kept.read(0, RecordKind::In, 19_999_990, 100).unwrap(), [1; 10]);
    drop(kept);
    library.close().unwrap();
    let size = path.metadata().unwrap().len();
    assert!(size < 22_000_000, "{size}");
}

#[test]
fn its_own_living_sessions_are_not_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("l.weir");
    let (one, two) = (Library::open(&path).unwrap(), Library::open(&path).unwrap());
    let recorder = one.create(NewSession::default()).unwrap();
    assert!(one.recover().unwrap().is_empty());
    assert!(two.recover().unwrap().is_empty());
    assert_eq!(two.session(recorder.id()).unwrap().state, State::Recording);
}

#[test]
fn a_reply_can_be_searched_at_once_and_after_a_crash_that_came_before_its_index() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("l.weir");
    let found = |library: &Library| library.list(&Query { text: "millrace".into(), ..Query::default() }).unwrap().rows.len();
    let library = Library::open(&path).unwrap();
    for run in 1..20 {
        let recorder = library.create(NewSession::default()).unwrap();
        // Long enough that the index takes its time.
        let reply = "sluice gate ".repeat(10_000) + "millrace";
        recorder.finish(Finished { reply, outcome: "complete".into(), ..Finished::default() }).unwrap();
        assert_eq!(found(&library), run);
        assert_eq!(library.purge_deleted(Duration::ZERO).unwrap(), 0);
    }
    // As a process leaves it that was killed between the end and the index.
    library
        .inner
        .writer
        .write(|db| {
            db.execute_batch("UPDATE session SET owner = 'gone' WHERE key = 1")?;
            search::delete(db, 1)
        })
        .unwrap();
    assert_eq!(found(&library), 18);
    assert!(library.recover().unwrap().is_empty(), "it is complete, not cut");
    assert_eq!(found(&library), 19);
    assert!(library.read(session::owned).unwrap().is_empty());
}

#[test]
fn an_unwritable_place_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("no").join("l.weir");
    assert_eq!(Library::open(&missing).unwrap_err().code(), "disk");
    assert_eq!(Library::open(dir.path()).unwrap_err().code(), "disk");
}
