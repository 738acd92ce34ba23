//! Why the Lab does not answer a request, in terms that all dialects share; each dialect gives it its own JSON shape.

/// A request the Lab cannot answer, or a reply it breaks off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// HTTP status.
    pub status: u16,
    /// Why, for dialects whose own words depend on it.
    pub reason: Reason,
    /// OpenAI's type of the error: `invalid_request_error` and the like.
    pub kind: &'static str,
    /// OpenAI's machine-readable code, if any.
    pub code: Option<&'static str>,
    /// The field that is wrong, if one is.
    pub param: Option<String>,
    /// For people, in no dialect's words.
    pub message: String,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The request is not what the API takes.
    Invalid,
    /// The key is not accepted.
    WrongKey,
    /// Nothing is at this path.
    NoPath,
    /// Something is at this path, but not for this method.
    Method,
    /// No model of that name.
    NoModel,
    /// What the request goes on from is not known.
    NoPrevious,
    /// The body is too large.
    TooLarge,
    /// The prompt is longer than the model's context.
    TooLong {
        /// Tokens of the prompt.
        tokens: usize,
        /// Tokens the model takes.
        limit: usize,
    },
    /// Too many requests in a while.
    RateLimit,
    /// What was paid for is used up.
    Quota,
    /// The server's own failure.
    Server,
    /// The server has no room just now.
    Overloaded,
}

/// The words of a reply that breaks in the middle.
pub(crate) const FAILURE: &str = "The Lab broke off here, as the model lab/error-mid-stream always does.";

/// The words of a reply that runs out of quota in the middle.
const QUOTA: &str = "You exceeded your current quota, as the model lab/quota always has it.";

impl Rejection {
    pub(crate) fn invalid(param: Option<&str>, message: impl Into<String>) -> Rejection {
        Rejection {
            status: 400,
            reason: Reason::Invalid,
            kind: "invalid_request_error",
            code: None,
            param: param.map(str::to_string),
            message: message.into(),
        }
    }

    pub(crate) fn no_previous(id: &str) -> Rejection {
        Rejection {
            reason: Reason::NoPrevious,
            code: Some("previous_response_not_found"),
            ..Rejection::invalid(Some("previous_response_id"), format!("Previous response with id '{id}' not found."))
        }
    }

    /// A reply that was not kept, or is no longer.
    pub(crate) fn not_kept(id: &str) -> Rejection {
        Rejection {
            status: 404,
            reason: Reason::NoPrevious,
            ..Rejection::invalid(None, format!("Response with id '{id}' not found: only replies made in the background are kept."))
        }
    }

    pub(crate) fn no_model(name: &str) -> Rejection {
        let known: Vec<&str> = crate::models::MODELS.iter().map(|m| m.id).collect();
        Rejection {
            status: 404,
            reason: Reason::NoModel,
            code: Some("model_not_found"),
            ..Rejection::invalid(Some("model"), format!("The model `{name}` does not exist here. The Lab has: {}.", known.join(", ")))
        }
    }

    pub(crate) fn no_path(method: &http::Method, path: &str) -> Rejection {
        Rejection {
            status: 404,
            reason: Reason::NoPath,
            code: Some("unknown_url"),
            ..Rejection::invalid(None, format!("Invalid URL ({method} {path})"))
        }
    }

    pub(crate) fn no_method(method: &http::Method, path: &str) -> Rejection {
        Rejection {
            status: 405,
            reason: Reason::Method,
            code: Some("method_not_supported"),
            ..Rejection::invalid(None, format!("Not allowed to {method} on {path}."))
        }
    }

    pub(crate) fn wrong_key() -> Rejection {
        Rejection {
            status: 401,
            reason: Reason::WrongKey,
            code: Some("invalid_api_key"),
            ..Rejection::invalid(None, "Incorrect API key provided: lab-wrong-key. The Lab takes any other key, and none.")
        }
    }

    pub(crate) fn too_long(model: &str, tokens: usize, limit: usize) -> Rejection {
        Rejection {
            reason: Reason::TooLong { tokens, limit },
            code: Some("context_length_exceeded"),
            ..Rejection::invalid(
                Some("messages"),
                format!(
                    "The maximum context length of `{model}` is {limit} tokens. However, your messages resulted in {tokens} tokens. Please reduce the length of the messages."
                ),
            )
        }
    }

    /// The failure in the middle of `lab/error-mid-stream`.
    pub(crate) fn failure() -> Rejection {
        Rejection {
            status: 500,
            reason: Reason::Server,
            kind: "server_error",
            code: Some("lab_error"),
            param: None,
            message: FAILURE.into(),
        }
    }

    /// The failure in the middle of `lab/quota`.
    pub(crate) fn quota() -> Rejection {
        Rejection {
            status: 429,
            reason: Reason::Quota,
            kind: "insufficient_quota",
            code: Some("insufficient_quota"),
            param: None,
            message: QUOTA.into(),
        }
    }

    /// What the fault `status` pretends.
    pub(crate) fn pretended(status: u16) -> Rejection {
        let (reason, kind, message) = match status {
            429 => (Reason::RateLimit, "rate_limit_exceeded", "Rate limit reached, as the Lab was asked to pretend."),
            401 => (Reason::WrongKey, "invalid_request_error", "Incorrect API key provided, as the Lab was asked to pretend."),
            404 => (Reason::NoModel, "invalid_request_error", "The model does not exist, as the Lab was asked to pretend."),
            413 => (Reason::TooLarge, "invalid_request_error", "The request is too large, as the Lab was asked to pretend."),
            400..=499 => (Reason::Invalid, "invalid_request_error", "The request is refused, as the Lab was asked to pretend."),
            503 | 529 => (Reason::Overloaded, "server_error", "The server is overloaded, as the Lab was asked to pretend."),
            _ => (Reason::Server, "server_error", "The server had an error, as the Lab was asked to pretend."),
        };
        Rejection { status, reason, kind, code: Some(kind), param: None, message: message.into() }
    }
}
