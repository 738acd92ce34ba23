//! The full text index over title, prompt, reply and reasoning. It holds no copy of the texts.

use rusqlite::{Connection, params};

use super::text::Text;
use crate::Error;
use crate::words::spaced;

pub const V1: &str = "\
CREATE VIRTUAL TABLE search USING fts5(
  title, prompt, reply, reasoning,
  content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
)";

pub fn put(db: &Connection, session: i64, title: &str, text: &Text) -> Result<(), Error> {
    db.prepare_cached("INSERT OR REPLACE INTO search (rowid, title, prompt, reply, reasoning) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![session, spaced(title), spaced(&text.prompt), spaced(&text.reply), spaced(&text.reasoning)])?;
    Ok(())
}

pub fn delete(db: &Connection, session: i64) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM search WHERE rowid = ?")?.execute([session])?;
    Ok(())
}

#[cfg(test)]
mod tests;
