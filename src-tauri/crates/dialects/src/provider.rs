//! The providers Weir knows, and the form in which users add their own.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A provider: where it is, how it wants its key, what it speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Provider {
    /// Lower-case id, e.g. `openai`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Base URL for each dialect it speaks, the default dialect first: `(dialect id, base URL)`.
    pub dialects: Vec<(String, String)>,
    /// How the key is sent: a header line with `{key}`, e.g. `Authorization: Bearer {key}`; "" for none.
    pub auth: String,
    /// Whether a key is needed: `required`, `optional`, `none`.
    pub key: String,
    /// Models to offer before any list was fetched; may be empty.
    pub models: Vec<String>,
    /// Path below the base URL of the first dialect that lists models, or "".
    pub models_path: String,
    /// Where its API is documented.
    pub docs: String,
    /// What differs from the dialect as its inventor speaks it, a sentence each.
    pub notes: Vec<String>,
    /// The user added it.
    pub own: bool,
}

/// A row of the table of known providers; the fields are those of [`Provider`].
struct Known {
    id: &'static str,
    name: &'static str,
    dialects: &'static [(&'static str, &'static str)],
    auth: &'static str,
    key: &'static str,
    models: &'static [&'static str],
    models_path: &'static str,
    notes: &'static [&'static str],
    docs: &'static str,
}

impl From<&Known> for Provider {
    fn from(known: &Known) -> Self {
        let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            id: known.id.into(),
            name: known.name.into(),
            dialects: known.dialects.iter().map(|(dialect, base)| ((*dialect).to_owned(), (*base).to_owned())).collect(),
            auth: known.auth.into(),
            key: known.key.into(),
            models: all(known.models),
            models_path: known.models_path.into(),
            docs: known.docs.into(),
            notes: all(known.notes),
            own: false,
        }
    }
}

static ALL: LazyLock<Vec<Provider>> = LazyLock::new(|| KNOWN.iter().map(Provider::from).collect());

/// Every known provider, in the order they are offered.
pub fn all() -> &'static [Provider] {
    &ALL
}

/// The known provider with this id.
pub fn find(id: &str) -> Option<&'static Provider> {
    ALL.iter().find(|provider| provider.id == id)
}

const BEARER: &str = "Authorization: Bearer {key}";

