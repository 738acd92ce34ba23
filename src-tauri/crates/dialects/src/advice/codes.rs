//! Codes and types that providers give their errors, in lower case.

use super::Cause::{self, *};

/// What a code means that says enough by itself; a dialect's own sense goes before the common one.
pub(super) fn sharp(dialect: &str, code: &str) -> Option<Cause> {
    let code = bare(code);
    let own = match dialect {
        "openai-chat" | "anthropic-messages" => find(ZHIPU, &code),
        "mcp" => find(MCP, &code),
        _ => None,
    };
    own.or_else(|| find(SHARP, &code))
}

/// What a code means that many causes share: asked after the message.
pub(super) fn blunt(code: &str) -> Option<Cause> {
    find(BLUNT, &bare(code))
}

/// The code in lower case; AWS puts a URL behind its names, and a namespace before them.
fn bare(code: &str) -> String {
    // Close codes stand before their names.
    let code = code.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(' ').unwrap_or(code);
    let name = code.split(':').next().unwrap_or_default();
    name.rsplit('#').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn find(table: &[(&str, Cause)], code: &str) -> Option<Cause> {
    table.iter().find(|(known, _)| *known == code).map(|(_, cause)| *cause)
}

const SHARP: &[(&str, Cause)] = &[
    // OpenAI and its family
    ("invalid_api_key", WrongKey),
    ("incorrect_api_key_provided", WrongKey),
    ("account_deactivated", NoRight),
    ("insufficient_quota", Quota),
    ("billing_hard_limit_reached", Quota),
    ("billing_not_active", Quota),
    ("quota_exceeded", Quota),
    ("rate_limit_exceeded", RateLimit),
    ("slow_down", Overloaded),
    ("engine_overloaded", Overloaded),
    ("engine_overloaded_error", Overloaded),
    ("model_not_found", UnknownModel),
    ("model_not_active", UnknownModel),
    ("context_length_exceeded", TooLong),
    ("exceed_context_size_error", TooLong),
    ("string_above_max_length", TooLong),
    ("content_filter", Filtered),
    ("content_policy_violation", Filtered),
    ("moderation_blocked", Filtered),
    ("unsupported_parameter", Parameter),
    ("unsupported_value", Parameter),
    ("unknown_parameter", Parameter),
    ("invalid_type", Parameter),
    ("missing_required_parameter", Parameter),
    ("unsupported_model", Unsupported),
    ("unsupported_country_region_territory", Region),
    ("invalid_function_parameters", Schema),
    ("invalid_json_schema", Schema),
    ("previous_response_not_found", PreviousGone),
    ("websocket_connection_limit_reached", SocketOld),
    ("session_expired", SocketOld),
    ("beta_api_shape_disabled", BetaOff),
    ("conversation_already_has_active_response", Busy),
    ("invalid_image", Media),
    ("invalid_image_format", Media),
    ("invalid_image_url", Media),
    ("invalid_base64_image", Media),
    ("image_parse_error", Media),
    ("image_too_large", Media),
    ("image_file_not_found", Media),
    ("failed_to_download_image", Media),
    ("insufficient_system_resource", Overloaded),
    // Azure
    ("deploymentnotfound", UnknownModel),
    ("responsibleaipolicyviolation", Filtered),
    ("operationnotsupported", Endpoint),
    // Anthropic
    ("authentication_error", WrongKey),
    ("billing_error", Quota),
    ("permission_error", NoRight),
    ("request_too_large", TooLarge),
    ("rate_limit_error", RateLimit),
    ("timeout_error", Timeout),
    ("overloaded_error", Overloaded),
    // Google
    ("unauthenticated", WrongKey),
    ("unavailable", Overloaded),
    ("deadline_exceeded", Timeout),
    ("safety", Filtered),
    ("prohibited_content", Filtered),
    ("blocklist", Filtered),
    ("spii", Filtered),
    ("recitation", Filtered),
    ("image_safety", Filtered),
    ("model_armor", Filtered),
    // DashScope
    ("invalidapikey", WrongKey),
    ("accessdenied", NoRight),
    ("accessdenied.unpurchased", ModelAccess),
    ("model.accessdenied", ModelAccess),
    ("workspace.accessdenied", NoRight),
    ("model.notexist", UnknownModel),
    ("modelnotfound", UnknownModel),
    ("arrearage", Quota),
    ("allocationquota.freetieronly", Quota),
    ("commodityunavailable", Quota),
    ("throttling", RateLimit),
    ("throttling.ratequota", RateLimit),
    ("throttling.burstrate", RateLimit),
    ("throttling.allocationquota", RateLimit),
    ("limitrequests", RateLimit),
    ("datainspectionfailed", Filtered),
    ("data_inspection_failed", Filtered),
    // Cohere
    ("error_toxic", Filtered),
    ("error_limit", TooLong),
    ("invalidurl", Endpoint),
    ("requesttimeout", Timeout),
    ("responsetimeout", Timeout),
    ("modelunavailable", Overloaded),
    // Amazon
    ("unrecognizedclientexception", WrongKey),
    ("invalidclienttokenid", WrongKey),
    ("invalidsignatureexception", Signature),
    ("signaturedoesnotmatch", Signature),
    ("expiredtokenexception", Expired),
    ("throttlingexception", RateLimit),
    ("toomanyrequestsexception", RateLimit),
    ("servicequotaexceededexception", Quota),
    ("serviceunavailableexception", Overloaded),
    ("modelnotreadyexception", Loading),
    ("modeltimeoutexception", Timeout),
    ("resourcenotfoundexception", UnknownModel),
];

/// Codes behind which the message tells what is meant.
const BLUNT: &[(&str, Cause)] = &[
    ("tokens", RateLimit),
    ("requests", RateLimit),
    ("resource_exhausted", RateLimit),
    ("accessdeniedexception", NoRight),
    ("permission_denied", NoRight),
    ("failed_precondition", Parameter),
    ("not_found", UnknownModel),
    ("not_found_error", UnknownModel),
    ("notfounderror", UnknownModel),
    ("invalid_value", Parameter),
    ("invalid_argument", Parameter),
    ("invalid_request_error", Parameter),
    ("invalidparameter", Parameter),
    ("validationexception", Parameter),
    ("badrequesterror", Parameter),
    ("unavailable_error", Overloaded),
    ("server_error", Server),
    ("api_error", Server),
    ("internal", Server),
    ("internalerror", Server),
    ("internal_error", Server),
    ("internalservererror", Server),
    ("internalserverexception", Server),
    ("modelerrorexception", Server),
    ("modelstreamerrorexception", Server),
    ("error", Server),
    ("401", WrongKey),
    ("402", Quota),
    ("403", NoRight),
    ("413", TooLarge),
    ("429", RateLimit),
    ("500", Server),
    ("502", Server),
    ("503", Overloaded),
    ("504", Timeout),
    ("529", Overloaded),
];

/// Zhipu numbers its errors.
const ZHIPU: &[(&str, Cause)] = &[
    ("1000", WrongKey),
    ("1001", WrongKey),
    ("1002", WrongKey),
    ("1003", Expired),
    ("1004", WrongKey),
    ("1113", Quota),
    ("1210", Parameter),
    ("1211", UnknownModel),
    ("1214", Parameter),
    ("1220", NoRight),
    ("1261", TooLong),
    ("1301", Filtered),
    ("1302", RateLimit),
    ("1303", RateLimit),
    ("1304", Quota),
    ("1305", Overloaded),
    ("1308", Quota),
];

/// JSON-RPC's codes, and those of MCP.
const MCP: &[(&str, Cause)] =
    &[("-32601", Endpoint), ("-32602", Parameter), ("-32603", Server), ("-32020", Parameter), ("-32022", Version), ("-32000", Version)];
