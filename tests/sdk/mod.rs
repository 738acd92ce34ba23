//! The official SDKs, unmodified, as clients of the Lab: what they understood is what the Lab meant.
//!
//! Each script of `python/` and `js/` runs one SDK through its streaming calls and tells what came out of them. The SDKs are installed by
//! lock file into the build folder; where packages cannot be fetched, the tests say so and are skipped.

mod code;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value, json};
use weir_dialects::{Ask, Message, Role, Tool, Transport, dialect};
use weir_lab::{HeaderMap, Lab, LabConfig, Pace, Script, Settings};

const PROMPT: &str = "Tell me about rivers and weirs, please.";
const TOOL_PROMPT: &str = "What is the weather in Paris for 3 days?";

/// What a script tells of one reply.
#[derive(Debug, Deserialize)]
struct Heard {
    case: String,
    text: String,
    reasoning: String,
    tools: Vec<(String, Value)>,
    /// Some SDKs count in floating point.
    input: Option<f64>,
    output: Option<f64>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk")
}

/// Where packages are installed: a folder for each lock file, so that another lock installs anew.
fn store(language: &str, lock: &Path) -> PathBuf {
    let lock = std::fs::read(lock).expect("the lock file is in the repository");
    let sum = lock.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sdk-{language}-{sum:016x}"))
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(output) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())) }
}

/// Installs once; a folder that is there whole has a mark in it.
fn installed(language: &str, lock: &str, install: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let store = store(language, &folder().join(lock));
    let mark = store.join("installed");
    if !mark.exists() {
        // What a broken-off installation left is in the way of another.
        let _ = std::fs::remove_dir_all(&store);
        std::fs::create_dir_all(&store).map_err(|error| error.to_string())?;
        install(&store)?;
        std::fs::write(&mark, "").map_err(|error| error.to_string())?;
    }
    Ok(store)
}

/// The Python with the SDKs in it.
fn python() -> &'static Result<PathBuf, String> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let store = installed("python", "python/requirements.lock", |store| {
            run(Command::new("python3").args(["-m", "venv"]).arg(store))?;
            let lock = folder().join("python/requirements.lock");
            run(Command::new(store.join("bin/pip")).args(["install", "--quiet", "--no-input", "--no-deps", "-r"]).arg(lock)).map(|_| ())
        })?;
        Ok(store.join("bin/python"))
    })
}

/// The folder whose `node_modules` holds the SDKs.
fn node() -> &'static Result<PathBuf, String> {
    static NODE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    NODE.get_or_init(|| {
        installed("js", "js/package-lock.json", |store| {
            for file in ["package.json", "package-lock.json"] {
                std::fs::copy(folder().join("js").join(file), store.join(file)).map_err(|error| error.to_string())?;
            }
            let options = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
            run(Command::new("npm").args(options).current_dir(store)).map(|_| ())
        })
    })
}

fn settings() -> Settings {
    Settings { pace: Pace { ttft_ms: 0, tokens_per_second: 0.0, reply_tokens: 60, ..Pace::default() }, ..Settings::default() }
}

/// What the Lab means to say to the question of a case, such as `gemini tools`.
fn meant(case: &str) -> Script {
    let (of, kind) = case.split_once(' ').expect("a dialect and a case");
    let dialect = dialect::find(if of == "mistral" { "openai-chat" } else { of }).expect("a dialect of Weir");
    let parameters =
        json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]});
    let tool = Tool { name: "weather".into(), description: "Tells the weather.".into(), parameters };
    let (model, prompt, tools) = match kind {
        "reasoning" => ("lab/reasoner", PROMPT, Vec::new()),
        "tools" => ("lab/tools", TOOL_PROMPT, vec![tool]),
        _ => ("lab/steady", PROMPT, Vec::new()),
    };
    let ask = Ask { model: model.into(), messages: vec![Message::new(Role::User, prompt)], tools, ..Ask::default() };
    let streams = dialect.transports().iter().copied().find(|transport| !matches!(transport, Transport::Http | Transport::Websocket));
    let transport = if kind == "whole" { Transport::Http } else { streams.unwrap_or(Transport::Websocket) };
    let base = match of {
        "mistral" => "http://lab/mistral/v1",
        "dashscope" => "http://lab/dashscope/api/v1",
        _ if of.starts_with("openai") => "http://lab/v1",
        _ => "http://lab",
    };
    let call = dialect.call(&ask, transport, base, false, "").expect("it can be asked");
    let path = call.url.split_once("://lab").expect("it is on the Lab").1;
    let mut headers = HeaderMap::new();
    for header in &call.headers {
        let name = weir_lab::HeaderName::try_from(header.name.as_str()).expect("a field name");
        headers.insert(name, header.value.parse().expect("a field value"));
    }
    let script = match transport {
        Transport::Websocket => {
            let messages: Vec<&[u8]> = call.messages.iter().map(|message| message.text.as_bytes()).collect();
            Script::for_messages(path, &headers, &messages, &settings())
        }
        _ => Script::for_request(path, &headers, false, call.body.as_bytes(), &settings()),
    };
    script.expect("the Lab takes it")
}

