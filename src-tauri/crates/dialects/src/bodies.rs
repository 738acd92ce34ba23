//! Bodies as providers' documents show them: what is read of each makes the same JSON again, and its turns are in the form.

use serde_json::{Value, json};

use crate::{Ask, Role, Transport, dialect};

/// A body, with the dialect and transport it is for, and what the form shows of it: the system prompt and the texts of the turns.
struct Example {
    dialect: &'static str,
    transport: Transport,
    url: &'static str,
    body: Value,
    system: &'static str,
    texts: &'static [&'static str],
}

fn example(dialect: &'static str, transport: Transport, system: &'static str, texts: &'static [&'static str], body: Value) -> Example {
    let url = match dialect {
        "gemini" if transport == Transport::Sse => {
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
        }
        "gemini" => "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
        "ollama" => "http://localhost:11434/api/chat",
        "dashscope" => "https://dashscope.aliyuncs.com/api/v1/services/aigc/text-generation/generation",
        "dashscope-parts" => "https://dashscope.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation",
        "bedrock-converse" if transport == Transport::Http => "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse",
        "bedrock-converse" => "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream",
        "openai-realtime" => "wss://api.openai.com/v1/realtime?model=m",
        "qwen-realtime" => "wss://dashscope.aliyuncs.com/api-ws/v1/realtime?model=m",
        _ => "",
    };
    Example { dialect: dialect.strip_suffix("-parts").unwrap_or(dialect), transport, url, body, system, texts }
}

