use super::*;

const LATER: &[&[&str]] = &[MIGRATIONS[0], &["ALTER TABLE setting ADD COLUMN note TEXT"]];

fn version(db: &Connection) -> i64 {
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn a_fresh_file_gets_every_migration() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.weir");
    let db = open(&path, MIGRATIONS).unwrap();
    assert_eq!(version(&db), 1);
    let id: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
    assert_eq!(id, APPLICATION_ID);
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    drop(db);
    assert_eq!(&std::fs::read(&path).unwrap()[68..72], b"WEIR");
}

#[test]
fn an_older_file_is_brought_forward_and_a_newer_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.weir");
    open(&path, MIGRATIONS).unwrap().execute("INSERT INTO setting VALUES ('k', 'v')", []).unwrap();
    let db = open(&path, LATER).unwrap();
    assert_eq!(version(&db), 2);
    let kept: String = db.query_row("SELECT value FROM setting WHERE note IS NULL", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "v");
    drop(db);
    assert!(matches!(open(&path, MIGRATIONS), Err(Error::Newer { found: 2, known: 1 })));
}

#[test]
fn a_foreign_database_is_left_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(open(&path, MIGRATIONS), Err(Error::NotWeir { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);

    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "a text that is long enough to look like a header, but is none ".repeat(30)).unwrap();
    assert!(matches!(open(&text, MIGRATIONS), Err(Error::NotWeir { .. })));
}

#[test]
fn a_library_with_a_foreign_trigger_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.weir");
    let db = open(&path, MIGRATIONS).unwrap();
    db.execute_batch("CREATE TRIGGER evil AFTER INSERT ON session BEGIN DELETE FROM session; END").unwrap();
    drop(db);
    assert!(matches!(open(&path, MIGRATIONS), Err(Error::Damaged(why)) if why.contains("evil")));
}

#[test]
fn two_may_create_the_same_file_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.weir");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(version(&open(&path, MIGRATIONS).unwrap()), 1));
        }
    });
}

#[test]
fn a_file_that_is_just_laid_out_is_never_taken_for_a_foreign_one() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..40 {
        let path = dir.path().join(format!("{n}.weir"));
        std::thread::scope(|scope| {
            let made = scope.spawn(|| open(&path, MIGRATIONS).unwrap());
            let db = database::open(&path).unwrap();
            while !made.is_finished() && kind(&db, &path, MIGRATIONS).unwrap() == Kind::Fresh {}
            made.join().unwrap();
        });
    }
}
