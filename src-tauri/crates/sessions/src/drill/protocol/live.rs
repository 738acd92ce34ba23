//! Gemini Live: a session that can be opened again with a handle. What a handle holds is the session between two turns.

use serde_json::{Value, json};

use super::{Asked, Heard, Protocol, Said};

/// One turn of a session.
pub(in crate::drill) struct Live {
    prompt: String,
    /// The newest handle that could be resumed with.
    handle: Option<String>,
    /// The turn was asked for once.
    asked: bool,
    /// It was asked for on this connection.
    told: bool,
}

impl Live {
    pub(in crate::drill) fn new(prompt: String) -> Self {
        Self { prompt, handle: None, asked: false, told: false }
    }
}

impl Protocol for Live {
    fn ask(&mut self) -> Asked {
        self.told = false;
        let resumption = self.handle.as_ref().map_or_else(|| json!({}), |handle| json!({ "handle": handle }));
        let setup = json!({"setup": {
            "model": "models/lab/steady", "generationConfig": {"responseModalities": ["TEXT"]}, "sessionResumption": resumption,
        }});
        let path = "/gemini/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
        Asked::Socket { path: path.into(), messages: vec![setup.to_string()] }
    }

    fn ask_again(&mut self) -> Option<Asked> {
        self.handle.is_some().then(|| self.ask())
    }

    fn hear(&mut self, heard: Heard<'_>) -> Vec<Said> {
        let Heard::Message(message) = heard else { return Vec::new() };
        let message: Value = serde_json::from_str(message).unwrap_or_default();
        let mut said = Vec::new();
        let update = &message["sessionResumptionUpdate"];
        if update["resumable"] == true
            && let Some(handle) = update["newHandle"].as_str()
        {
            self.handle = Some(handle.to_owned());
        }
        if let Some(left) = message["goAway"]["timeLeft"].as_str() {
            said.push(Said::Leaving(format!("goAway: {left} left")));
        }
        // Everything waits for the set-up, and the turn for a handle from before it.
        if update["resumable"] == true && !std::mem::replace(&mut self.told, true) {
            let turn = json!({"clientContent": {"turns": [{"role": "user", "parts": [{"text": self.prompt}]}], "turnComplete": true}});
            said.push(Said::Answer { message: turn.to_string(), again: std::mem::replace(&mut self.asked, true) });
        }
        for part in message["serverContent"]["modelTurn"]["parts"].as_array().into_iter().flatten() {
            if let Some(text) = part["text"].as_str() {
                said.push(Said::Words(text.to_owned()));
            }
        }
        if message["serverContent"]["turnComplete"] == true {
            said.push(Said::Whole);
        }
        said
    }
}
