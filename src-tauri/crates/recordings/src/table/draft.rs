//! Drafts: the request tabs of the composer, in their order.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::Error;

pub const V1: &str = "CREATE TABLE draft (id TEXT PRIMARY KEY, place INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID";

/// A request tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Id, chosen by the UI.
    pub id: String,
    /// Its place among the tabs.
    pub place: i64,
    /// What is in it, as the UI wrote it (JSON).
    pub body: String,
}

pub fn all(db: &Connection) -> Result<Vec<Draft>, Error> {
    let mut statement = db.prepare_cached("SELECT id, place, body FROM draft ORDER BY place, id")?;
    let rows = statement.query_map([], |row| Ok(Draft { id: row.get(0)?, place: row.get(1)?, body: row.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn put(db: &Connection, draft: &Draft) -> Result<(), Error> {
    db.prepare_cached("INSERT OR REPLACE INTO draft VALUES (?, ?, ?)")?.execute(params![draft.id, draft.place, draft.body])?;
    Ok(())
}

pub fn delete(db: &Connection, id: &str) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM draft WHERE id = ?")?.execute([id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Draft;
    use crate::Library;

    #[test]
    fn drafts_keep_their_order() {
        let library = Library::in_memory().unwrap();
        let draft = |id: &str, place, body: &str| Draft { id: id.into(), place, body: body.into() };
        library.put_draft(draft("b", 1, "{}")).unwrap();
        library.put_draft(draft("a", 2, "{}")).unwrap();
        library.put_draft(draft("b", 3, "{\"x\":1}")).unwrap();
        assert_eq!(library.drafts().unwrap(), [draft("a", 2, "{}"), draft("b", 3, "{\"x\":1}")]);
        library.delete_draft("a").unwrap();
        assert_eq!(library.drafts().unwrap().len(), 1);
    }
}
