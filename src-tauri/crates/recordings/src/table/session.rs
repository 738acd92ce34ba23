//! The sessions: a small row each, enough for the list.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::text::Text;
use super::{tag, text};
use crate::database::{from_sql, to_sql};
use crate::words::words;
use crate::{Error, Finished, NewSession, Page, Query, SessionRow, State};

/// `state` is `recording`, `done`, or `hidden` (an import that is not complete, a purge that has begun). `owner` names the lock file of the process that
/// writes the session, while it does. Keys are never used again: a reader may still hold the key of a purged session.
pub const V1: &str = "\
CREATE TABLE session (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  owner TEXT,
  title TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  dialect TEXT NOT NULL,
  transport TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER,
  started_at_ms INTEGER NOT NULL,
  ttft_ms REAL,
  total_ms REAL NOT NULL,
  frames INTEGER NOT NULL,
  bytes_down INTEGER NOT NULL,
  bytes_up INTEGER NOT NULL,
  deleted_at_ms INTEGER,
  prompt_head TEXT NOT NULL,
  reply_head TEXT NOT NULL
);
CREATE INDEX session_by_time ON session (started_at_ms, key)";

/// Characters of prompt and reply that the list shows.
const HEAD: usize = 240;

const COLUMNS: &str = "key, id, state, title, provider, model, dialect, transport, outcome, status, started_at_ms, ttft_ms, \
                       total_ms, frames, bytes_down, bytes_up, deleted_at_ms, prompt_head, reply_head";

fn head(text: &str) -> &str {
    text.char_indices().nth(HEAD).map_or(text, |(end, _)| &text[..end])
}

fn row(row: &Row<'_>) -> rusqlite::Result<(i64, SessionRow)> {
    let state: String = row.get(2)?;
    let session = SessionRow {
        id: row.get(1)?,
        state: if state == "recording" { State::Recording } else { State::Done },
        title: row.get(3)?,
        provider: row.get(4)?,
        model: row.get(5)?,
        dialect: row.get(6)?,
        transport: row.get(7)?,
        outcome: row.get(8)?,
        status: row.get(9)?,
        started_at_ms: row.get(10)?,
        ttft_ms: row.get(11)?,
        total_ms: row.get(12)?,
        frames: from_sql(row.get(13)?),
        bytes_down: from_sql(row.get(14)?),
        bytes_up: from_sql(row.get(15)?),
        tags: Vec::new(),
        deleted_at_ms: row.get(16)?,
        summary: String::new(),
        prompt: row.get(17)?,
        reply: row.get(18)?,
        reasoning: String::new(),
        plan: String::new(),
        whole: false,
    };
    Ok((row.get(0)?, session))
}

/// A session that begins now. `state` is `recording` or `hidden`.
pub fn insert(db: &Connection, id: &str, state: &str, owner: &str, new: &NewSession) -> Result<i64, Error> {
    db.prepare_cached(
        "INSERT INTO session (id, state, owner, title, provider, model, dialect, transport, outcome, started_at_ms, total_ms, \
         frames, bytes_down, bytes_up, prompt_head, reply_head) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?, 0, 0, 0, 0, ?, '')",
    )?
    .execute(params![
        id,
        state,
        owner,
        new.title,
        new.provider,
        new.model,
        new.dialect,
        new.transport,
        new.started_at_ms,
        head(&new.prompt)
    ])?;
    Ok(db.last_insert_rowid())
}

/// The session has ended, or is known better now. Its other tables are the caller's; so is its owner, who [releases](release) it.
pub fn finish(db: &Connection, key: i64, done: &Finished) -> Result<(), Error> {
    db.prepare_cached(
        "UPDATE session SET state = 'done', outcome = ?, status = ?, ttft_ms = ?, total_ms = ?, frames = ?, \
         bytes_down = ?, bytes_up = ?, reply_head = ? WHERE key = ?",
    )?
    .execute(params![
        done.outcome,
        done.status,
        done.ttft_ms,
        // SQLite takes a NaN for NULL, which the column does not.
        if done.total_ms.is_nan() { 0.0 } else { done.total_ms },
        to_sql(done.frames),
        to_sql(done.bytes_down),
        to_sql(done.bytes_up),
        head(&done.reply),
        key
    ])?;
    Ok(())
}

/// Nobody writes the session any more.
pub fn release(db: &Connection, key: i64) -> Result<(), Error> {
    db.prepare_cached("UPDATE session SET owner = NULL WHERE key = ? AND state = 'done'")?.execute([key])?;
    Ok(())
}

/// The session is still being recorded under that owner.
pub fn is_recording(db: &Connection, key: i64, owner: &str) -> Result<bool, Error> {
    let mut statement = db.prepare_cached("SELECT 1 FROM session WHERE key = ? AND owner = ? AND state = 'recording'")?;
    Ok(statement.exists(params![key, owner])?)
}

/// The session's recorder is gone without finishing it: what came until then is what it is. True if it was still recording under that owner.
pub fn cut(db: &Connection, key: i64, owner: &str, down: u64, up: u64, total_ms: f64) -> Result<bool, Error> {
    let changed = db
        .prepare_cached(
            "UPDATE session SET state = 'done', owner = NULL, outcome = 'cut', bytes_down = ?, bytes_up = ?, total_ms = ? \
             WHERE key = ? AND owner = ? AND state = 'recording'",
        )?
        .execute(params![to_sql(down), to_sql(up), total_ms, key, owner])?;
    Ok(changed > 0)
}

