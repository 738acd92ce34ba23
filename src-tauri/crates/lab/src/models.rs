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
    ErrorMidStream,
}

/// A model in the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    pub id: &'static str,
    pub description: &'static str,
    pub behaviour: Behaviour,
}

pub(crate) static MODELS: &[Model] = &[
    Model { id: "lab/steady", description: "text, one token a beat", behaviour: Behaviour::Steady },
    Model { id: "lab/bursty", description: "text in clumps with pauses between", behaviour: Behaviour::Bursty },
    Model { id: "lab/reasoner", description: "thinks aloud, then answers", behaviour: Behaviour::Reasoner },
    Model { id: "lab/tools", description: "calls the tools it is given, then answers from their results", behaviour: Behaviour::Tools },
    Model { id: "lab/refuser", description: "declines every request", behaviour: Behaviour::Refuser },
    Model { id: "lab/filtered", description: "stopped half way by a content filter", behaviour: Behaviour::Filtered },
    Model { id: "lab/error-mid-stream", description: "fails half way, after status 200", behaviour: Behaviour::ErrorMidStream },
];

/// The model of that name; `lab` alone is `lab/steady`.
pub(crate) fn find(id: &str) -> Option<&'static Model> {
    let id = if id == "lab" { "lab/steady" } else { id };
    MODELS.iter().find(|m| m.id == id)
}
