//! The providers Weir knows.

use serde::Serialize;
use ts_rs::TS;

/// A provider: where it is, how it wants its key, what it speaks.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Provider {
    /// Lower-case id, e.g. `openai`.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Base URL for each dialect it speaks, the default dialect first: `(dialect id, base URL)`.
    pub dialects: &'static [(&'static str, &'static str)],
    /// How the key is sent: a header line with `{key}`, e.g. `Authorization: Bearer {key}`; "" for none.
    pub auth: &'static str,
    /// Whether a key is needed: `required`, `optional`, `none`.
    pub key: &'static str,
    /// Models to offer before any list was fetched; may be empty.
    pub models: &'static [&'static str],
    /// Path below the base URL that lists models, or "".
    pub models_path: &'static str,
    /// Where its API is documented.
    pub docs: &'static str,
}

const BEARER: &str = "Authorization: Bearer {key}";

/// Every provider, in the order they are offered. A base URL may hold a placeholder: `{lab}` is the running Lab's address (scheme, host
/// and port), which the caller fills in; any other is for the user to fill in, and [`crate::Dialect::call`] says so while it stands.
///
/// Model names go out of date faster than programs do, so where a provider lists its models the list here is empty.
pub static ALL: &[Provider] = &[
    Provider {
        id: "lab",
        name: "Weir Lab",
        dialects: &[("openai-chat", "{lab}/v1"), ("openai-responses", "{lab}/v1"), ("raw", "{lab}")],
        auth: "",
        key: "none",
        models: &["lab/steady", "lab/reasoner", "lab/tools", "lab/refuser"],
        models_path: "/models",
        docs: "",
    },
    Provider {
        id: "openai",
        name: "OpenAI",
        dialects: &[("openai-responses", "https://api.openai.com/v1"), ("openai-chat", "https://api.openai.com/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        docs: "https://platform.openai.com/docs/api-reference",
    },
    Provider {
        id: "deepseek",
        name: "DeepSeek",
        dialects: &[("openai-chat", "https://api.deepseek.com")],
        auth: BEARER,
        key: "required",
        models: &["deepseek-chat", "deepseek-reasoner"],
        models_path: "/models",
        docs: "https://api-docs.deepseek.com",
    },
    Provider {
        id: "qwen",
        name: "Qwen (Alibaba Cloud Model Studio)",
        dialects: &[("openai-chat", "https://dashscope.aliyuncs.com/compatible-mode/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        docs: "https://help.aliyun.com/zh/model-studio/",
    },
    Provider {
        id: "openrouter",
        name: "OpenRouter",
        dialects: &[("openai-chat", "https://openrouter.ai/api/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        docs: "https://openrouter.ai/docs",
    },
    Provider {
        id: "groq",
        name: "Groq",
        dialects: &[("openai-chat", "https://api.groq.com/openai/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        docs: "https://console.groq.com/docs",
    },
    Provider {
        id: "mistral",
        name: "Mistral",
        dialects: &[("openai-chat", "https://api.mistral.ai/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        docs: "https://docs.mistral.ai/api/",
    },
    Provider {
        id: "xai",
        name: "xAI",
        dialects: &[("openai-chat", "https://api.x.ai/v1"), ("openai-responses", "https://api.x.ai/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        docs: "https://docs.x.ai",
    },
    Provider {
        id: "moonshot",
        name: "Moonshot AI",
        dialects: &[("openai-chat", "https://api.moonshot.ai/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        docs: "https://platform.moonshot.ai/docs",
    },
    Provider {
        id: "zhipu",
        name: "Zhipu / Z.ai",
        dialects: &[("openai-chat", "https://open.bigmodel.cn/api/paas/v4")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "",
        docs: "https://docs.bigmodel.cn",
    },
    Provider {
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
        docs: "https://learn.microsoft.com/azure/ai-foundry/openai/latest",
    },
    Provider {
        id: "vllm",
        name: "vLLM",
        dialects: &[("openai-chat", "http://127.0.0.1:8000/v1"), ("openai-responses", "http://127.0.0.1:8000/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        docs: "https://docs.vllm.ai",
    },
    Provider {
        id: "llamacpp",
        name: "llama.cpp",
        dialects: &[("openai-chat", "http://127.0.0.1:8080/v1"), ("openai-responses", "http://127.0.0.1:8080/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        docs: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    },
    Provider {
        id: "lmstudio",
        name: "LM Studio",
        dialects: &[("openai-chat", "http://localhost:1234/v1"), ("openai-responses", "http://localhost:1234/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        docs: "https://lmstudio.ai/docs",
    },
    Provider {
        id: "ollama",
        name: "Ollama",
        dialects: &[("openai-chat", "http://localhost:11434/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        docs: "https://docs.ollama.com",
    },
];

/// The provider with this id.
pub fn find(id: &str) -> Option<&'static Provider> {
    ALL.iter().find(|provider| provider.id == id)
}
