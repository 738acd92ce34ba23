//! The long texts of a session, apart from its row so that the list stays fast.

use rusqlite::{Connection, params};

use crate::Error;

pub const V1: &str = "\
CREATE TABLE text (
  session INTEGER PRIMARY KEY,
  summary TEXT NOT NULL,
  prompt TEXT NOT NULL,
  plan TEXT NOT NULL,
  reply TEXT NOT NULL,
  reasoning TEXT NOT NULL
)";

/// A session's texts.
#[derive(Clone, Debug, Default)]
pub struct Text {
    pub summary: String,
    pub prompt: String,
    pub plan: String,
    pub reply: String,
    pub reasoning: String,
}

pub fn put(db: &Connection, session: i64, text: &Text) -> Result<(), Error> {
    db.prepare_cached("INSERT OR REPLACE INTO text VALUES (?, ?, ?, ?, ?, ?)")?.execute(params![
        session,
        text.summary,
        text.prompt,
        text.plan,
        text.reply,
        text.reasoning
    ])?;
    Ok(())
}

pub fn of(db: &Connection, session: i64) -> Result<Text, Error> {
    Ok(db.prepare_cached("SELECT summary, prompt, plan, reply, reasoning FROM text WHERE session = ?")?.query_row([session], |row| {
        Ok(Text { summary: row.get(0)?, prompt: row.get(1)?, plan: row.get(2)?, reply: row.get(3)?, reasoning: row.get(4)? })
    })?)
}

/// The summary alone: it is the first column, so long texts behind it are not read.
pub fn summary(db: &Connection, session: i64) -> Result<String, Error> {
    Ok(db.prepare_cached("SELECT summary FROM text WHERE session = ?")?.query_row([session], |row| row.get(0))?)
}

pub fn delete(db: &Connection, session: i64) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM text WHERE session = ?")?.execute([session])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Finished, Library, NewSession, Query};

    #[test]
    fn long_texts_are_whole_when_opened_and_short_in_the_list() {
        let library = Library::in_memory().unwrap();
        let prompt = "問".repeat(1000);
        let recorder = library.create(NewSession { prompt: prompt.clone(), plan: "{\"a\":1}".into(), ..NewSession::default() }).unwrap();
        let reply = "r".repeat(3_000_000);
        let done = Finished { reply: reply.clone(), reasoning: "why".into(), summary: "{}".into(), ..Finished::default() };
        recorder.finish(done).unwrap();

        let whole = library.session(recorder.id()).unwrap();
        assert!(whole.whole && whole.prompt == prompt && whole.reply == reply);
        assert_eq!((whole.reasoning.as_str(), whole.plan.as_str()), ("why", "{\"a\":1}"));

        let row = library.list(&Query::default()).unwrap().rows.remove(0);
        assert!(!row.whole);
        assert_eq!(row.prompt, "問".repeat(240));
        assert_eq!((row.reply.len(), row.summary.as_str(), row.plan.as_str()), (240, "{}", ""));
    }
}
