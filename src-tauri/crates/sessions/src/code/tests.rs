use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;
use weir_dialects::{Attachment, Message, Output, Role, Source, Tool, Transport, dialect, provider};

use super::*;
use crate::view::{Draft, HeaderLine, Settings};

fn draft(provider: &str, dialect: &str, transport: Transport, base: Option<&str>) -> Draft {
    let mut ask = weir_dialects::Ask { model: "lab/steady".into(), system: "be \"brief\"\n\u{2028}'''".into(), ..Default::default() };
    ask.messages = vec![Message::new(Role::User, "Tell me about rivers and weirs, please. \u{1F600} \\ \" ' ${x} {y}")];
    Draft {
        provider: provider.into(),
        dialect: dialect.into(),
        transport,
        http: "auto".into(),
        base_url: base.map(str::to_owned),
        url: None,
        ask,
        headers: Vec::new(),
        insecure: false,
        title: None,
        keep_open: false,
        deflate: false,
        reused: false,
    }
}

fn plan(draft: &Draft) -> Plan {
    let known = provider::find(&draft.provider);
    Plan::new(draft, known, &Settings::default(), Some("http://127.0.0.1:4780"), known.is_none_or(|known| known.key != "none")).unwrap()
}

/// Runs a program with `text` as its input; `None` where the program is not there.
fn feed(program: &str, arguments: &[&str], text: &str) -> Option<(bool, String)> {
    let mut child = match Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    {
        Ok(child) => child,
        Err(error) => {
            eprintln!("skipped: {program} is not here ({error})");
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)))
}

/// Every plan worth writing down: each dialect over each transport, as far as a provider can be asked that way.
fn plans() -> Vec<(String, Plan)> {
    let mut all = Vec::new();
    for provider in provider::all() {
        for (id, base) in &provider.dialects {
            for transport in dialect::find(id).unwrap().transports() {
                let base = base.replace("{lab}", "http://127.0.0.1:4780").replace("{resource}", "mine").replace("{region}", "eu-west-1");
                let mut draft = draft(&provider.id, id, *transport, Some(&base));
                draft.headers = vec![HeaderLine { name: "X-Own".into(), value: "it's \"mine\"".into() }];
                if id == "raw" {
                    draft.base_url = None;
                    draft.url = Some(base.clone());
                }
                let settings = Settings::default();
                if let Ok(plan) = Plan::new(&draft, Some(provider), &settings, None, provider.key != "none") {
                    all.push((format!("{} {id} {}", provider.id, transport.name()), plan));
                }
            }
        }
    }
    all
}

#[test]
fn every_program_is_one() {
    let plans = plans();
    assert!(plans.len() > 60, "{}", plans.len());
    let (mut python, mut javascript) = (Vec::new(), Vec::new());
    for (name, plan) in &plans {
        for sample in samples(plan) {
            assert!(!sample.text.contains("{key}") || sample.language == "rust", "{name} {}\n{}", sample.id, sample.text);
            match sample.language.as_str() {
                "python" => python.push((format!("{name} {}", sample.id), sample.text)),
                "js" => javascript.push((format!("{name} {}", sample.id), sample.text)),
                _ => {}
            }
        }
    }
    // All in one run of the interpreter: it tells which of them it cannot read.
    let check = "import json, sys\nfor name, text in json.load(sys.stdin):\n    try:\n        compile(text, name, 'exec')\n    except SyntaxError as error:\n        print(name, error, text, sep='\\n')\n        sys.exit(1)\n";
    if let Some((good, told)) = feed("python3", &["-c", check], &json!(python).to_string()) {
        assert!(good, "{told}");
    }
    // A body may not repeat top-level await or imports inside a function, so each is checked as a module of its own, but one of each text.
    javascript.sort_by(|a, b| a.1.cmp(&b.1));
    javascript.dedup_by(|a, b| a.1 == b.1);
    let check = "import vm from 'node:vm'; let all = ''; for await (const piece of process.stdin) all += piece; for (const [name, text] of JSON.parse(all)) { try { new vm.SourceTextModule(text, { identifier: name }); } catch (error) { console.error(name, error, text); process.exit(1); } }";
    let arguments = ["--experimental-vm-modules", "--no-warnings", "--input-type=module", "-e", check];
    if let Some((good, told)) = feed("node", &arguments, &json!(javascript).to_string()) {
        assert!(good, "{told}");
    }
}