fn examples() -> Vec<Example> {
    let weather = json!({
        "type": "object",
        "properties": {"location": {"type": "string", "description": "City and country"}, "unit": {"type": "string", "enum": ["c", "f"]}},
        "required": ["location"]
    });
    use Transport::{Eventstream, Http, Ndjson, Sse, Websocket};
    vec![
        // OpenAI Chat Completions
        example(
            "openai-chat",
            Http,
            "Talk like a pirate.",
            &["Are semicolons optional?"],
            json!({"model": "gpt-5", "messages": [{"role": "developer", "content": "Talk like a pirate."}, {"role": "user", "content": "Are semicolons optional?"}]}),
        ),
        example(
            "openai-chat",
            Sse,
            "",
            &["What is in this image?"],
            json!({"model": "gpt-4.1", "stream": true, "messages": [{"role": "user", "content": [
                {"type": "text", "text": "What is in this image?"},
                {"type": "image_url", "image_url": {"url": "https://example.com/boardwalk.jpg", "detail": "low"}}
            ]}], "max_completion_tokens": 300}),
        ),
        example(
            "openai-chat",
            Sse,
            "Be brief.\nAnswer in French.",
            &["Hi", "", "{\"temp\": 14}", "Mind the tone.", "And tomorrow?"],
            json!({"model": "gpt-4.1", "stream": true, "stream_options": {"include_usage": true}, "messages": [
                {"role": "system", "content": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Answer in French."}]},
                {"role": "user", "name": "ada", "content": "Hi"},
                {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"location\":\"Paris\"}"}}]},
                {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "{\"temp\": 14}"}]},
                {"role": "system", "content": "Mind the tone."},
                {"role": "user", "content": "And tomorrow?"}
            ], "tools": [{"type": "function", "function": {"name": "get_weather", "description": "Weather now", "parameters": weather, "strict": true}}],
            "tool_choice": "auto", "parallel_tool_calls": false, "metadata": {"run": "7"}}),
        ),
        example(
            "openai-chat",
            Http,
            "",
            &["Transcribe.", "I cannot.", "Why?"],
            json!({"model": "gpt-4o-audio-preview", "modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}, "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Transcribe."}, {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]},
                {"role": "assistant", "content": [{"type": "text", "text": "I cannot."}, {"type": "refusal", "refusal": "No."}], "audio": {"id": "audio_1"}},
                {"role": "user", "content": "Why?"}
            ]}),
        ),
        // OpenAI Responses
        example("openai-responses", Http, "", &["Tell me a story."], json!({"model": "gpt-5", "input": "Tell me a story."})),
        example(
            "openai-responses",
            Http,
            "Talk like a pirate.",
            &["Be exact.", "How do I check an instance?"],
            json!({"model": "gpt-5", "reasoning": {"effort": "low"}, "instructions": "Talk like a pirate.", "input": [
                {"role": "developer", "content": "Be exact."},
                {"role": "user", "content": "How do I check an instance?"}
            ]}),
        ),
        example(
            "openai-responses",
            Sse,
            "",
            &["What is in this image?"],
            json!({"model": "gpt-4.1", "stream": true, "input": [{"role": "user", "content": [
                {"type": "input_text", "text": "What is in this image?"},
                {"type": "input_image", "image_url": "https://example.com/a.jpg", "detail": "auto"},
                {"type": "input_file", "file_id": "file-6F2"}
            ]}]}),
        ),
        example(
            "openai-responses",
            Sse,
            "",
            &["Weather in Paris?", "", "14", "It is 14 degrees.", "", "Thanks"],
            json!({"model": "gpt-5", "stream": true, "store": false, "include": ["reasoning.encrypted_content"], "input": [
                {"type": "message", "role": "user", "content": "Weather in Paris?"},
                {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up."}], "encrypted_content": "gAAAA", "status": "completed"},
                {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_weather", "arguments": "{}", "status": "completed"},
                {"type": "function_call_output", "call_id": "call_1", "output": "14"},
                {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "It is 14 degrees.", "annotations": []}]},
                {"type": "item_reference", "id": "msg_0"},
                {"role": "user", "content": [{"type": "input_text", "text": "Thanks"}]}
            ], "tools": [{"type": "web_search"}, {"type": "function", "name": "get_weather", "parameters": weather, "strict": true}]}),
        ),
        example(
            "openai-responses",
            Websocket,
            "",
            &["Hello"],
            json!({"type": "response.create", "model": "gpt-5", "store": false, "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}], "tools": []}),
        ),
        // Anthropic Messages
        example(
            "anthropic-messages",
            Http,
            "",
            &["Hello, Claude"],
            json!({"model": "claude-sonnet-4-5", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hello, Claude"}]}),
        ),
        example(
            "anthropic-messages",
            Sse,
            "You analyse books.\n<the whole book>",
            &["What are its themes?"],
            json!({"model": "claude-sonnet-4-5", "max_tokens": 1024, "stream": true,
                "system": [{"type": "text", "text": "You analyse books."}, {"type": "text", "text": "<the whole book>", "cache_control": {"type": "ephemeral"}}],
                "messages": [{"role": "user", "content": [{"type": "text", "text": "What are its themes?", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}]}),
        ),
        example(
            "anthropic-messages",
            Http,
            "",
            &["First, this:\nThen this.", "An ant.", "Sure?"],
            json!({"model": "claude-opus-4-1", "max_tokens": 64, "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "First, this:"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/4AAQ"}},
                    {"type": "text", "text": "Then this."},
                    {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
                ]},
                {"role": "assistant", "content": [{"type": "text", "text": "An ant.", "citations": null}]},
                {"role": "user", "content": "Sure?"}
            ]}),
        ),
        example(
            "anthropic-messages",
            Sse,
            "",
            &["Weather?", "I look it up.", "15 degrees", "none", "And then?"],
            json!({"model": "claude-sonnet-4-5", "max_tokens": 4096, "stream": true, "thinking": {"type": "enabled", "budget_tokens": 2000},
            "tools": [{"name": "get_weather", "description": "Weather", "input_schema": weather, "cache_control": {"type": "ephemeral"}}, {"type": "web_search_20250305", "name": "web_search"}],
            "messages": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "Two calls.", "signature": "EqQB"},
                    {"type": "text", "text": "I look it up."},
                    {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"location": "Paris"}},
                    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
                    {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {}}
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "15 degrees"},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [{"type": "text", "text": "none"}]},
                    {"type": "text", "text": "And then?"}
                ]}
            ]}),
        ),
        // Gemini
        example("gemini", Sse, "", &["How does AI work?"], json!({"contents": [{"parts": [{"text": "How does AI work?"}]}]})),
        example(
            "gemini",
            Http,
            "You are a cat.",
            &["Hello there"],
            json!({"system_instruction_note": 1, "systemInstruction": {"role": "system", "parts": [{"text": "You are a cat."}]}, "contents": [{"parts": [{"text": "Hello there"}]}],
                "generationConfig": {"temperature": 1.0, "topP": 0.8, "topK": 10, "thinkingConfig": {"thinkingBudget": 0}}}),
        ),
        example(
            "gemini",
            Sse,
            "",
            &["Caption this image.\nIn one line."],
            json!({"contents": [{"parts": [{"text": "Caption this image."}, {"inline_data": {"mime_type": "image/jpeg", "data": "/9j/4AAQ"}}, {"text": "In one line."}, {"file_data": {"mime_type": "video/mp4", "file_uri": "https://youtu.be/x"}, "video_metadata": {"fps": 5}}]}],
                "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]}),
        ),
        example(
            "gemini",
            Sse,
            "",
            &["Weather in Paris?", "", "{\"temperature\":14}", "Run this.", "Done.", "Good"],
            json!({"contents": [
                {"role": "user", "parts": [{"text": "Weather in Paris?"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "get_weather", "args": {"location": "Paris"}}, "thoughtSignature": "CsAB"}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "get_weather", "response": {"temperature": 14}}}]},
                {"role": "user", "parts": [{"text": "Run this."}]},
                {"role": "model", "parts": [{"executableCode": {"language": "PYTHON", "code": "1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}, {"text": "Done."}]},
                {"parts": [{"text": "Good"}], "role": "user"}
            ], "tools": [{"functionDeclarations": [{"name": "get_weather", "parameters": weather}]}, {"googleSearch": {}}]}),
        ),
        // Ollama
        example(
            "ollama",
            Ndjson,
            "",
            &["why is the sky blue?"],
            json!({"model": "llama3.2", "messages": [{"role": "user", "content": "why is the sky blue?"}]}),
        ),
        example(
            "ollama",
            Ndjson,
            "Be brief.",
            &["what is in this image?", "", "11 degrees", "Mind the tone.", "so?"],
            json!({"model": "llama3.2", "keep_alive": "5m", "options": {"num_ctx": 4096, "temperature": 0}, "messages": [
                {"role": "system", "content": "Be brief.", "x": 1},
                {"role": "user", "content": "what is in this image?", "images": ["iVBORw0KGgo="]},
                {"role": "assistant", "tool_calls": [{"type": "function", "function": {"index": 0, "name": "get_temperature", "arguments": {"city": "New York"}}}]},
                {"role": "tool", "tool_name": "get_temperature", "content": "11 degrees"},
                {"role": "system", "content": "Mind the tone."},
                {"role": "user", "content": "so?"}
            ], "tools": [{"type": "function", "function": {"name": "get_temperature", "description": "", "parameters": {"type": "object"}}}]}),
        ),
        example(
            "ollama",
            Http,
            "",
            &["Ollama is 22. Respond in JSON."],
            json!({"model": "llama3.1:8b", "stream": false, "format": {"type": "object", "properties": {"age": {"type": "integer"}}}, "messages": [{"role": "user", "content": "Ollama is 22. Respond in JSON."}]}),
        ),
        // Cohere
        example(
            "cohere",
            Http,
            "",
            &["Who discovered gravity?"],
            json!({"model": "command-a-03-2025", "messages": [{"role": "user", "content": "Who discovered gravity?"}]}),
        ),
        example(
            "cohere",
            Sse,
            "You are concise.",
            &["Look:\nAnd?", "A bird.\nA small one.", "Sure?"],
            json!({"model": "command-a-vision-07-2025", "stream": true, "safety_mode": "STRICT", "messages": [
                {"role": "system", "content": [{"type": "text", "text": "You are concise."}]},
                {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg", "detail": "low"}}, {"type": "text", "text": "And?"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "A bird."}, {"type": "text", "text": "A small one."}], "citations": []},
                {"role": "user", "content": "Sure?"}
            ]}),
        ),
        example(
            "cohere",
            Sse,
            "",
            &["Weather?", "", "14"],
            json!({"model": "command-a-03-2025", "stream": true, "messages": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "tool_plan": "I look.", "tool_calls": [{"id": "get_weather_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "get_weather_1", "content": [{"type": "document", "document": {"data": "{\"t\":14}"}}, {"type": "text", "text": "14"}]}
            ], "documents": [{"id": "1", "data": {"text": "x"}}], "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": weather}}]}),
        ),
        // DashScope
        example(
            "dashscope",
            Sse,
            "You are a helpful assistant.",
            &["Who are you?"],
            json!({"model": "qwen-plus", "input": {"messages": [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": "Who are you?"}]}, "parameters": {"result_format": "message"}}),
        ),
        example("dashscope", Http, "", &["Hi"], json!({"model": "qwen-plus", "input": {"messages": [{"role": "user", "content": "Hi"}]}})),
        example(
            "dashscope",
            Sse,
            "",
            &["Weather?", "", "14", "Mind the tone.", "And tomorrow?"],
            json!({"model": "qwen-plus", "input": {"messages": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "content": "", "reasoning_content": "I look.", "tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
                {"role": "tool", "content": "14", "tool_call_id": "call_1", "name": "get_weather"},
                {"role": "system", "content": "Mind the tone."},
                {"role": "user", "content": "And tomorrow?"}
            ]}, "parameters": {"incremental_output": true, "temperature": 1.0, "top_k": 5,
                "tools": [{"type": "function", "function": {"name": "get_weather", "description": "Weather now", "parameters": weather, "strict": true}}]}}),
        ),
        example(
            "dashscope-parts",
            Sse,
            "",
            &["What is this?\nIn one line."],
            json!({"model": "qwen-vl-max", "input": {"messages": [{"role": "user", "content": [
                {"text": "What is this?"},
                {"image": "https://example.com/a.jpg", "max_pixels": 1003520},
                {"text": "In one line."}
            ]}]}, "parameters": {"vl_high_resolution_images": true}}),
        ),
        // Bedrock Converse
        example(
            "bedrock-converse",
            Http,
            "You are an app.",
            &["Write an article."],
            json!({"messages": [{"role": "user", "content": [{"text": "Write an article."}]}], "system": [{"text": "You are an app."}], "inferenceConfig": {"maxTokens": 1000, "temperature": 0.5}}),
        ),
        example(
            "bedrock-converse",
            Eventstream,
            "You are concise.\n<a long text>",
            &["First, this:\nThen this.", "An ant.", "Sure?"],
            json!({"messages": [
                {"role": "user", "content": [
                    {"text": "First, this:"},
                    {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
                    {"text": "Then this."},
                    {"cachePoint": {"type": "default"}}
                ]},
                {"role": "assistant", "content": [{"text": "An ant."}, {"cachePoint": {"type": "default"}}]},
                {"role": "user", "content": [{"text": "Sure?"}]}
            ], "system": [{"text": "You are concise."}, {"text": "<a long text>"}, {"cachePoint": {"type": "default"}}],
            "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"}, "additionalModelRequestFields": {"top_k": 50}}),
        ),
        example(
            "bedrock-converse",
            Eventstream,
            "",
            &["Weather?", "I look.", "14", "", "{\"t\":14}"],
            json!({"messages": [
                {"role": "user", "content": [{"text": "Weather?"}]},
                {"role": "assistant", "content": [{"text": "I look."}, {"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": {}}}]},
                {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "14"}]}}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t2", "name": "get_weather", "input": {}}}]},
                {"role": "user", "content": [{"toolResult": {"toolUseId": "t2", "content": [{"json": {"t": 14}}], "status": "success"}}]}
            ], "toolConfig": {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": weather}}}, {"cachePoint": {"type": "default"}}]}}),
        ),
        // Sockets: the messages one after another
        example(
            "openai-realtime",
            Websocket,
            "Be brief.",
            &["Hi"],
            json!([
                {"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief.", "output_modalities": ["text"], "audio": {"output": {"voice": "marin"}}}},
                {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}},
                {"type": "response.create", "response": {"metadata": {"topic": "x"}}}
            ]),
        ),
        example(
            "openai-realtime",
            Websocket,
            "",
            &["Hi"],
            json!([
                {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}},
                {"type": "response.create"}
            ]),
        ),
        example(
            "qwen-realtime",
            Websocket,
            "You are a helper.",
            &["Hi"],
            json!([
                {"type": "session.update", "session": {"modalities": ["text", "audio"], "voice": "Cherry", "instructions": "You are a helper.", "turn_detection": null}},
                {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}},
                {"type": "response.create"}
            ]),
        ),
        example(
            "gemini-live",
            Websocket,
            "You are a cat.",
            &["Hello"],
            json!([
                {"setup": {"model": "models/gemini-live-2.5-flash", "systemInstruction": {"parts": [{"text": "You are a cat."}]}, "sessionResumption": {}}},
                {"clientContent": {"turns": [{"role": "user", "parts": [{"text": "Hello"}]}], "turnComplete": true}}
            ]),
        ),
        example(
            "gemini-live",
            Websocket,
            "",
            &["Hello"],
            json!([
                {"setup": {"model": "models/gemini-live-2.5-flash", "generationConfig": {"temperature": 0.5}}},
                {"clientContent": {"turns": [{"role": "user", "parts": [{"text": "Hello"}]}], "turnComplete": true}}
            ]),
        ),
    ]
}

