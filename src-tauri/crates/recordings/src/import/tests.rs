use std::path::PathBuf;

use super::*;
use crate::{Finished, NewSession, Query, RecordKind};

fn record(t: u64, bytes: &[u8]) -> Record {
    Record { conn: 0, kind: RecordKind::In, t, bytes: bytes.to_vec().into() }
}

/// A `.weir` file with two sessions.
fn exported(dir: &Path) -> (Library, PathBuf, Vec<String>) {
    let library = Library::in_memory().unwrap();
    let mut ids = Vec::new();
    for title in ["first", "second"] {
        let new = NewSession { title: title.into(), prompt: "大模型".into(), ..NewSession::default() };
        let recorder = library.create(new).unwrap();
        recorder.append((0..100).map(|t| record(t, &[t as u8; 9000])).collect()).unwrap();
        let done = Finished { outcome: "complete".into(), summary: "{}".into(), frames: 3, ..Finished::default() };
        recorder.finish(done).unwrap();
        library.set_tags(recorder.id(), &["t".into()]).unwrap();
        ids.push(recorder.id().to_string());
    }
    let path = dir.join("sessions.weir");
    library.export(&ids, &path).unwrap();
    (library, path, ids)
}

fn edit(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn total(library: &Library) -> u64 {
    let deleted = library.list(&Query { deleted: true, ..Query::default() }).unwrap().total;
    let all: i64 = library.read(|db| Ok(db.query_row("SELECT count(*) FROM session", [], |row| row.get(0))?)).unwrap();
    let listed = library.list(&Query::default()).unwrap().total;
    assert_eq!(all as u64, listed + deleted, "something hidden was left behind");
    listed
}

#[test]
fn what_was_exported_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (from, path, ids) = exported(dir.path());
    let library = Library::in_memory().unwrap();
    assert_eq!(library.import(&path).unwrap(), ids);
    for id in &ids {
        assert_eq!(library.session(id).unwrap(), from.session(id).unwrap());
        assert_eq!(library.hash(id).unwrap(), from.hash(id).unwrap());
        let (a, b) = (library.reader(id).unwrap(), from.reader(id).unwrap());
        assert_eq!(a.read(0, RecordKind::In, 8_990, 20).unwrap(), b.read(0, RecordKind::In, 8_990, 20).unwrap());
    }
    assert_eq!(library.list(&Query { text: "模型".into(), ..Query::default() }).unwrap().total, 2);
}

#[test]
fn the_same_session_is_kept_once_and_another_gets_a_new_id() {
    let dir = tempfile::tempdir().unwrap();
    let (library, path, ids) = exported(dir.path());
    library.delete(&ids[..1]).unwrap();
    library.rename(&ids[1], "renamed here").unwrap();
    assert_eq!(library.import(&path).unwrap(), ids);
    assert_eq!(total(&library), 2);
    assert_eq!(library.session(&ids[1]).unwrap().title, "renamed here");

    // Both say they are the second session.
    edit(&path, &format!("DELETE FROM session WHERE key = 2; UPDATE session SET id = '{}'", ids[1]));
    let same = library.import(&path).unwrap();
    assert_eq!(same, [ids[1].clone()], "the records are the same");
    let other = Library::in_memory().unwrap();
    let recorder = other.begin(&ids[1], "recording", NewSession::default()).unwrap();
    recorder.append(vec![record(1, b"something else")]).unwrap();
    recorder.finish(Finished::default()).unwrap();
    let new = other.import(&path).unwrap();
    assert_ne!(new[0], ids[1]);
    assert_eq!(total(&other), 2);
}

#[test]
fn an_id_that_is_none_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    for bad in ["", "../../etc", "a b c d e f g h", "ID'; DROP TABLE session"] {
        let (_, path, _) = exported(dir.path());
        Connection::open(&path).unwrap().execute("UPDATE session SET id = ? WHERE key = 1", [bad]).unwrap();
        let library = Library::in_memory().unwrap();
        let ids = library.import(&path).unwrap();
        assert!(ids[0].len() == 16 && ids[0].bytes().all(|b| b.is_ascii_alphanumeric()), "{bad:?}");
    }
}

#[test]
fn foreign_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::in_memory().unwrap();
    let file = |name: &str| dir.path().join(name);
    std::fs::write(file("empty"), "").unwrap();
    std::fs::write(file("text"), "no database at all, and long enough for a header. ".repeat(100)).unwrap();
    edit(&file("other.db"), "CREATE TABLE session (x); PRAGMA user_version = 1");
    edit(&file("named.db"), "CREATE TABLE t (x); PRAGMA application_id = 7");
    for name in ["empty", "text", "other.db", "named.db"] {
        let error = library.import(&file(name)).unwrap_err();
        assert!(matches!(error, Error::NotWeir { .. }), "{name}: {error}");
    }
    edit(&file("hollow.db"), "CREATE TABLE t (x); PRAGMA user_version = 1; PRAGMA application_id = 0x57454952");
    assert!(matches!(library.import(&file("hollow.db")), Err(Error::Damaged(_))));
    assert_eq!(library.import(&file("missing")).unwrap_err().code(), "disk");
    assert_eq!(library.import(dir.path()).unwrap_err().code(), "disk");

    let (_, path, _) = exported(dir.path());
    edit(&path, "PRAGMA user_version = 99");
    assert!(matches!(library.import(&path), Err(Error::Newer { found: 99, .. })));
    assert_eq!(total(&library), 0);
}

