//! Programs made of a request, run: what they print is what the Lab meant to say. Those with an SDK run in the same environments as the
//! SDK checks.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use weir_dialects::{Ask, Message, Role, Transport, provider};
use weir_lab::{HeaderMap, HeaderName, Lab, LabConfig, Script};
use weir_sessions::view::{Draft, Settings};
use weir_sessions::{Plan, code};
use weir_tests::desk;

use super::{PROMPT, node, python, settings, skipped};

/// Provider (some have an SDK of their own), dialect, transport, and where the Lab has it.
const CASES: &[(&str, &str, Transport, &str)] = &[
    ("", "openai-chat", Transport::Sse, "/v1"),
    ("", "openai-responses", Transport::Sse, "/v1"),
    ("", "anthropic-messages", Transport::Sse, ""),
    ("", "gemini", Transport::Sse, ""),
    ("", "ollama", Transport::Ndjson, ""),
    ("", "cohere", Transport::Sse, ""),
    ("mistral", "openai-chat", Transport::Sse, "/v1"),
];

/// What is asked, with all that must be quoted in some language.
fn draft(provider: &str, dialect: &str, transport: Transport, base: String) -> Draft {
    let said = format!("{PROMPT} \u{1F600} \\ \" ' ${{x}} {{y}} `z`\n'''");
    let ask =
        Ask { model: "lab/steady".into(), system: "be \"brief\"".into(), messages: vec![Message::new(Role::User, said)], ..Ask::default() };
    Draft { provider: provider.into(), url: None, base_url: Some(base), ask, ..desk::draft("", dialect, transport) }
}

/// Runs the programs of one form in `folder`, and holds what each prints against what the Lab meant.
async fn run(form: &'static str, program: &Path, arguments: &'static [&'static str], folder: &Path) {
    let lab = Lab::start(LabConfig { port: 0, settings: settings() }).await.expect("the Lab starts");
    for (provider, dialect, transport, path) in CASES {
        let draft = draft(provider, dialect, *transport, format!("{}{path}", lab.url()));
        let plan = Plan::new(&draft, provider::find(provider), &Settings::default(), None, false).expect("it can be asked");
        let mut headers = HeaderMap::new();
        for header in &plan.call.headers {
            let name = HeaderName::try_from(header.name.as_str()).expect("a field name");
            headers.insert(name, header.value.parse().expect("a field value"));
        }
        let target = plan.call.url.strip_prefix(&lab.url()).expect("it is on the Lab");
        let meant = Script::for_request(target, &headers, false, plan.call.body.as_bytes(), &settings()).expect("the Lab takes it");
        let text = code::generate(&plan, form).expect("there is such a form");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env("NO_PROXY", "*").env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        child.stdin.take().expect("it reads").write_all(text.as_bytes()).expect("it takes the program");
        let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("it ran").expect("it ended");
        assert!(output.status.success(), "{form}, {dialect}: {}\n{text}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), meant.text().trim_end(), "{form}, {dialect}\n{text}");
    }
    lab.stop().await;
}

async fn in_python(form: &'static str) {
    match tokio::task::spawn_blocking(python).await.expect("it ran") {
        Ok(python) => run(form, python, &["-"], Path::new(".")).await,
        Err(why) => skipped(form, why),
    }
}

async fn in_node(form: &'static str) {
    match tokio::task::spawn_blocking(node).await.expect("it ran") {
        // Modules are looked up from where the program runs.
        Ok(store) => run(form, Path::new("node"), &["--input-type=module", "-"], store).await,
        Err(why) => skipped(form, why),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_with_sdks_hears_the_lab() {
    in_python("python").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_with_httpx_hears_the_lab() {
    in_python("python-httpx").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_with_sdks_hears_the_lab() {
    in_node("javascript").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_with_fetch_hears_the_lab() {
    in_node("javascript-fetch").await;
}
