//! Qwen-Omni-Realtime over WebSocket: OpenAI's beta names, with Qwen's own parameters and a `session.finish`.

use crate::Extra;
use crate::realtime::{QWEN_EVENTS, RealtimeApi};

/// The dialect `qwen-realtime`.
pub const QWEN_REALTIME: RealtimeApi = RealtimeApi {
    id: "qwen-realtime",
    name: "Qwen Realtime",
    beta: true,
    events: QWEN_EVENTS,
    extras: EXTRAS,
    endpoints: &["/api-ws/v1/realtime"],
};

/// They go into the session; `response` goes into `response.create`.
const EXTRAS: &[Extra] = &[
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
];
