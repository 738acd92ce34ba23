//! Qwen-Omni-Realtime over WebSocket: OpenAI's beta names, with Qwen's own parameters and a `session.finish`.

use crate::realtime::{self, Names, Realtime};
use crate::{Ask, AskError, Call, ClientEvent, Decoder, Dialect, Extra, Outgoing, Transport};

/// The dialect `qwen-realtime`.
pub struct QwenRealtime;

const NAMES: Names = Names { dialect: "Qwen Realtime", beta: true };

impl Dialect for QwenRealtime {
    fn id(&self) -> &'static str {
        "qwen-realtime"
    }

    fn name(&self) -> &'static str {
        NAMES.dialect
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Websocket]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        realtime::problems(&NAMES, ask, transport)
    }

    /// A raw body is the client's messages, one JSON object after another.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        realtime::call(&NAMES, ask, transport, base, whole, auth)
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::new(Realtime::new())
    }

    fn persistent(&self, transport: Transport) -> bool {
        transport == Transport::Websocket
    }

    fn turn(&self, ask: &Ask, transport: Transport, _previous: Option<&str>) -> Result<Vec<Outgoing>, AskError> {
        realtime::turn(&NAMES, ask, transport)
    }

    fn client_events(&self, _transport: Transport) -> &'static [ClientEvent] {
        realtime::QWEN_EVENTS
    }

    /// They go into the session; `response` goes into `response.create`.
    fn extras(&self) -> &'static [Extra] {
        &[
            Extra { path: "modalities", kind: "array", about: "[\"text\"], or [\"text\",\"audio\"] for speech and its transcript." },
            Extra { path: "voice", kind: "string", about: "The voice, e.g. Cherry; which there are depends on the model." },
            Extra { path: "output_audio_format", kind: "string", about: "pcm: 24 kHz, 16 bit, one channel." },
            Extra { path: "input_audio_format", kind: "string", about: "pcm: 16 kHz, 16 bit, one channel." },
            Extra {
                path: "turn_detection",
                kind: "object",
                about: "server_vad or semantic_vad with threshold and silence_duration_ms; null leaves turns to the client.",
            },
            Extra { path: "top_k", kind: "integer", about: "Candidates of each step, 0 or more." },
            Extra { path: "presence_penalty", kind: "number", about: "-2 to 2; above 0 repeats less." },
            Extra { path: "repetition_penalty", kind: "number", about: "Above 0; 1 is no penalty." },
            Extra { path: "enable_search", kind: "boolean", about: "Lets the model search the web." },
            Extra { path: "search_options", kind: "object", about: "What of the search is told, e.g. enable_source." },
            Extra { path: "smooth_output", kind: "boolean", about: "Spoken rather than written style." },
        ]
    }

    fn read(&self, body: &str, url: &str, transport: Transport) -> Option<Ask> {
        realtime::read(&NAMES, body, url, transport)
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/api-ws/v1/realtime"]
    }
}
