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

use crate::Plan;

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
}

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

/// The program in every form.
pub fn samples(plan: &Plan) -> Vec<CodeSample> {
    let sample = |form: &Language| CodeSample {
        id: form.id.into(),
        name: form.name.into(),
        language: form.language.into(),
        text: (form.write)(plan),
    };
    languages().iter().map(sample).collect()
}