/// What would be sent for `ask` in place of what it was read from.
fn written(example: &Example, ask: &Ask) -> Value {
    let dialect = dialect::find(example.dialect).unwrap();
    let whole = !example.url.is_empty();
    let url = if whole { example.url } else { "https://api.example.com/v1" };
    let call = dialect.call(ask, example.transport, url, whole, "").unwrap_or_else(|error| panic!("{error}: {}", example.body));
    let said = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    match call.messages.as_slice() {
        [] => said(&call.body),
        [one] if !example.body.is_array() => said(&one.text),
        several => several.iter().map(|message| said(&message.text)).collect(),
    }
}

fn read(example: &Example) -> Ask {
    let dialect = dialect::find(example.dialect).unwrap();
    let text = example.body.to_string();
    dialect.read(&text, example.url, example.transport).unwrap_or_else(|| panic!("{} is not read: {text}", example.dialect))
}

#[test]
fn documented_bodies_come_out_as_they_went_in() {
    for example in examples() {
        let ask = read(&example);
        assert_eq!(written(&example, &ask), example.body, "{}", example.dialect);
        assert_eq!(ask.system, example.system, "{}", example.body);
        let texts: Vec<&str> = ask.messages.iter().map(|message| message.text.as_str()).collect();
        assert_eq!(texts, example.texts, "{}", example.body);
        // What is kept aside is no secret of the engine: it goes through the page and comes back.
        let page: Ask = serde_json::from_str(&serde_json::to_string(&ask).unwrap()).unwrap();
        assert_eq!(page, ask);
    }
}