/// Who writes sessions now: key, id, state, owner.
pub fn owned(db: &Connection) -> Result<Vec<(i64, String, String, String)>, Error> {
    let mut statement = db.prepare_cached("SELECT key, id, state, owner FROM session WHERE owner IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The one session with this id, or whose id begins so.
pub fn find(db: &Connection, id: &str) -> Result<(i64, String), Error> {
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let exact = db.prepare_cached("SELECT key, id FROM session WHERE id = ? AND state <> 'hidden'")?.query_row([id], columns).optional()?;
    if let Some(found) = exact {
        return Ok(found);
    }
    if id.is_empty() {
        return Err(Error::NotFound(id.into()));
    }
    let mut statement =
        db.prepare_cached("SELECT key, id FROM session WHERE id >= ?1 AND id < ?1 || char(0x10ffff) AND state <> 'hidden' LIMIT 2")?;
    let mut found = statement.query_map([id], columns)?.collect::<Result<Vec<_>, _>>()?;
    match found.len() {
        0 => Err(Error::NotFound(id.into())),
        1 => Ok(found.remove(0)),
        _ => Err(Error::Ambiguous(id.into())),
    }
}

/// Everything about one session.
pub fn whole(db: &Connection, key: i64) -> Result<SessionRow, Error> {
    let (_, mut session) = db.prepare_cached(&format!("SELECT {COLUMNS} FROM session WHERE key = ?"))?.query_row([key], row)?;
    let Text { summary, prompt, plan, reply, reasoning } = text::of(db, key)?;
    let tags = tag::of(db, key)?;
    session = SessionRow { summary, prompt, plan, reply, reasoning, tags, whole: true, ..session };
    Ok(session)
}

/// A stretch of the list.
pub fn list(db: &Connection, query: &Query) -> Result<Page, Error> {
    let mut conditions = vec!["state <> 'hidden'".to_string()];
    conditions.push(format!("deleted_at_ms IS {}NULL", if query.deleted { "NOT " } else { "" }));
    let mut values: Vec<Value> = Vec::new();
    for (column, wanted) in [("provider", &query.provider), ("transport", &query.transport), ("outcome", &query.outcome)] {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| !wanted.is_empty()) {
            conditions.push(format!("{column} = ?"));
            values.push(wanted.clone().into());
        }
    }
    if let Some(name) = query.tag.as_ref().filter(|name| !name.is_empty()) {
        conditions.push("key IN (SELECT session FROM tag WHERE name = ?)".into());
        values.push(name.clone().into());
    }
    if let Some(since) = query.since_ms {
        conditions.push("started_at_ms >= ?".into());
        values.push(since.into());
    }
    let words = words(&query.text);
    if let Some(expression) = words.expression {
        conditions.push("key IN (SELECT rowid FROM search WHERE search MATCH ?)".into());
        values.push(expression.into());
    }
    for literal in words.literal {
        conditions.push(
            "(instr(title, ?) OR EXISTS (SELECT 1 FROM text WHERE text.session = key \
             AND (instr(text.prompt, ?) OR instr(text.reply, ?) OR instr(text.reasoning, ?))))"
                .into(),
        );
        values.extend(std::iter::repeat_n(Value::from(literal), 4));
    }
    let conditions = conditions.join(" AND ");

    let (total, bytes) = db
        .prepare_cached(&format!("SELECT count(*), coalesce(sum(bytes_down + bytes_up), 0) FROM session WHERE {conditions}"))?
        .query_row(params_from_iter(&values), |row| Ok((from_sql(row.get(0)?), from_sql(row.get(1)?))))?;

    values.push(to_sql(query.limit).into());
    values.push(to_sql(query.offset).into());
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM session WHERE {conditions} ORDER BY started_at_ms DESC, key DESC LIMIT ? OFFSET ?"
    ))?;
    let found = statement.query_map(params_from_iter(&values), row)?.collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::with_capacity(found.len());
    for (key, mut session) in found {
        session.tags = tag::of(db, key)?;
        session.summary = text::summary(db, key)?;
        rows.push(session);
    }
    Ok(Page { rows, total, bytes })
}

/// Give it another title. The search index is the caller's.
pub fn rename(db: &Connection, key: i64, title: &str) -> Result<(), Error> {
    db.prepare_cached("UPDATE session SET title = ? WHERE key = ?")?.execute(params![title, key])?;
    Ok(())
}

/// Its title.
pub fn title(db: &Connection, key: i64) -> Result<String, Error> {
    Ok(db.prepare_cached("SELECT title FROM session WHERE key = ?")?.query_row([key], |row| row.get(0))?)
}

/// Mark it deleted at a time, or no longer deleted.
pub fn set_deleted(db: &Connection, key: i64, at_ms: Option<i64>) -> Result<(), Error> {
    db.prepare_cached("UPDATE session SET deleted_at_ms = ? WHERE key = ?")?.execute(params![at_ms, key])?;
    Ok(())
}

/// Sessions deleted at that time or earlier and not being recorded.
pub fn deleted_until(db: &Connection, at_ms: i64) -> Result<Vec<i64>, Error> {
    let mut statement = db.prepare_cached("SELECT key FROM session WHERE deleted_at_ms <= ? AND owner IS NULL")?;
    let rows = statement.query_map([at_ms], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Hide it from everyone until its blocks are gone: a purge takes several transactions, and one that was broken off is ended by `recover`.
pub fn hide(db: &Connection, key: i64, owner: &str) -> Result<bool, Error> {
    let changed = db
        .prepare_cached("UPDATE session SET state = 'hidden', owner = ? WHERE key = ? AND owner IS NULL AND deleted_at_ms IS NOT NULL")?
        .execute(params![owner, key])?;
    Ok(changed > 0)
}

/// Remove the row itself.
pub fn remove(db: &Connection, key: i64) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM session WHERE key = ?")?.execute([key])?;
    Ok(())
}

#[cfg(test)]
mod tests;
