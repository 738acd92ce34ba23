//! Errors of the engine, all in the four parts the views show.

use crate::view::Problem;

/// Cause, consequence, evidence, next step, with a stable code and whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Error(pub Box<Problem>);

impl Error {
    /// An error in parts.
    pub fn new(blame: &str, code: &str, message: impl Into<String>, consequence: &str, evidence: impl Into<String>, next: &str) -> Self {
        Self(Box::new(Problem {
            code: code.into(),
            blame: blame.into(),
            message: message.into(),
            consequence: consequence.into(),
            evidence: evidence.into(),
            next: next.into(),
        }))
    }

    /// There is no such session, row or block.
    pub fn missing(what: &str) -> Self {
        Self::new(
            "user",
            "missing",
            format!("There is no {what}."),
            "Nothing was changed.",
            "",
            "It may have been deleted; look in Sessions.",
        )
    }
}

impl From<weir_transport::Error> for Error {
    fn from(error: weir_transport::Error) -> Self {
        Self(Box::new(crate::analysis::problem_of(&error)))
    }
}

impl From<weir_dialects::AskError> for Error {
    fn from(error: weir_dialects::AskError) -> Self {
        Self::new("user", "ask", error.to_string(), "Nothing was sent.", "", "Change the request, or choose another transport or dialect.")
    }
}

impl From<weir_recordings::Error> for Error {
    fn from(error: weir_recordings::Error) -> Self {
        let blame = match error.blame() {
            weir_recordings::Blame::Local => "local",
            weir_recordings::Blame::File | weir_recordings::Blame::User => "user",
        };
        let next = match error.code() {
            "disk-full" => "Free space on the disk that holds Weir's folder.",
            "not-found" | "ambiguous" => "Look in Sessions for its id.",
            _ => "What was kept before stays as it is.",
        };
        Self::new(blame, error.code(), sentence(&error.to_string()), "The library could not do this.", "", next)
    }
}

impl From<weir_secrets::Error> for Error {
    fn from(error: weir_secrets::Error) -> Self {
        let blame = format!("{:?}", error.blame).to_lowercase();
        Self::new(&blame, error.code, error.message.clone(), &error.consequence, error.evidence.clone(), &error.next)
    }
}

/// A library's words as a sentence. A file's name keeps its letters, and a dot within the first word makes it one.
fn sentence(words: &str) -> String {
    if words.split(' ').next().is_some_and(|first| first.contains(['.', '/', '\\'])) {
        return format!("{}.", words.trim_end_matches('.'));
    }
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_file_name_is_no_word_to_capitalise() {
        assert_eq!(super::sentence("junk.weir is not a Weir recording"), "junk.weir is not a Weir recording.");
        assert_eq!(super::sentence("/home/me/x is not a Weir recording."), "/home/me/x is not a Weir recording.");
        assert_eq!(super::sentence("the disk is full"), "The disk is full.");
    }
}
