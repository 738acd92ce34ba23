//! Nanoseconds per payload on the hot path: `cargo bench -p weir-dialects`.

use std::hint::black_box;
use std::time::Instant;

use weir_dialects::{Payload, Transport, dialect};

fn main() {
    let chat = r#"{"id":"chatcmpl-9nQ2v8X4kYtR1sJ7wLmB3cDfGhKp","object":"chat.completion.chunk","created":1795399355,"model":"gpt-5.1-mini-2026-02-11","service_tier":"default","system_fingerprint":"fp_a1b2c3d4e5","choices":[{"index":0,"delta":{"content":" tokens"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aB3dE5fG7hI9jK"}"#;
    let event = r#"{"type":"response.output_text.delta","sequence_number":1234,"item_id":"msg_68e1f0a4c5d08190b1a2c3d4e5f60718","output_index":0,"content_index":0,"delta":" tokens","logprobs":[],"obfuscation":"aB3dE5fG7hI9jKlMnOpQrStUvWxYz0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz"}"#;
    let block = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" tokens"}}"#;
    let content = r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" tokens"}}}}"#;
    for (id, data) in [("openai-chat", chat), ("openai-responses", event), ("anthropic-messages", block), ("cohere", content)] {
        let Some(dialect) = dialect::find(id) else {
            continue;
        };
        let mut decoder = dialect.decoder(Transport::Sse);
        let rounds = 50_000_u32;
        let mut bytes = 0_usize;
        // The best of many short runs: what the code costs, not what else the machine does.
        let each = (0..40).map(|_| {
            let start = Instant::now();
            for _ in 0..rounds {
                decoder.payload(Payload::Event { event: "message", data: black_box(data) }, &mut |delta| {
                    bytes += delta.text.len() + delta.at.len()
                });
            }
            start.elapsed() / rounds
        });
        let each = each.min().unwrap_or_default();
        eprintln!("{id}: {each:?} for each payload of {} bytes ({} bytes of deltas)", data.len(), black_box(bytes));
    }
}
