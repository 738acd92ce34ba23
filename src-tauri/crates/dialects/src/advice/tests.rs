use super::*;
use Cause::*;

fn cause(dialect: &str, status: u16, code: &str, message: &str) -> Option<Cause> {
    advice(dialect, status, code, message).map(|advice| advice.cause)
}

#[test]
fn what_providers_say() {
    for (dialect, status, code, message, expected) in [
        ("openai-chat", 401, "invalid_api_key", "Incorrect API key provided: sk-1", WrongKey),
        ("openai-chat", 404, "model_not_found", "The model `gpt-0` does not exist or you do not have access to it.", UnknownModel),
        ("openai-chat", 400, "context_length_exceeded", "This model's maximum context length is 8192 tokens.", TooLong),
        ("openai-chat", 400, "content_filter", "The response was filtered", Filtered),
        ("openai-responses", 200, "insufficient_quota", "You exceeded your current quota", Quota),
        ("openai-responses", 101, "previous_response_not_found", "Previous response with id 'r' not found.", PreviousGone),
        ("openai-responses", 400, "invalid_request_error", "Previous response with id 'r' not found.", PreviousGone),
        ("openai-responses", 101, "websocket_connection_limit_reached", "", SocketOld),
        ("openai-realtime", 101, "beta_api_shape_disabled", "", BetaOff),
        ("openai-realtime", 101, "invalid_request_error.invalid_api_key", "invalid_request_error.invalid_api_key", WrongKey),
        ("openai-chat", 403, "unsupported_country_region_territory", "Country, region, or territory not supported", Region),
        ("openai-chat", 400, "400", "request (9031 tokens) exceeds the available context size (4096 tokens), try increasing it", TooLong),
        ("openai-chat", 503, "503", "Loading model", Loading),
        ("openai-chat", 200, "502", "Provider disconnected", Server),
        ("openai-chat", 402, "402", "Insufficient credits", Quota),
        ("openai-chat", 402, "unknown_error", "Insufficient Balance", Quota),
        ("openai-chat", 200, "The caller does not have permission", "Your team has no credits.", Quota),
        ("openai-chat", 401, "1002", "Authorization Token非法", WrongKey),
        ("openai-chat", 400, "1301", "不安全", Filtered),
        ("openai-chat", 404, "DeploymentNotFound", "The API deployment for this resource does not exist.", UnknownModel),
        (
            "openai-chat",
            400,
            "content_filter",
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            Filtered,
        ),
        ("openai-chat", 400, "invalid_request_error", "Unsupported parameter: 'max_tokens' is not supported with this model.", Parameter),
        (
            "openai-chat",
            400,
            "400",
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
            ToolTurns,
        ),
        ("anthropic-messages", 401, "authentication_error", "invalid x-api-key", WrongKey),
        ("anthropic-messages", 400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", TooLong),
        ("anthropic-messages", 400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", Quota),
        ("anthropic-messages", 404, "not_found_error", "model: claude-0", UnknownModel),
        ("anthropic-messages", 200, "overloaded_error", "Overloaded", Overloaded),
        ("anthropic-messages", 413, "request_too_large", "", TooLarge),
        (
            "anthropic-messages",
            400,
            "invalid_request_error",
            "`tool_use` ids were found without `tool_result` blocks immediately after",
            ToolTurns,
        ),
        ("gemini", 400, "400", "API key not valid. Please pass a valid API key.", WrongKey),
        ("gemini", 403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers (callers without established identity).", NoKey),
        (
            "gemini",
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan. * Quota exceeded for metric: x, limit: 10\nPlease retry in 17.3s.",
            RateLimit,
        ),
        ("gemini", 400, "400", "User location is not supported for the API use.", Region),
        ("gemini", 404, "404", "models/x is not found for API version v1beta", UnknownModel),
        ("gemini", 429, "429", "Resource has been exhausted (e.g. check quota).", RateLimit),
        ("gemini", 400, "400", "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).", TooLong),
        ("gemini", 200, "PROHIBITED_CONTENT", "", Filtered),
        ("gemini-live", 101, "1011", "You exceeded your current quota", Quota),
        ("gemini-live", 101, "1007 INVALID_ARGUMENT", "Cannot extract voices from a non-audio request.", Unsupported),
        ("gemini-live", 101, "1007 INVALID_ARGUMENT", "Invalid JSON payload received.", Parameter),
        ("gemini-live", 101, "1011 INTERNAL", "", Server),
        ("qwen-realtime", 101, "", "Access denied, please make sure your account is in good standing.", Quota),
        ("qwen-realtime", 101, "invalid_value", "Model not found: x", UnknownModel),
        ("cohere", 200, "ERROR_TOXIC", "", Filtered),
        ("openai-chat", 402, "", "", Quota),
        ("dashscope", 401, "InvalidApiKey", "Invalid API-key provided.", WrongKey),
        ("dashscope", 400, "Arrearage", "Access denied, please make sure your account is in good standing.", Quota),
        ("dashscope", 400, "InvalidParameter", "Range of input length should be [1, 30720]", TooLong),
        ("dashscope", 400, "InvalidParameter", "This model only support stream mode, please enable the stream parameter", StreamOnly),
        ("dashscope", 400, "InvalidParameter", "url error, please check url！", Endpoint),
        ("dashscope", 400, "DataInspectionFailed", "Input data may contain inappropriate content.", Filtered),
        ("dashscope-task", 101, "Throttling.RateQuota", "Requests rate limit exceeded", RateLimit),
        ("ollama", 404, "", "model \"x\" not found, try pulling it first", NotPulled),
        ("ollama", 400, "", "registry.ollama.ai/library/x does not support tools", Unsupported),
        ("ollama", 500, "", "model requires more system memory (9 GiB) than is available", Memory),
        ("cohere", 401, "", "invalid api token", WrongKey),
        ("cohere", 400, "", "too many tokens: size limit exceeded by 100 tokens", TooLong),
        ("bedrock-converse", 403, "AccessDeniedException", "You don't have access to the model with the specified model ID.", ModelAccess),
        (
            "bedrock-converse",
            403,
            "InvalidSignatureException:http://internal.amazon.com/",
            "The request signature we calculated does not match",
            Signature,
        ),
        (
            "bedrock-converse",
            403,
            "com.amazon.coral.service#UnrecognizedClientException",
            "The security token included in the request is invalid.",
            WrongKey,
        ),
        ("bedrock-converse", 200, "throttlingException", "Too many requests", RateLimit),
        ("bedrock-converse", 429, "ThrottlingException", "Too many tokens, please wait before trying again.", RateLimit),
        ("bedrock-converse", 429, "", "Too many tokens, please wait before trying again.", RateLimit),
        ("bedrock-converse", 403, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.", WrongKey),
        (
            "bedrock-converse",
            400,
            "ValidationException",
            "Invocation of model ID x with on-demand throughput isn\u{2019}t supported. Retry with the ID or ARN of an inference profile.",
            Profile,
        ),
        ("bedrock-converse", 400, "validationException", "Input is too long for requested model.", TooLong),
        ("mcp", 400, "-32022", "unsupported version", Version),
        ("raw", 401, "", "", WrongKey),
    ] {
        assert_eq!(cause(dialect, status, code, message), Some(expected), "{dialect} {status} {code} {message}");
    }
    assert_eq!(cause("openai-chat", 418, "", "I am a teapot"), None);
    assert_eq!(cause("raw", 200, "", ""), None);
    // Zhipu's numbers mean nothing elsewhere.
    assert_eq!(cause("cohere", 400, "1301", ""), None);
}

#[test]
fn every_cause_says_something() {
    for cause in Cause::ALL {
        assert!(cause.means().ends_with('.') && cause.next().ends_with('.'), "{cause:?}");
    }
}