#[test]
fn rust_programs_can_be_read() {
    for (name, plan) in plans() {
        let text = generate(&plan, "rust").unwrap();
        let Some((good, told)) =
            feed("rustfmt", &["--edition", "2024", "--check", "--config", "max_width=1000,use_small_heuristics=Max"], &text)
        else {
            return;
        };
        // A difference of style is no fault; a text that is no Rust is.
        assert!(good || told.contains("Diff in"), "{name}: {told}\n{text}");
    }
}

#[test]
fn sdks_are_used_where_there_are_any() {
    let python = |draft: &Draft| generate(&plan(draft), "python").unwrap();
    let openai = python(&draft("openai", "openai-chat", Transport::Sse, None));
    assert!(openai.contains("from openai import OpenAI") && openai.contains("os.environ[\"OPENAI_API_KEY\"]"), "{openai}");
    assert!(openai.contains("base_url=\"https://api.openai.com/v1\"") && openai.contains("stream=True"), "{openai}");
    for (provider, dialect, import) in [
        ("openai", "openai-responses", "client.responses.create"),
        ("mistral", "openai-chat", "from mistralai.client import Mistral"),
        ("anthropic", "anthropic-messages", "from anthropic import Anthropic"),
        ("gemini", "gemini", "client.models.generate_content_stream"),
        ("cohere", "cohere", "client.chat_stream"),
    ] {
        let text = python(&draft(provider, dialect, Transport::Sse, None));
        assert!(text.contains(import), "{text}");
    }
    let ollama = python(&draft("ollama", "ollama", Transport::Ndjson, None));
    assert!(ollama.contains("from ollama import Client"), "{ollama}");
    let bedrock =
        python(&draft("bedrock", "bedrock-converse", Transport::Eventstream, Some("https://bedrock-runtime.eu-west-1.amazonaws.com")));
    assert!(
        bedrock.contains("boto3.client(\"bedrock-runtime\", region_name=\"eu-west-1\")") && bedrock.contains("modelId=\"lab/steady\""),
        "{bedrock}"
    );
    // No SDK, or none that would send just this: said, and in plain form.
    for draft in [
        draft("openai", "openai-responses", Transport::Websocket, None),
        draft("lab", "raw", Transport::Sse, None),
        draft("azure-classic", "openai-chat", Transport::Sse, Some("https://m.openai.azure.com/openai/deployments/d?api-version=1")),
    ] {
        let text = python(&draft);
        assert!(text.starts_with("# ") && text.lines().next().unwrap().ends_with("this is the request in plain form."), "{text}");
    }
}

#[test]
fn members_an_sdk_does_not_name_are_extras_and_keys_are_variables() {
    let mut draft = draft("openai", "openai-chat", Transport::Sse, None);
    draft.ask.params.extra = json!({"top_k": 4, "temperature": 1}).as_object().unwrap().clone();
    draft.ask.tools = vec![Tool { name: "f".into(), description: String::new(), parameters: json!({"type": "object"}) }];
    draft.ask.output = Some(Output { name: "form".into(), schema: Some(json!({"type": "object"})) });
    draft.ask.messages[0].attachments =
        vec![Attachment { media_type: "image/png".into(), name: String::new(), source: Source::Data("QUJD".into()) }];
    draft.headers = vec![
        HeaderLine { name: "Authorization".into(), value: "Bearer sk-very-secret".into() },
        HeaderLine { name: "OpenAI-Project".into(), value: "p".into() },
    ];
    let plan = plan(&draft);
    for form in languages().iter().filter(|form| form.id != "curl") {
        let text = generate(&plan, form.id).unwrap();
        assert!(!text.contains("sk-very-secret") && text.contains("OPENAI_API_KEY"), "{text}");
        assert!(text.contains("OpenAI-Project"), "{text}");
    }
    let python = generate(&plan, "python").unwrap();
    assert!(python.contains("extra_body={\"top_k\": 4},") && python.contains("temperature=1,"), "{python}");
    assert_eq!(generate(&plan, "cobol"), None);
}
