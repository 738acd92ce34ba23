//! What a client may say on the open socket, as templates.

use crate::ClientEvent;

const UPDATE: ClientEvent = ClientEvent {
    name: "session.update",
    about: "Changes the session from now on; only the members that are sent change.",
    template: r#"{"type":"session.update","session":{"type":"realtime","instructions":""}}"#,
};
const MESSAGE: ClientEvent = ClientEvent {
    name: "conversation.item.create",
    about: "Adds a message to the conversation. It asks for no reply: response.create does.",
    template: r#"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":""}]}}"#,
};
const RESULT: ClientEvent = ClientEvent {
    name: "conversation.item.create (function_call_output)",
    about: "Adds the result of a function call. response.create lets the model go on from it.",
    template: r#"{"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"","output":""}}"#,
};
const RETRIEVE: ClientEvent = ClientEvent {
    name: "conversation.item.retrieve",
    about: "Asks for an item as the server holds it.",
    template: r#"{"type":"conversation.item.retrieve","item_id":""}"#,
};
const TRUNCATE: ClientEvent = ClientEvent {
    name: "conversation.item.truncate",
    about: "Cuts the sound of an assistant's message to what was played; its transcript goes.",
    template: r#"{"type":"conversation.item.truncate","item_id":"","content_index":0,"audio_end_ms":0}"#,
};
const DELETE: ClientEvent = ClientEvent {
    name: "conversation.item.delete",
    about: "Takes an item out of the conversation.",
    template: r#"{"type":"conversation.item.delete","item_id":""}"#,
};
const APPEND: ClientEvent = ClientEvent {
    name: "input_audio_buffer.append",
    about: "Adds sound in base64 to the input buffer, in the session's input format.",
    template: r#"{"type":"input_audio_buffer.append","audio":""}"#,
};
const COMMIT: ClientEvent = ClientEvent {
    name: "input_audio_buffer.commit",
    about: "Makes a user's message of the input buffer. An empty buffer is an error.",
    template: r#"{"type":"input_audio_buffer.commit"}"#,
};
const CLEAR: ClientEvent = ClientEvent {
    name: "input_audio_buffer.clear",
    about: "Empties the input buffer.",
    template: r#"{"type":"input_audio_buffer.clear"}"#,
};
const CREATE: ClientEvent = ClientEvent {
    name: "response.create",
    about: "Asks for a reply; what stands under response holds for this reply only.",
    template: r#"{"type":"response.create","response":{}}"#,
};
const CANCEL: ClientEvent = ClientEvent {
    name: "response.cancel",
    about: "Stops the reply under way, or the one that response_id names.",
    template: r#"{"type":"response.cancel"}"#,
};

/// Every client event of OpenAI's API.
pub(crate) static GA: &[ClientEvent] = &[
    UPDATE,
    MESSAGE,
    RESULT,
    RETRIEVE,
    TRUNCATE,
    DELETE,
    APPEND,
    COMMIT,
    CLEAR,
    ClientEvent {
        name: "output_audio_buffer.clear",
        about: "Stops the sound that is being played. WebRTC and SIP only: over WebSocket it is an error.",
        template: r#"{"type":"output_audio_buffer.clear"}"#,
    },
    CREATE,
    CANCEL,
];

/// Every client event of Qwen's API.
pub(crate) static QWEN: &[ClientEvent] = &[
    ClientEvent { template: r#"{"type":"session.update","session":{"modalities":["text"],"instructions":""}}"#, ..UPDATE },
    MESSAGE,
    RESULT,
    APPEND,
    COMMIT,
    CLEAR,
    ClientEvent {
        name: "input_image_buffer.append",
        about: "Adds a picture in base64 (a frame of a video) to the input, beside sound that was appended before.",
        template: r#"{"type":"input_image_buffer.append","image":""}"#,
    },
    CREATE,
    CANCEL,
    ClientEvent {
        name: "session.finish",
        about: "Ends the session once all that is under way was said; the server answers session.finished.",
        template: r#"{"type":"session.finish"}"#,
    },
];
