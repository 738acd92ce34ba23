//! The Sessions view over the library: list, export to a file of the user's, import.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use weir_recordings::{Query, SessionRow, State};

use crate::view::{ExportFormat, Metrics, SessionPage, SessionSummary, SessionsQuery};
use crate::{Engine, Error, export, home};

/// A page of the list.
pub fn page(engine: &Engine, query: &SessionsQuery) -> Result<SessionPage, Error> {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let page = engine.library().list(&Query {
        text: query.text.clone(),
        provider: some(&query.provider),
        transport: some(&query.transport),
        outcome: some(&query.outcome),
        tag: some(&query.tag),
        since_ms: (query.since_ms > 0).then_some(query.since_ms),
        offset: u64::from(query.offset),
        limit: u64::from(if query.limit == 0 { 100 } else { query.limit.min(1000) }),
        deleted: false,
    })?;
    Ok(SessionPage { total: page.total as u32, bytes: engine.library().size(), sessions: page.rows.into_iter().map(summary).collect() })
}

/// A row of the list.
pub fn summary(row: SessionRow) -> SessionSummary {
    let kept: serde_json::Value = serde_json::from_str(&row.summary).unwrap_or_default();
    let metrics: Option<Metrics> = kept.get("metrics").and_then(|m| serde_json::from_value(m.clone()).ok());
    SessionSummary {
        problem: kept.pointer("/problem/code").and_then(|code| code.as_str()).unwrap_or_default().to_owned(),
        outcome: if row.state == State::Recording { "recording".into() } else { row.outcome },
        metrics,
        id: row.id,
        title: row.title,
        provider: row.provider,
        model: row.model,
        dialect: row.dialect,
        transport: row.transport,
        started_at_ms: row.started_at_ms as f64,
        total_ms: row.total_ms,
        frames: row.frames as u32,
        bytes_down: row.bytes_down,
        ttft_ms: row.ttft_ms,
        status: row.status,
        tags: row.tags,
        prompt: row.prompt.chars().take(2000).collect(),
        reply: row.reply.chars().take(2000).collect(),
    }
}

/// Writes sessions to a new file in the exports folder and tells its name. Several sessions in a format that holds one become a file each.
pub fn export_to_downloads(engine: &Engine, ids: &[String], format: ExportFormat) -> Result<String, Error> {
    let folder = home::exports();
    std::fs::create_dir_all(&folder).map_err(|error| write_error(&folder, &error))?;
    let first = ids.first().ok_or_else(|| Error::missing("session to export"))?;
    if format == ExportFormat::Weir {
        let library = engine.library_of(first);
        let path = free(&folder, &library.session(first)?.title, "weir");
        library.export(ids, &path)?;
        return Ok(name(&path));
    }
    let mut names = Vec::new();
    for id in ids {
        let session = engine.session(id)?;
        let path = free(&folder, &session.info().title, extension(format));
        let part = path.with_extension("part");
        let write = || -> Result<(), Error> {
            let mut file = BufWriter::new(File::create(&part).map_err(|error| write_error(&part, &error))?);
            export::export(&session, format, &mut file)?;
            file.flush().map_err(|error| write_error(&part, &error))?;
            std::fs::rename(&part, &path).map_err(|error| write_error(&path, &error))
        };
        if let Err(error) = write() {
            // Half an export would be taken for a whole one.
            let _ = std::fs::remove_file(&part);
            return Err(error);
        }
        names.push(name(&path));
    }
    Ok(names.join(", "))
}

/// Writes the sound of a block of a reply to the Downloads folder, as any player takes it; tells the file's name.
///
/// # Errors
/// Those of [`crate::Session::audio`], and the disk's.
pub fn sound_to_downloads(engine: &Engine, id: &str, block: u32) -> Result<String, Error> {
    let folder = home::exports();
    std::fs::create_dir_all(&folder).map_err(|error| write_error(&folder, &error))?;
    let session = engine.session(id)?;
    let (media_type, sound) = session.audio(block)?;
    let kind = match media_type.split(';').next().unwrap_or_default().trim() {
        "audio/wav" => "wav",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/ogg" | "audio/opus" => "ogg",
        "audio/flac" => "flac",
        "audio/aac" => "aac",
        _ => "bin",
    };
    let path = free(&folder, &session.info().title, kind);
    let part = path.with_extension("part");
    let written = std::fs::write(&part, sound).and_then(|()| std::fs::rename(&part, &path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&part);
        write_error(&path, &error)
    })?;
    Ok(name(&path))
}

/// Takes the bytes of a `.weir` file in; tells the first of its sessions.
pub fn import(engine: &Engine, file: &[u8]) -> Result<SessionSummary, Error> {
    let path = engine.home().join(format!("import-{}.part", std::process::id()));
    std::fs::write(&path, file).map_err(|error| write_error(&path, &error))?;
    let imported = engine.library().import(&path);
    let _ = std::fs::remove_file(&path);
    let ids = imported?;
    let first = ids.first().ok_or_else(|| Error::missing("session in this file"))?;
    Ok(summary(engine.library().session(first)?))
}

fn extension(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Weir => "weir",
        ExportFormat::Har => "har",
        ExportFormat::Jsonl => "jsonl",
        ExportFormat::Raw => "bin",
        ExportFormat::Markdown => "md",
        ExportFormat::Curl => "sh",
        ExportFormat::Csv => "csv",
        ExportFormat::Pcapng => "pcapng",
        ExportFormat::Otlp => "otlp.json",
    }
}

/// A path nobody has yet, named after the title.
pub(crate) fn free(folder: &Path, title: &str, extension: &str) -> PathBuf {
    let word: String = title.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
    let word = word.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let word = if word.is_empty() { "session".to_owned() } else { word };
    let numbered = |n: u32| folder.join(if n == 1 { format!("{word}.{extension}") } else { format!("{word}-{n}.{extension}") });
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(crate) fn write_error(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        "local",
        "write",
        "The file cannot be written.",
        "Nothing was exported.",
        format!("{}: {error}", path.display()),
        "Check the folder's rights and free space.",
    )
}
