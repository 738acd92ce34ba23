//! Tags of sessions.

use rusqlite::{Connection, params};

use crate::Error;

pub const V1: &str = "\
CREATE TABLE tag (session INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (session, name)) WITHOUT ROWID;
CREATE INDEX tag_by_name ON tag (name, session)";

pub fn of(db: &Connection, session: i64) -> Result<Vec<String>, Error> {
    let mut statement = db.prepare_cached("SELECT name FROM tag WHERE session = ? ORDER BY name")?;
    let rows = statement.query_map([session], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Replace a session's tags. Blank ones and repeats are left out.
pub fn set(db: &Connection, session: i64, names: &[String]) -> Result<(), Error> {
    delete(db, session)?;
    let mut insert = db.prepare_cached("INSERT OR IGNORE INTO tag VALUES (?, ?)")?;
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        insert.execute(params![session, name])?;
    }
    Ok(())
}

pub fn delete(db: &Connection, session: i64) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM tag WHERE session = ?")?.execute([session])?;
    Ok(())
}

/// Every tag in use, sorted.
pub fn all(db: &Connection) -> Result<Vec<String>, Error> {
    let mut statement = db.prepare_cached("SELECT DISTINCT name FROM tag ORDER BY name")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use crate::{Library, NewSession, Query};

    #[test]
    fn tags_are_replaced_trimmed_and_filter_the_list() {
        let library = Library::in_memory().unwrap();
        let recorder = library.create(NewSession::default()).unwrap();
        let other = library.create(NewSession::default()).unwrap();
        library.set_tags(recorder.id(), &["old".into()]).unwrap();
        library.set_tags(recorder.id(), &[" b ".into(), "a, c".into(), "b".into(), " ".into()]).unwrap();
        library.set_tags(other.id(), &["z".into()]).unwrap();
        assert_eq!(library.session(recorder.id()).unwrap().tags, ["a, c", "b"]);
        let page = library.list(&Query { tag: Some("b".into()), ..Query::default() }).unwrap();
        assert_eq!(page.rows.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), [recorder.id()]);
        assert_eq!(library.tags().unwrap(), ["a, c", "b", "z"]);
        assert_eq!(library.list(&Query { tag: Some("old".into()), ..Query::default() }).unwrap().total, 0);
    }
}