#[test]
fn triggers_and_views_do_nothing_and_false_tables_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path, ids) = exported(dir.path());
    edit(
        &path,
        "CREATE TABLE loot (x); CREATE VIEW spy AS SELECT load_extension('x'); \
         CREATE TRIGGER evil AFTER UPDATE ON session BEGIN INSERT INTO loot SELECT load_extension('x'); END",
    );
    let library = Library::in_memory().unwrap();
    assert_eq!(library.import(&path).unwrap(), ids);
    // As a library it would be written to, so there it is refused.
    assert!(matches!(Library::open(&path), Err(Error::Damaged(_))));

    for trick in [
        "ALTER TABLE session RENAME TO s; CREATE VIEW session AS SELECT * FROM s",
        "ALTER TABLE text RENAME TO s; CREATE TABLE text (session INTEGER PRIMARY KEY, summary, prompt, plan, reply AS (abs(1)), reasoning)",
        "DROP TABLE block; CREATE VIRTUAL TABLE block USING fts5(session, first, head, data)",
        "ALTER TABLE session ADD COLUMN extra DEFAULT 7",
        "DROP INDEX block_by_record",
    ] {
        let (_, path, _) = exported(dir.path());
        edit(&path, trick);
        let library = Library::in_memory().unwrap();
        let error = library.import(&path).unwrap_err();
        assert!(matches!(error, Error::Damaged(_)), "{trick}: {error}");
        assert_eq!(total(&library), 0);
    }
}

#[test]
fn impossible_values_are_refused_and_nothing_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    for trick in [
        "UPDATE block SET head = x'ffffffffffffffffff01ff' WHERE session = 2",
        "UPDATE block SET data = zeroblob(3) WHERE session = 2",
        "UPDATE block SET head = 'text' WHERE session = 2",
        "UPDATE block SET first = first + 1 WHERE session = 2",
        "UPDATE block SET first = -5 WHERE session = 2",
        "UPDATE block SET head = x'0000', data = x'' WHERE session = 2",
        "UPDATE block SET data = zeroblob(310000000) WHERE session = 2",
        "UPDATE session SET title = x'ff00' WHERE key = 2",
        "UPDATE session SET total_ms = 'soon' WHERE key = 2",
        "UPDATE session SET status = -1 WHERE key = 2",
        "DELETE FROM text WHERE session = 2",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'block'",
    ] {
        let (_, path, _) = exported(dir.path());
        edit(&path, trick);
        let library = Library::in_memory().unwrap();
        let error = library.import(&path).expect_err(trick);
        assert!(matches!(error, Error::Damaged(_)), "{trick}: {error:?}");
        assert_eq!(total(&library), 0, "{trick}");
    }
}

#[test]
fn a_truncated_or_altered_file_is_refused_or_read_right() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path, ids) = exported(dir.path());
    let whole = std::fs::read(&path).unwrap();
    let library = Library::in_memory().unwrap();
    for part in 0..20 {
        let cut = whole.len() * part / 20;
        std::fs::write(&path, &whole[..cut]).unwrap();
        library.import(&path).unwrap_err();
    }
    // Payload bytes may be altered without notice, structure may not panic.
    for n in 0..150 {
        let mut bytes = whole.clone();
        let at = n * 7919 * 31 % bytes.len();
        bytes[at..(at + 16).min(whole.len())].fill(0xa5);
        std::fs::write(&path, &bytes).unwrap();
        let library = Library::in_memory().unwrap();
        match library.import(&path) {
            Ok(found) => assert_eq!(found.len(), ids.len()),
            Err(error) => assert_eq!(error.blame(), crate::Blame::File, "{at}: {error:?}"),
        }
        assert!(total(&library) <= 2);
    }
}

#[test]
fn an_older_file_is_migrated_in_a_copy() {
    const LATER: &[&[&str]] = &[schema::MIGRATIONS[0], &["ALTER TABLE session ADD COLUMN note TEXT"]];
    let dir = tempfile::tempdir().unwrap();
    let (_, path, _) = exported(dir.path());
    let before = std::fs::read(&path).unwrap();
    let source = Source::open_known(&path, LATER).unwrap();
    assert_eq!(source.keys().unwrap(), [1, 2]);
    source.db.query_row("SELECT note FROM session", [], |_| Ok(())).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
