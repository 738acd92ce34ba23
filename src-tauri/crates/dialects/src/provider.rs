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
        dialects: &[
            ("openai-chat", "{lab}/v1"),
            ("openai-responses", "{lab}/v1"),
            ("anthropic-messages", "{lab}"),
            ("cohere", "{lab}"),
            ("gemini", "{lab}"),
            ("gemini-live", "{lab}"),
            ("ollama", "{lab}"),
            ("bedrock-converse", "{lab}"),
            ("lmstudio", "{lab}"),
            ("openai-realtime", "{lab}/v1"),
            ("dashscope", "{lab}/api/v1"),
            ("qwen-realtime", "{lab}/api-ws/v1"),
            ("dashscope-task", "{lab}/api-ws/v1"),
            ("mcp", "{lab}/mcp"),
            ("ai-sdk-ui", "{lab}/ai-sdk-ui"),
            ("raw", "{lab}"),
        ],
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
        dialects: &[
            ("openai-responses", "https://api.openai.com/v1"),
            ("openai-chat", "https://api.openai.com/v1"),
            ("openai-realtime", "https://api.openai.com/v1"),
        ],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[
            "Chat never shows reasoning; Responses shows a summary where reasoning.summary is asked for.",
            "The token limit goes as max_completion_tokens, reasoning included.",
            "Hosts for a region are us., eu., ae., au., in. and jp.api.openai.com.",
            "Over WebSocket a connection lives for 60 minutes.",
            "Realtime says what is wrong with a key after the handshake: an error, then the close code 3000.",
        ],
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
        dialects: &[("openai-chat", "https://api.deepseek.com"), ("anthropic-messages", "https://api.deepseek.com/anthropic")],
        auth: BEARER,
        key: "required",
        models: &["deepseek-chat", "deepseek-reasoner"],
        models_path: "/models",
        notes: &[
            "Reasoning enabled or disabled goes as thinking.type; anything else as reasoning_effort.",
            "While a request waits in the queue, comments come in a stream and blank lines before a whole answer.",
            "In thinking mode, a turn with tool calls goes back with its reasoning.",
            "Structured output is any JSON: a schema is not taken.",
        ],
        docs: "https://api-docs.deepseek.com",
    },
    Known {
        id: "qwen",
        name: "Qwen (Alibaba Cloud Model Studio)",
        dialects: &[
            ("openai-chat", "https://dashscope.aliyuncs.com/compatible-mode/v1"),
            ("anthropic-messages", "https://dashscope.aliyuncs.com/apps/anthropic"),
            ("dashscope", "https://dashscope.aliyuncs.com/api/v1"),
            ("qwen-realtime", "https://dashscope.aliyuncs.com/api-ws/v1"),
            ("dashscope-task", "https://dashscope.aliyuncs.com/api-ws/v1"),
        ],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[
            "Some models answer in a stream only: the open-weight ones that think, QwQ, QVQ and Omni.",
            "Reasoning enabled or disabled goes as enable_thinking, a number as thinking_budget.",
            "DashScope's own form asks for a stream by the field X-DashScope-SSE; models that see or hear have an address of their own.",
            "Keys belong to a region: outside China the host is dashscope-intl.aliyuncs.com, or a workspace's own.",
        ],
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
        notes: &[
            "Reasoning goes as reasoning.effort, a number as reasoning.max_tokens.",
            "An upstream that fails in the middle is told in a chunk; the status stays 200.",
            "Stopping ends the billing at some upstreams only: not, for instance, at Bedrock, Groq, Google and Mistral.",
            "Fields HTTP-Referer and X-OpenRouter-Title name your application, if you want it named.",
        ],
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
        notes: &[
            "Reasoning is shown apart with reasoning_format parsed.",
            "Its rate limit of requests counts by the day, that of tokens by the minute.",
            "Usage may stand under x_groq.",
        ],
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
        notes: &[
            "The seed goes as random_seed; stream_options are not sent: usage comes with the last chunk anyway.",
            "Thoughts and text may come as typed parts of one list.",
        ],
        docs: "https://docs.mistral.ai/api/",
    },
    Known {
        id: "xai",
        name: "xAI",
        dialects: &[
            ("openai-chat", "https://api.x.ai/v1"),
            ("openai-responses", "https://api.x.ai/v1"),
            ("openai-realtime", "https://api.x.ai/v1"),
        ],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[
            "Output tokens are counted without reasoning.",
            "A refusal of a streaming request may come as plain JSON with status 200.",
            "Conversations over WebSocket go through Responses; Realtime is the voice API, which also takes text.",
            "Realtime sends pings as JSON, and may leave out indexes and usage.",
        ],
        docs: "https://docs.x.ai",
    },
    Known {
        id: "moonshot",
        name: "Moonshot AI",
        dialects: &[("openai-chat", "https://api.moonshot.ai/v1"), ("anthropic-messages", "https://api.moonshot.ai/anthropic")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[
            "Reasoning enabled or disabled goes as thinking.type.",
            "A turn with tool calls goes back with its reasoning.",
            "In China the host is api.moonshot.cn, with keys of its own.",
        ],
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
        notes: &[
            "Reasoning enabled or disabled goes as thinking.type.",
            "Outside China the base URL is https://api.z.ai/api/paas/v4, with keys of its own.",
            "The key is sent as it is; tokens signed from its two halves are not needed.",
        ],
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
        notes: &[
            "It sends no rate-limit fields; a 429 says in its details when to try again.",
            "Output tokens are counted without thoughts.",
        ],
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
            ("openai-realtime", "https://{resource}.openai.azure.com/openai/v1"),
        ],
        auth: "api-key: {key}",
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[
            "The model is the name of your deployment.",
            "The default content filter holds text back and lets it go in blocks: time to first text and the gaps are the filter's.",
            "Rate limits may be told as −1, which means none is known.",
            "An Entra token goes as Authorization: Bearer instead of the key.",
        ],
        docs: "https://learn.microsoft.com/azure/ai-foundry/openai/latest",
    },
    Known {
        id: "azure-classic",
        name: "Azure OpenAI (classic)",
        dialects: &[("openai-chat", "https://{resource}.openai.azure.com/openai/deployments/{model}?api-version=2024-10-21")],
        auth: "api-key: {key}",
        key: "required",
        models: &[],
        models_path: "",
        notes: &[
            "The model is the name of your deployment, and goes into the path.",
            "The API version stands in the base URL's query.",
            "The first chunk may hold nothing but what the filter found in the prompt; the filter's notes on the reply come as chunks without text.",
        ],
        docs: "https://learn.microsoft.com/azure/ai-services/openai/reference",
    },
    Known {
        id: "together",
        name: "Together AI",
        dialects: &[("openai-chat", "https://api.together.xyz/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://docs.together.ai",
    },
    Known {
        id: "fireworks",
        name: "Fireworks AI",
        dialects: &[
            ("openai-chat", "https://api.fireworks.ai/inference/v1"),
            ("openai-responses", "https://api.fireworks.ai/inference/v1"),
        ],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &["Models are named accounts/fireworks/models/NAME."],
        docs: "https://docs.fireworks.ai",
    },
    Known {
        id: "cerebras",
        name: "Cerebras",
        dialects: &[("openai-chat", "https://api.cerebras.ai/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &["It is so fast that several deltas come in one read: gaps between them are of no use."],
        docs: "https://inference-docs.cerebras.ai",
    },
    Known {
        id: "sambanova",
        name: "SambaNova",
        dialects: &[("openai-chat", "https://api.sambanova.ai/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://docs.sambanova.ai",
    },
    Known {
        id: "perplexity",
        name: "Perplexity",
        dialects: &[("openai-chat", "https://api.perplexity.ai")],
        auth: BEARER,
        key: "required",
        models: &["sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research"],
        models_path: "",
        notes: &[
            "It has no list of models.",
            "Sources come beside the choices, as citations and search_results; usage comes on every chunk.",
        ],
        docs: "https://docs.perplexity.ai",
    },
    Known {
        id: "nvidia",
        name: "NVIDIA NIM",
        dialects: &[("openai-chat", "https://integrate.api.nvidia.com/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &["Thinking is switched in chat_template_kwargs, or in the system prompt, by model."],
        docs: "https://docs.api.nvidia.com/nim",
    },
    Known {
        id: "deepinfra",
        name: "DeepInfra",
        dialects: &[("openai-chat", "https://api.deepinfra.com/v1/openai")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://deepinfra.com/docs",
    },
    Known {
        id: "huggingface",
        name: "Hugging Face router",
        dialects: &[("openai-chat", "https://router.huggingface.co/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &["A provider can be chosen behind the model's name, as in MODEL:PROVIDER; what differs on the wire is that provider's."],
        docs: "https://huggingface.co/docs/inference-providers",
    },
    Known {
        id: "github",
        name: "GitHub Models",
        dialects: &[("openai-chat", "https://models.github.ai/inference")],
        auth: BEARER,
        key: "required",
        models: &["openai/gpt-4.1-mini"],
        models_path: "",
        notes: &[
            "The key is a token with the right models:read.",
            "Its list of models stands elsewhere: https://models.github.ai/catalog/models.",
        ],
        docs: "https://docs.github.com/github-models",
    },
    Known {
        id: "vercel",
        name: "Vercel AI Gateway",
        dialects: &[("openai-chat", "https://ai-gateway.vercel.sh/v1"), ("openai-responses", "https://ai-gateway.vercel.sh/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &["Models are named MAKER/MODEL."],
        docs: "https://vercel.com/docs/ai-gateway",
    },
    Known {
        id: "siliconflow",
        name: "SiliconFlow",
        dialects: &[("openai-chat", "https://api.siliconflow.cn/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[
            "Reasoning enabled or disabled goes as enable_thinking, a number as thinking_budget.",
            "Outside China the host is api.siliconflow.com, with keys of its own.",
        ],
        docs: "https://docs.siliconflow.cn",
    },
    Known {
        id: "ark",
        name: "Volcengine Ark",
        dialects: &[
            ("openai-chat", "https://ark.cn-beijing.volces.com/api/v3"),
            ("openai-responses", "https://ark.cn-beijing.volces.com/api/v3"),
        ],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "",
        notes: &[
            "The path has no /v1.",
            "The model is a model's name or the id of an endpoint (ep-…).",
            "Reasoning enabled, disabled or auto goes as thinking.type.",
        ],
        docs: "https://www.volcengine.com/docs/82379",
    },
    Known {
        id: "minimax",
        name: "MiniMax",
        dialects: &[("openai-chat", "https://api.minimax.io/v1"), ("anthropic-messages", "https://api.minimax.io/anthropic")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "/models",
        notes: &[
            "Thoughts stand inside the text, between <think> tags, unless reasoning_split is true.",
            "In China the host is api.minimaxi.com, with keys of its own.",
        ],
        docs: "https://platform.minimax.io/docs",
    },
    Known {
        id: "hunyuan",
        name: "Tencent Hunyuan",
        dialects: &[("openai-chat", "https://api.hunyuan.cloud.tencent.com/v1")],
        auth: BEARER,
        key: "required",
        models: &[],
        models_path: "",
        notes: &[],
        docs: "https://cloud.tencent.com/document/product/1729/111007",
    },
    Known {
        id: "vllm",
        name: "vLLM",
        dialects: &[("openai-chat", "http://127.0.0.1:8000/v1"), ("openai-responses", "http://127.0.0.1:8000/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        notes: &[
            "An error in the middle of a stream is followed by [DONE] all the same.",
            "A reply to a named tool choice ends with stop.",
            "Usage on every chunk comes with stream_options.continuous_usage_stats.",
        ],
        docs: "https://docs.vllm.ai",
    },
    Known {
        id: "sglang",
        name: "SGLang",
        dialects: &[("openai-chat", "http://127.0.0.1:30000/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        notes: &[],
        docs: "https://docs.sglang.ai",
    },
    Known {
        id: "tensorrt",
        name: "TensorRT-LLM",
        dialects: &[("openai-chat", "http://127.0.0.1:8000/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        notes: &["Reasoning comes under two names at once; it is shown once."],
        docs: "https://nvidia.github.io/TensorRT-LLM",
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
        notes: &[
            "While the model loads, requests are answered with 503.",
            "return_progress tells how far the prompt is processed.",
            "The port is the one it was started with; the README's default has changed over time.",
        ],
        docs: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    },
    Known {
        id: "lmstudio",
        name: "LM Studio",
        dialects: &[
            ("openai-chat", "http://localhost:1234/v1"),
            ("openai-responses", "http://localhost:1234/v1"),
            ("anthropic-messages", "http://localhost:1234"),
            ("lmstudio", "http://localhost:1234"),
        ],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/models",
        notes: &["Usage comes in streams since 0.3.18.", "The first request to a model that is not loaded waits for it."],
        docs: "https://lmstudio.ai/docs",
    },
    Known {
        id: "ollama",
        name: "Ollama",
        dialects: &[("ollama", "http://localhost:11434"), ("openai-chat", "http://localhost:11434/v1")],
        auth: BEARER,
        key: "optional",
        models: &[],
        models_path: "/api/tags",
        notes: &[
            "Loading a model may take minutes, in which nothing comes.",
            "On its /v1 an error in the middle of a stream ends it without a word of it.",
        ],
        docs: "https://docs.ollama.com",
    },
    Known {
        id: "bedrock",
        name: "Amazon Bedrock",
        dialects: &[
            ("bedrock-converse", "https://bedrock-runtime.{region}.amazonaws.com"),
            ("openai-chat", "https://bedrock-runtime.{region}.amazonaws.com/openai/v1"),
        ],
        auth: BEARER,
        key: "required",
        models: &["amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0", "openai.gpt-oss-120b-1:0"],
        models_path: "",
        notes: &[
            "The key is a Bedrock API key, or ACCESS_KEY_ID:SECRET_ACCESS_KEY, or both with :SESSION_TOKEN behind them: then the request is signed (SigV4) and the secret stays here.",
            "A signature covers the exact bytes of the body: a proxy that rewrites the JSON breaks it.",
            "Input tokens are counted without those read from the cache.",
        ],
        docs: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html",
    },
];
