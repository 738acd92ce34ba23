//! OpenAI Realtime over WebSocket, also as Azure and xAI speak it: text first, sound where it is asked for.

use crate::Extra;
use crate::realtime::{EVENTS, RealtimeApi};

/// The dialect `openai-realtime`.
pub const OPENAI_REALTIME: RealtimeApi =
    RealtimeApi { id: "openai-realtime", name: "OpenAI Realtime", beta: false, events: EVENTS, extras: EXTRAS, endpoints: &["/realtime"] };

/// They go into the session; `response` goes into `response.create`.
const EXTRAS: &[Extra] = &[
    Extra { path: "output_modalities", kind: "array", about: "[\"text\"], or [\"audio\"] for speech and its transcript; not both." },
    Extra { path: "audio.output.voice", kind: "string", about: "The voice; it cannot change once something was spoken." },
    Extra { path: "audio.output.speed", kind: "number", about: "Speed of speech, 0.25 to 1.5." },
    Extra { path: "audio.output.format", kind: "object", about: "{\"type\":\"audio/pcm\",\"rate\":24000}, audio/pcmu or audio/pcma." },
    Extra {
        path: "audio.input.turn_detection",
        kind: "object",
        about: "How the server finds the end of what is spoken; null leaves it to the client.",
    },
    Extra { path: "audio.input.transcription", kind: "object", about: "Model and language that transcribe what is spoken." },
    Extra { path: "parallel_tool_calls", kind: "boolean", about: "Whether several tools may be called at once; reasoning models only." },
    Extra {
        path: "truncation",
        kind: "object",
        about: "What is dropped when the conversation outgrows the context: auto, disabled, or a retention ratio.",
    },
    Extra { path: "include", kind: "array", about: "More to be sent, e.g. item.input_audio_transcription.logprobs." },
    Extra { path: "prompt", kind: "object", about: "A stored prompt: id, version, variables." },
    Extra { path: "tracing", kind: "object", about: "Name, group and metadata of the session's trace, or \"auto\"." },
    Extra { path: "response.conversation", kind: "string", about: "none keeps the reply out of the conversation." },
    Extra { path: "response.metadata", kind: "object", about: "Up to 16 pairs of strings that come back with the response." },
    Extra { path: "response.instructions", kind: "string", about: "Instructions for this reply only." },
];
