//! What a client of a live session may set and say: <https://ai.google.dev/api/live>.

use crate::{ClientEvent, Extra};

/// Messages for an open socket.
pub(super) static CLIENT: &[ClientEvent] = &[
    ClientEvent {
        name: "clientContent",
        about: "Adds turns to the conversation; with turnComplete the model replies, and breaks off what it was saying.",
        template: r#"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"Hello"}]}],"turnComplete":true}}"#,
    },
    ClientEvent {
        name: "realtimeInput text",
        about: "Says something as it comes, without closing a turn: the model replies when it sees fit.",
        template: r#"{"realtimeInput":{"text":"Hello"}}"#,
    },
    ClientEvent {
        name: "realtimeInput audio",
        about: "A piece of sound: base64 of little-endian 16-bit PCM, one channel.",
        template: r#"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":""}}}"#,
    },
    ClientEvent {
        name: "realtimeInput video",
        about: "One picture of a video, in base64.",
        template: r#"{"realtimeInput":{"video":{"mimeType":"image/jpeg","data":""}}}"#,
    },
    ClientEvent {
        name: "realtimeInput audioStreamEnd",
        about: "The microphone was switched off.",
        template: r#"{"realtimeInput":{"audioStreamEnd":true}}"#,
    },
    ClientEvent {
        name: "realtimeInput activityStart",
        about: "The user begins to speak; only where automatic detection is disabled in the set-up.",
        template: r#"{"realtimeInput":{"activityStart":{}}}"#,
    },
    ClientEvent {
        name: "realtimeInput activityEnd",
        about: "The user has stopped speaking; only where automatic detection is disabled in the set-up.",
        template: r#"{"realtimeInput":{"activityEnd":{}}}"#,
    },
    ClientEvent {
        name: "toolResponse",
        about: "The results of calls, by their ids; the model goes on with them.",
        template: r#"{"toolResponse":{"functionResponses":[{"id":"","name":"","response":{"output":""}}]}}"#,
    },
    ClientEvent {
        name: "setup with a handle",
        about: "The first message of a new connection that goes on with an earlier session: the handle is the last newHandle that was resumable.",
        template: r#"{"setup":{"model":"models/MODEL","generationConfig":{"responseModalities":["TEXT"]},"sessionResumption":{"handle":""}}}"#,
    },
];

const fn extra(path: &'static str, kind: &'static str, about: &'static str) -> Extra {
    Extra { path, kind, about }
}

/// Members of the set-up.
pub(super) static EXTRAS: &[Extra] = &[
    extra("setup.generationConfig.responseModalities", "array", "TEXT (what Weir asks for) or AUDIO; many models only speak."),
    extra("setup.generationConfig.topK", "integer", "Sample among the K likeliest tokens."),
    extra("setup.generationConfig.presencePenalty", "number", "Penalty for tokens that occurred at all, -2 to 2 (exclusive)."),
    extra("setup.generationConfig.frequencyPenalty", "number", "Penalty for tokens by how often they occurred, -2 to 2 (exclusive)."),
    extra("setup.generationConfig.speechConfig", "object", "The voice: {voiceConfig:{prebuiltVoiceConfig:{voiceName}}, languageCode}."),
    extra("setup.generationConfig.mediaResolution", "string", "MEDIA_RESOLUTION_LOW, _MEDIUM or _HIGH: tokens a picture costs."),
    extra("setup.outputAudioTranscription", "object", "{}: also send what is spoken as text."),
    extra("setup.inputAudioTranscription", "object", "{}: also send what was heard as text."),
    extra(
        "setup.realtimeInputConfig",
        "object",
        "How speech is detected: {automaticActivityDetection:{disabled}, activityHandling, turnCoverage}.",
    ),
    extra("setup.sessionResumption", "object", "{}: send handles to go on with on a new connection; {handle} goes on."),
    extra("setup.contextWindowCompression", "object", "{slidingWindow:{}, triggerTokens}: lets a session last beyond its context window."),
    extra("setup.proactivity", "object", "{proactiveAudio}: the model may leave unanswered what is not meant for it."),
    extra("setup.safetySettings", "array", "[{category, threshold}]: what is blocked."),
];