fn check(sdk: &str, told: &[u8]) -> usize {
    let told = String::from_utf8_lossy(told);
    let heard: Vec<Heard> = told.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{sdk}: {e}: {line}"))).collect();
    for heard in &heard {
        let what = format!("{sdk}, {}", heard.case);
        let script = meant(&heard.case);
        assert_eq!(heard.text, script.text(), "{what}");
        // An SDK without a place for reasoning tells none.
        if !heard.reasoning.is_empty() || heard.case.ends_with("reasoning") {
            assert_eq!(heard.reasoning, script.reasoning(), "{what}");
        }
        let calls = script.tool_calls().iter();
        let calls: Vec<(String, Value)> = calls
            .map(|call| (call.name.clone(), serde_json::from_str(call.arguments.text()).expect("the Lab's arguments are JSON")))
            .collect();
        assert_eq!(heard.tools, calls, "{what}");
        assert_eq!(calls.is_empty(), !heard.case.ends_with("tools"), "{what}");
        let usage = script.usage();
        assert_eq!(heard.output, Some(usage.completion as f64), "{what}");
        assert_eq!(heard.input, Some(usage.prompt as f64), "{what}: input tokens");
    }
    heard.len()
}

/// Runs a script against a Lab of its own.
async fn speak(sdk: &str, cases: usize, mut command: Command) {
    let lab = Lab::start(LabConfig { port: 0, settings: settings() }).await.expect("the Lab starts");
    let trusted = tempfile::NamedTempFile::new().expect("a file can be made");
    std::fs::write(trusted.path(), lab.ca_pem()).expect("it is written");
    command.arg(lab.url()).arg(lab.tls_url()).env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*");
    command.env("SSL_CERT_FILE", trusted.path()).env("NODE_EXTRA_CA_CERTS", trusted.path());
    let output = tokio::task::spawn_blocking(move || run(&mut command)).await.expect("it ran");
    lab.stop().await;
    match output {
        Ok(output) => assert_eq!(check(sdk, &output.stdout), cases, "{sdk}: cases"),
        Err(error) => panic!("{sdk}: {error}"),
    }
}

async fn with_python(sdk: &str, cases: usize) {
    match tokio::task::spawn_blocking(python).await.expect("it ran") {
        Ok(python) => {
            let mut command = Command::new(python);
            command.arg(folder().join("python").join(format!("sdk_{sdk}.py")));
            speak(&format!("{sdk} (Python)"), cases, command).await;
        }
        Err(why) => skipped(sdk, why),
    }
}

async fn with_node(sdk: &str, cases: usize) {
    match tokio::task::spawn_blocking(node).await.expect("it ran") {
        Ok(store) => {
            // Modules are looked up from where a script stands.
            for file in ["common.mjs".to_owned(), format!("sdk_{sdk}.mjs")] {
                std::fs::copy(folder().join("js").join(&file), store.join(&file)).expect("it is copied");
            }
            let mut command = Command::new("node");
            command.arg(store.join(format!("sdk_{sdk}.mjs")));
            speak(&format!("{sdk} (JavaScript)"), cases, command).await;
        }
        Err(why) => skipped(sdk, why),
    }
}

fn skipped(sdk: &str, why: &str) {
    let facts: BTreeMap<&str, &str> = [("sdk", sdk), ("why", why)].into();
    eprintln!("skipped: the packages cannot be installed here: {facts:?}");
}

macro_rules! sdks {
    ($($name:ident: $run:ident $sdk:literal $cases:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $run($sdk, $cases).await;
            }
        )*
    };
}

sdks! {
    openai_python: with_python "openai" 7;
    anthropic_python: with_python "anthropic" 4;
    google_genai_python: with_python "google" 4;
    ollama_python: with_python "ollama" 4;
    mistral_python: with_python "mistral" 2;
    cohere_python: with_python "cohere" 3;
    dashscope_python: with_python "dashscope" 3;
    openai_realtime_python: with_python "realtime" 2;
    google_live_python: with_python "live" 2;
    openai_javascript: with_node "openai" 6;
    anthropic_javascript: with_node "anthropic" 3;
    google_genai_javascript: with_node "google" 3;
    ollama_javascript: with_node "ollama" 3;
    mistral_javascript: with_node "mistral" 2;
    cohere_javascript: with_node "cohere" 3;
    openai_realtime_javascript: with_node "realtime" 2;
    google_live_javascript: with_node "live" 2;
}
