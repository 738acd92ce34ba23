//! The Lab's models. A model's name decides how it behaves, so that any client can ask for a behaviour by its model field alone.

/// How a reply comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Steady,
    Bursty,
    Reasoner,
    Tools,
    Refuser,
    Filtered,
    SmallContext,
    ErrorMidStream,
    Quota,
}

/// A model in the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    pub id: &'static str,
    pub description: &'static str,
    pub behaviour: Behaviour,
}

const fn model(id: &'static str, behaviour: Behaviour, description: &'static str) -> Model {
    Model { id, description, behaviour }
}

pub(crate) static MODELS: &[Model] = &[
    model("lab/steady", Behaviour::Steady, "text, one token a beat"),
    model("lab/bursty", Behaviour::Bursty, "text in clumps with pauses between"),
    model("lab/reasoner", Behaviour::Reasoner, "thinks aloud, then answers"),
    model("lab/tools", Behaviour::Tools, "calls the tools it is given, then answers from their results"),
    model("lab/refuser", Behaviour::Refuser, "declines every request"),
    model("lab/filtered", Behaviour::Filtered, "stopped half way by a content filter"),
    model("lab/small-context", Behaviour::SmallContext, "takes prompts of 50 tokens at most"),
    model("lab/error-mid-stream", Behaviour::ErrorMidStream, "fails half way, after status 200"),
    model("lab/quota", Behaviour::Quota, "runs out of quota half way, after status 200"),
];

/// Seconds since 1970 at which every model was made, where an API wants to know.
pub(crate) const CREATED: u64 = 1_780_000_000;

/// The model of that name; `lab` alone is `lab/steady`, and APIs that put `models/` before a name may.
pub(crate) fn find(id: &str) -> Option<&'static Model> {
    let id = id.strip_prefix("models/").unwrap_or(id);
    let id = if id == "lab" { "lab/steady" } else { id };
    MODELS.iter().find(|m| m.id == id)
}