/// Every provider, in the order they are offered. A base URL may hold a placeholder: `{lab}` is the running Lab's address (scheme, host
/// and port), which the caller fills in; any other is for the user to fill in, and [`crate::Dialect::call`] says so while it stands.
///
/// Model names go out of date faster than programs do, so where a provider lists its models the list here is empty.
static KNOWN: &[Known] = &[
    Known {
        id: "lab",
        name: "Weir Lab",
        dialects: &[("openai-chat", "{lab}/v1"), ("openai-responses", "{lab}/v1"), ("anthropic-messages", "{lab}"), ("cohere", "{lab}"), ("gemini", "{lab}"), ("gemini-live", "{lab}"), ("raw", "{lab}")],
        auth: "",
        key: "none",
        models: &["lab/steady", "lab/reasoner", "lab/tools", "lab/refuser"],
        models_path: "/models",
        notes: &[],
        docs: "",
    },
    Known {
        id: "openai",
        name: "OpenAI",
        dialects: &[("openai-responses", "https://api.openai.com/v1"), ("openai-chat", "https://api.openai.com/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://platform.openai.com/docs/api-reference",
    },
    Known {
        id: "anthropic",
        name: "Anthropic",
        dialects: &[("anthropic-messages", "https://api.anthropic.com")],
        auth: "x-api-key: {key}",
        key: "required",
        models: &[],
        models_path: "/v1/models",
        notes: &[
            "The API version is 2026-10-21 where the request can be made under it, and 2023-06-01 where it holds temperature, top_p or top_k. A header anthropic-version of your own replaces it.",
            "Reasoning low to max asks for adaptive thinking with that effort (Claude 4.6 and newer); a number asks for a budget of so many tokens (Claude 4.6 and older).",
        ],
        docs: "https://platform.claude.com/docs/en/api/messages",
    },
    Known {
        id: "deepseek",
        name: "DeepSeek",
        dialects: &[
            ("openai-chat", "https://api.deepseek.com"),
            ("anthropic-messages", "https://api.deepseek.com/anthropic"),
        ],
        auth: BEARER,
        key: "required",
        models: &["deepseek-chat", "deepseek-reasoner"],
        models_path: "/models",
        notes: &[],
        docs: "https://api-docs.deepseek.com",
    },
    Known {
        id: "qwen",
        name: "Qwen (Alibaba Cloud Model Studio)",
        dialects: &[
            ("openai-chat", "https://dashscope.aliyuncs.com/compatible-mode/v1"),
            ("anthropic-messages", "https://dashscope.aliyuncs.com/apps/anthropic"),
        ],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://help.aliyun.com/zh/model-studio/",
    },
    Known {
        id: "openrouter",
        name: "OpenRouter",
        dialects: &[("openai-chat", "https://openrouter.ai/api/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://openrouter.ai/docs",
    },
    Known {
        id: "groq",
        name: "Groq",
        dialects: &[("openai-chat", "https://api.groq.com/openai/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://console.groq.com/docs",
    },
    Known {
        id: "mistral",
        name: "Mistral",
        dialects: &[("openai-chat", "https://api.mistral.ai/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://docs.mistral.ai/api/",
    },
    Known {
        id: "xai",
        name: "xAI",
        dialects: &[("openai-chat", "https://api.x.ai/v1"), ("openai-responses", "https://api.x.ai/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://docs.x.ai",
    },
    Known {
        id: "moonshot",
        name: "Moonshot AI",
        dialects: &[
            ("openai-chat", "https://api.moonshot.ai/v1"),
            ("anthropic-messages", "https://api.moonshot.ai/anthropic"),
        ],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://platform.moonshot.ai/docs",
    },
    Known {
        id: "zhipu",
        name: "Zhipu / Z.ai",
        dialects: &[
            ("openai-chat", "https://open.bigmodel.cn/api/paas/v4"),
            ("anthropic-messages", "https://open.bigmodel.cn/api/anthropic"),
        ],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "",
        notes: &[],
        docs: "https://docs.bigmodel.cn",
    },
    Known {
        id: "cohere",
        name: "Cohere",
        dialects: &[("cohere", "https://api.cohere.com")],
        auth: BEARER,
        key: "required",
        models: &["command-a-03-2025", "command-a-reasoning-08-2025", "command-r7b-12-2024"],
        models_path: "/v1/models",
        notes: &["Usage counts tokens as the model read and wrote them; what is billed stands beside it in the event and may be less."],
        docs: "https://docs.cohere.com/reference/chat-stream",
    },
    Known {
        id: "gemini",
        name: "Google Gemini",
        dialects: &[
            ("gemini", "https://generativelanguage.googleapis.com"),
            ("gemini-live", "https://generativelanguage.googleapis.com"),
            ("openai-chat", "https://generativelanguage.googleapis.com/v1beta/openai"),
        ],
        auth: "x-goog-api-key: {key}",
        key: "required",
        models: &[],
        models_path: "/v1beta/models",
        notes: &["It sends no rate-limit fields; a 429 says in its details when to try again.", "Output tokens are counted without thoughts."],
        docs: "https://ai.google.dev/api",
    },
    Known {
        id: "vertex",
        name: "Google Vertex AI",
        dialects: &[("gemini", "https://aiplatform.googleapis.com/v1/publishers/google")],
        auth: "x-goog-api-key: {key}",
        key: "required",
        models: &["gemini-2.5-flash", "gemini-2.5-pro"],
        models_path: "",
        notes: &[
            "This address takes API keys (express mode). With a project, the base URL is https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION/publishers/google and the key an OAuth token, sent as Authorization: Bearer.",
            "OAuth tokens last about an hour.",
        ],
        docs: "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
    },
    Known {
        id: "azure",
        name: "Azure OpenAI",
        dialects: &[
            ("openai-responses", "https://{resource}.openai.azure.com/openai/v1"),
            ("openai-chat", "https://{resource}.openai.azure.com/openai/v1"),
        ],
        auth: "api-key: {key}",
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://learn.microsoft.com/azure/ai-foundry/openai/latest",
    },
    Known {
        id: "vllm",
        name: "vLLM",
        dialects: &[("openai-chat", "http://127.0.0.1:8000/v1"), ("openai-responses", "http://127.0.0.1:8000/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://docs.vllm.ai",
    },
    Known {
        id: "llamacpp",
        name: "llama.cpp",
        dialects: &[
            ("openai-chat", "http://127.0.0.1:8080/v1"),
            ("openai-responses", "http://127.0.0.1:8080/v1"),
            ("anthropic-messages", "http://127.0.0.1:8080"),
        ],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    },
    Known {
        id: "lmstudio",
        name: "LM Studio",
        dialects: &[
            ("openai-chat", "http://localhost:1234/v1"),
            ("openai-responses", "http://localhost:1234/v1"),
            ("anthropic-messages", "http://localhost:1234"),
        ],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://lmstudio.ai/docs",
    },
    Known {
        id: "ollama",
        name: "Ollama",
        dialects: &[("openai-chat", "http://localhost:11434/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://docs.ollama.com",
    },
];