#[test]
fn an_edited_turn_is_sent_as_edited_and_the_others_as_they_were() {
    for example in examples() {
        let mut ask = read(&example);
        let at = ask.messages.iter().rposition(|message| message.role == Role::User).unwrap();
        ask.messages[at].text = "Another question altogether".into();
        let body = written(&example, &ask);
        assert!(body.to_string().contains("Another question altogether"), "{body}");
        let turns = |body: &Value| match body {
            Value::Array(said) => said.clone(),
            body => {
                let body = if body["input"]["messages"].is_array() { &body["input"] } else { body };
                ["messages", "contents", "input"].iter().find_map(|name| body[name].as_array().cloned()).unwrap_or_default()
            }
        };
        let (before, after) = (turns(&example.body), turns(&body));
        let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
        assert_eq!((after.len(), changed), (before.len(), before.len().min(1)), "{body}");
    }
}

#[test]
fn an_edit_keeps_the_marks_of_its_turn() {
    let body = json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": [{"type": "text", "text": "old", "cache_control": {"type": "ephemeral"}}]}]});
    let dialect = dialect::find("anthropic-messages").unwrap();
    let mut ask = dialect.read(&body.to_string(), "", Transport::Http).unwrap();
    ask.messages[0].text = "new".into();
    let call = dialect.call(&ask, Transport::Http, "https://api.anthropic.com", false, "").unwrap();
    let sent: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(sent["messages"][0]["content"], json!([{"type": "text", "text": "new", "cache_control": {"type": "ephemeral"}}]));
}
