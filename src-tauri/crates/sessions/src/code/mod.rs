//! The request as a program: in Python, JavaScript and Rust, with the official SDK where there is one and in plain HTTP.
//!
//! A program does what Weir does and nothing else: the same URL, fields and body, and the reply's text printed as it comes. The key is
//! always taken from an environment variable; a field that holds one by value is written with the variable in its place.

mod javascript;
mod literal;
mod python;
mod request;
mod rust;
mod sdk;
#[cfg(test)]
mod tests;

use serde::Serialize;
use ts_rs::TS;

use crate::view::Draft;
use crate::{Engine, Error, KeyChoice, Plan, files};

/// A form a program comes in.
#[derive(Clone, Copy, Debug)]
pub struct Language {
    /// Id, e.g. `python-httpx`.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// As code blocks name it.
    pub language: &'static str,
    write: fn(&Plan) -> String,
}

/// A request as code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CodeSample {
    /// Id of the form, e.g. `python-httpx`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// The language, as code blocks name it.
    pub language: String,
    /// The program.
    pub text: String,
    /// What must be done before it runs, in words.
    pub note: Option<String>,
}

/// Attached files of this many bytes in all stand in the program themselves; larger ones would make it unreadable and slow to show.
const INLINE: usize = 256 << 10;

/// The forms, in the order they are offered.
pub fn languages() -> &'static [Language] {
    const fn form(id: &'static str, name: &'static str, language: &'static str, write: fn(&Plan) -> String) -> Language {
        Language { id, name, language, write }
    }
    const ALL: &[Language] = &[
        form("curl", "cURL", "sh", |plan| crate::export::curl(&plan.call, plan.draft.insecure)),
        form("python", "Python, official SDK", "python", python::sdk),
        form("python-httpx", "Python, httpx", "python", python::http),
        form("javascript", "JavaScript, official SDK", "js", javascript::sdk),
        form("javascript-fetch", "JavaScript, fetch", "js", javascript::http),
        form("rust", "Rust, reqwest", "rust", rust::http),
    ];
    ALL
}

/// The program for a plan's request. `None` if there is no form of that id.
pub fn generate(plan: &Plan, form: &str) -> Option<String> {
    languages().iter().find(|known| known.id == form).map(|known| (known.write)(plan))
}

/// The program for a draft in every form. Small attached files are written into it, large ones stand as the reference the draft holds.
///
/// # Errors
/// Those of [`Engine::plan`], and `file-gone` where an attached file is no longer kept.
pub fn for_draft(engine: &Engine, draft: &Draft) -> Result<Vec<CodeSample>, Error> {
    let attached = files::attached(&draft.ask);
    if attached == 0 {
        return Ok(samples(&engine.plan(draft, &KeyChoice::Stored)?));
    }
    if attached <= INLINE {
        let whole = Draft { ask: engine.with_files(&draft.ask)?, ..draft.clone() };
        return Ok(samples(&engine.plan(&whole, &KeyChoice::Stored)?));
    }
    let kib = attached.div_ceil(1024);
    let note =
        format!("The attached files ({kib} KiB) are too long to stand in a program: put each one's base64 where «weir-file:…» stands.");
    let samples = samples(&engine.plan(draft, &KeyChoice::Stored)?);
    Ok(samples.into_iter().map(|sample| CodeSample { note: Some(note.clone()), ..sample }).collect())
}

/// The program in every form.
pub fn samples(plan: &Plan) -> Vec<CodeSample> {
    let sample = |form: &Language| CodeSample {
        id: form.id.into(),
        name: form.name.into(),
        language: form.language.into(),
        text: (form.write)(plan),
        note: None,
    };
    languages().iter().map(sample).collect()
}
