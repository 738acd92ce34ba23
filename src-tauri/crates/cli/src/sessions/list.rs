//! The list and the search.

use serde_json::{Value, json};
use weir_recordings::{Query, SessionRow, State};
use weir_sessions::{Engine, Error};

use crate::out::{self, Exit};

/// Rows read at once.
const PAGE: u64 = 200;

/// List sessions, newest first.
#[derive(clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    filter: Filter,
    /// List deleted sessions that can be restored.
    #[arg(long)]
    deleted: bool,
}

/// Search titles, prompts, replies and reasoning.
#[derive(clap::Args)]
pub struct SearchArgs {
    /// Words that must all occur; the last one may be unfinished.
    #[arg(required = true)]
    words: Vec<String>,
    #[command(flatten)]
    filter: Filter,
}

#[derive(clap::Args)]
struct Filter {
    /// Only sessions with this provider.
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Only sessions over this transport.
    #[arg(long, value_name = "NAME")]
    transport: Option<String>,
    /// Only sessions that ended so: complete, cut, cancelled, failed.
    #[arg(long, value_name = "WORD")]
    outcome: Option<String>,
    /// Only sessions with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// At most this many.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Prints the list.
pub fn list(engine: &Engine, args: &ListArgs) -> Result<Exit, Error> {
    print(engine, &args.filter, Query { deleted: args.deleted, ..Query::default() })
}

/// Prints what the search finds.
pub fn search(engine: &Engine, args: &SearchArgs) -> Result<Exit, Error> {
    print(engine, &args.filter, Query { text: args.words.join(" "), ..Query::default() })
}

fn print(engine: &Engine, filter: &Filter, query: Query) -> Result<Exit, Error> {
    let mut query = Query {
        provider: filter.provider.clone(),
        transport: filter.transport.clone(),
        outcome: filter.outcome.clone(),
        tag: filter.tag.clone(),
        ..query
    };
    let mut left = filter.limit.unwrap_or(u64::MAX);
    while left > 0 {
        query.limit = left.min(PAGE);
        let page = engine.library().list(&query)?;
        let count = page.rows.len() as u64;
        for row in page.rows {
            let written = if filter.json { out::json(&object(&row)) } else { out::text(&line(&row)) };
            if let Err(error) = written {
                return Ok(out::unwritten(&error));
            }
        }
        if count < query.limit {
            break;
        }
        query.offset += count;
        left -= count;
    }
    Ok(Exit::Done)
}

fn outcome(row: &SessionRow) -> &str {
    if row.state == State::Recording { "recording" } else { &row.outcome }
}

/// A session as one object; `sessions show --json` tells more.
pub fn object(row: &SessionRow) -> Value {
    json!({
        "type": "session", "id": row.id, "title": row.title, "provider": row.provider, "model": row.model, "dialect": row.dialect,
        "transport": row.transport, "outcome": outcome(row), "status": row.status, "started_at_ms": row.started_at_ms,
        "ttft_ms": row.ttft_ms, "total_ms": row.total_ms, "frames": row.frames, "bytes_down": row.bytes_down, "bytes_up": row.bytes_up,
        "tags": row.tags, "deleted_at_ms": row.deleted_at_ms, "prompt": row.prompt, "reply": row.reply,
    })
}

fn line(row: &SessionRow) -> String {
    let at = when(row.started_at_ms);
    let title: String = row.title.chars().take(60).collect();
    let who = if row.model.is_empty() { &row.provider } else { &row.model };
    let line = format!(
        "{}  {at}  {:<9}  {:<9}  {:>8.0} ms  {:<24}  {title}",
        row.id,
        outcome(row),
        row.transport,
        row.total_ms,
        who.chars().take(24).collect::<String>()
    );
    format!("{}\n", out::printable(&line.replace(['\n', '\t'], " ")))
}

/// Local time to the second.
pub fn when(unix_ms: i64) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(unix_ms) else { return String::new() };
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
