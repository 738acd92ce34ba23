//! Settings of the UI: a value by its key.

use rusqlite::{Connection, OptionalExtension, params};

use crate::Error;

pub const V1: &str = "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

pub fn value(db: &Connection, key: &str) -> Result<Option<String>, Error> {
    Ok(db.prepare_cached("SELECT value FROM setting WHERE key = ?")?.query_row([key], |row| row.get(0)).optional()?)
}

/// Keys that begin with `prefix`, and their values, by key.
pub fn under(db: &Connection, prefix: &str) -> Result<Vec<(String, String)>, Error> {
    // U+10FFFF ends every range of keys: no key of ours holds it.
    let mut statement = db.prepare_cached("SELECT key, value FROM setting WHERE key >= ?1 AND key < ?1 || char(1114111) ORDER BY key")?;
    let rows = statement.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn set(db: &Connection, key: &str, value: Option<&str>) -> Result<(), Error> {
    match value {
        Some(value) => db
            .prepare_cached("INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")?
            .execute(params![key, value])?,
        None => db.prepare_cached("DELETE FROM setting WHERE key = ?")?.execute([key])?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Library;

    #[test]
    fn a_setting_is_kept_replaced_and_removed() {
        let library = Library::in_memory().unwrap();
        assert_eq!(library.setting("theme"), None);
        library.set_setting("theme", "dark").unwrap();
        library.set_setting("theme", "light").unwrap();
        assert_eq!(library.setting("theme").as_deref(), Some("light"));
        library.set_setting("them", "x").unwrap();
        library.set_setting("theme:a", "1").unwrap();
        library.set_setting("theme:b", "2").unwrap();
        let under: Vec<_> = library.settings_under("theme:").unwrap().into_iter().map(|(_, value)| value).collect();
        assert_eq!(under, ["1", "2"]);
        library.remove_setting("theme").unwrap();
        assert_eq!(library.setting("theme"), None);
    }
}
