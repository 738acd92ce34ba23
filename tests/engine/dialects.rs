//! Every dialect, over every transport it speaks, asked of the Lab: what was decoded is what was meant, live and reopened, however the
//! bytes were cut.

use std::sync::Arc;

use weir_dialects::{Tool, Transport, Usage, dialect, provider};
use weir_lab::{Finish, HeaderMap, HeaderName, HeaderValue, Lab, LabConfig, Pace, Rejection, Script, Settings, WRONG_KEY};
use weir_secrets::Secret;
use weir_sessions::analysis::Analysis;
use weir_sessions::view::{BlockKind, Draft, OutcomeKind};
use weir_sessions::{Engine, KeyChoice, Session};
use weir_tests::desk::{Desk, draft};
use weir_transport::Entry;

use super::captures::{fold, log};
use super::reopened::{merged, shown, shredded, split};

/// A dialect over a transport, as the Lab serves it.
#[derive(Clone, Copy, Debug)]
struct Road {
    dialect: &'static str,
    transport: Transport,
    /// Base URL with `{lab}` in it.
    base: &'static str,
    /// The whole endpoint below it, with `{model}` in it, where it is not the one the dialect chooses.
    path: Option<&'static str>,
}

/// Every road that leads to the Lab. What cannot be asked by a prompt, or decodes nothing, is no road.
fn roads() -> Vec<Road> {
    let lab = provider::find("lab").expect("the Lab is a provider");
    let base = |id: &str| lab.dialects.iter().find(|(dialect, _)| dialect == id).map(|(_, base)| base.as_str());
    let speaks = |dialect: &&dyn dialect::Dialect| dialect.id() != "raw";
    let mut roads = Vec::new();
    for dialect in dialect::ALL.iter().copied().filter(speaks) {
        for &transport in dialect.transports() {
            if let Some(base) = base(dialect.id()) {
                roads.push(Road { dialect: dialect.id(), transport, base, path: None });
            }
        }
    }
    // Without `alt=sse` a stream is a JSON array.
    let array = Some("/v1beta/models/{model}:streamGenerateContent");
    roads.push(Road { dialect: "gemini", transport: Transport::Http, base: "{lab}", path: array });
    // Vertex AI is read only: what is asked is Gemini's to write.
    for (transport, path) in [
        (Transport::Sse, "/v1/projects/p/locations/l/publishers/google/models/{model}:streamGenerateContent?alt=sse"),
        (Transport::Http, "/v1/projects/p/locations/l/publishers/google/models/{model}:streamGenerateContent"),
        (Transport::Http, "/v1/projects/p/locations/l/publishers/google/models/{model}:generateContent"),
    ] {
        roads.push(Road { dialect: "vertex", transport, base: "{lab}", path: Some(path) });
    }
    roads
}

/// What an API cannot tell, or tells in another way than the rest.
struct Ways {
    /// The reply comes piece by piece, so that an error in the middle leaves what was said before.
    pieces: bool,
    /// A question can bring tools.
    tools: bool,
    /// What is thought aloud is told.
    reasoning: bool,
    /// A refusal's words are told, as refusal or as text.
    refusal: bool,
    /// A filter that cut the reply short is named.
    filter: bool,
    /// Calls have ids.
    ids: bool,
    /// Why it ended is told.
    finish: bool,
    /// Usage is told.
    usage: bool,
    /// Usage counts what is said in refusing.
    refusal_counts: bool,
    /// The prompt's tokens are counted as the Lab counts them.
    prompt: bool,
}

fn ways(dialect: &str) -> Ways {
    let all = Ways {
        pieces: true,
        tools: true,
        reasoning: true,
        refusal: true,
        filter: true,
        ids: true,
        finish: true,
        usage: true,
        refusal_counts: true,
        prompt: true,
    };
    match dialect {
        // Nothing of what is thought is told.
        "openai-realtime" | "qwen-realtime" => Ways { reasoning: false, ..all },
        // They have no filters, or no word for them.
        "ollama" | "gemini-live" => Ways { filter: false, ..all },
        // To be looked at: the application or the server has the tools, and counts or not as it likes.
        "lmstudio" => Ways { tools: false, filter: false, finish: false, ..all },
        "ai-sdk-ui" => Ways { tools: false, ..all },
        "mcp" => Ways { pieces: false, tools: false, reasoning: false, filter: false, finish: false, usage: false, ..all },
        // A prompt that is blocked gets no candidate, and so none is counted.
        "gemini" | "vertex" => Ways { refusal_counts: false, ..all },
        _ => all,
    }
}

const PROMPT: &str = "Explain yourself.";

async fn lab(tokens: u32) -> Lab {
    let pace = Pace { ttft_ms: 0, tokens_per_second: 0.0, reply_tokens: tokens, ..Pace::default() };
    Lab::start(LabConfig { port: 0, settings: Settings { pace, ..Settings::default() } }).await.expect("a free port")
}

fn tools() -> Vec<Tool> {
    let parameters = serde_json::json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]});
    vec![Tool { name: "weather".into(), description: "Tells the weather.".into(), parameters }]
}

impl Road {
    fn name(&self) -> String {
        format!("{} {}{}", self.dialect, self.transport.name(), self.path.map(|path| format!(" at {path}")).unwrap_or_default())
    }

    fn draft(&self, lab: &Lab, model: &str, prompt: &str) -> Draft {
        let mut draft = draft("", self.dialect, self.transport);
        draft.url = None;
        let base = self.base.replace("{lab}", &lab.url());
        match self.path {
            Some(path) => draft.url = Some(base + &path.replace("{model}", model)),
            None => draft.base_url = Some(base),
        }
        draft.ask.model = model.into();
        draft.ask.messages[0].text = prompt.into();
        if model == "lab/tools" {
            draft.ask.tools = tools();
        }
        if self.dialect == "vertex" {
            let gemini = dialect::find("gemini").expect("it is there");
            draft.ask.raw_body = Some(gemini.call(&draft.ask, self.transport, "http://x", false, "").expect("Gemini can say it").body);
        }
        draft
    }

    /// The models that can be asked here, of these.
    fn models(&self, models: &[&'static str]) -> Vec<&'static str> {
        models.iter().copied().filter(|model| *model != "lab/tools" || ways(self.dialect).tools).collect()
    }

    /// Versions of HTTP it can be asked over.
    fn versions(&self) -> &'static [&'static str] {
        if self.transport == Transport::Websocket { &["1.1"] } else { &["1.1", "2"] }
    }
}

/// What the Lab meant to answer to a session's request.
fn meant(session: &Session, lab: &Lab) -> Result<Script, Rejection> {
    let call = &session.plan().call;
    let after = call.url.split_once("://").map_or("", |(_, rest)| rest);
    let path = after.find('/').map_or("/", |at| &after[at..]);
    let mut headers = HeaderMap::new();
    for header in &call.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(&header.name), HeaderValue::try_from(&header.value)) {
            headers.append(name, value);
        }
    }
    if session.plan().draft.transport == Transport::Websocket {
        let messages: Vec<&[u8]> = call.messages.iter().map(|message| message.text.as_bytes()).collect();
        Script::for_messages(path, &headers, &messages, &lab.settings())
    } else {
        Script::for_request(path, &headers, false, call.body.as_bytes(), &lab.settings())
    }
}

/// What a fold made of a reply, times apart.
#[derive(Debug, PartialEq)]
struct Decoded {
    text: String,
    reasoning: String,
    refusal: String,
    calls: Vec<(String, String, String)>,
    usage: Option<Usage>,
    finish: Option<String>,
    ended: bool,
    outcome: Option<OutcomeKind>,
    error: Option<(String, String)>,
}

fn decoded(analysis: &Analysis) -> Decoded {
    let folded = &analysis.fold.folded;
    Decoded {
        text: folded.text(BlockKind::Text),
        reasoning: folded.text(BlockKind::Reasoning),
        refusal: folded.text(BlockKind::Refusal),
        calls: folded.tool_calls().into_iter().map(|call| (call.id, call.name, call.arguments)).collect(),
        usage: folded.facts.usage.clone(),
        finish: folded.facts.finish.as_ref().map(|finish| finish.reason.clone()),
        ended: folded.facts.ended,
        outcome: analysis.outcome().map(|outcome| outcome.kind),
        error: folded.facts.error.clone(),
    }
}

/// The words in which APIs say how a reply ended.
fn words(finish: Finish) -> &'static [&'static str] {
    match finish {
        // Some have no word of their own for a call.
        Finish::Stop => &["stop", "end_turn", "completed", "COMPLETE", "STOP", "turnComplete"],
        Finish::ToolCalls => &["tool_calls", "tool_use", "completed", "TOOL_CALL", "STOP", "stop", "toolCall"],
        Finish::Length => &["length", "max_tokens", "max_output_tokens", "MAX_TOKENS", "incomplete"],
        Finish::ContentFilter => &[
            "content_filter",
            "content_filtered",
            "content-filter",
            "SAFETY",
            "refusal",
            "ERROR",
            "ERROR_TOXIC",
            "DataInspectionFailed",
            "incomplete",
        ],
        Finish::Error => &[],
    }
}

/// How what was decoded differs from what was meant.
fn differences(road: &Road, decoded: &Decoded, script: &Script) -> Vec<String> {
    let ways = ways(road.dialect);
    let mut wrong = Vec::new();
    let mut same = |what: &str, got: String, wanted: String| {
        if got != wanted {
            wrong.push(format!("{what}: {got} for {wanted}"));
        }
    };
    same("outcome", format!("{:?} {:?}", decoded.outcome, decoded.error), format!("{:?} None", Some(OutcomeKind::Complete)));
    let refused = if ways.refusal { (decoded.refusal.as_str(), script.refusal()) } else { ("", "") };
    // Where an API has no refusals of its own, their words are text.
    same("text", format!("{}{}", decoded.text, refused.0), format!("{}{}", script.text(), refused.1));
    same("reasoning", decoded.reasoning.clone(), if ways.reasoning { script.reasoning().to_owned() } else { String::new() });
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).map_err(|error| error.to_string());
    let got: Vec<_> =
        decoded.calls.iter().map(|(id, name, arguments)| (ways.ids.then_some(id.as_str()), name.as_str(), json(arguments))).collect();
    let calls = script.tool_calls().iter();
    let wanted: Vec<_> =
        calls.map(|call| (ways.ids.then_some(call.id.as_str()), call.name.as_str(), json(call.arguments.text()))).collect();
    same("calls", format!("{got:?}"), format!("{wanted:?}"));
    let finish = decoded.finish.as_deref().unwrap_or("none");
    let declined = !script.refusal().is_empty() && ["refusal", "PROHIBITED_CONTENT", "content_filter"].contains(&finish);
    if ways.finish && !declined && !words(script.finish()).contains(&finish) {
        same("finish", finish.into(), format!("{:?}", script.finish()));
    }
    if !ways.usage {
        return wrong;
    }
    let usage = decoded.usage.clone().unwrap_or_default();
    let meant = script.usage();
    if ways.prompt {
        same("input tokens", format!("{:?}", usage.input_tokens), format!("{:?}", Some(meant.prompt)));
    }
    // Whether the count includes what was thought is for the API to choose, and for the decoder to say.
    let apart = usage.output_includes_reasoning == Some(false);
    if !ways.refusal_counts && !script.refusal().is_empty() {
        return wrong;
    }
    let output = meant.completion - if apart { meant.reasoning } else { 0 };
    same("output tokens", format!("{:?}", usage.output_tokens), format!("{:?}", Some(output)));
    if let Some(reasoning) = usage.reasoning_tokens {
        same("reasoning tokens", reasoning.to_string(), meant.reasoning.to_string());
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_decodes_what_the_lab_meant() {
    let lab = lab(60).await;
    let roads = roads();
    for dialect in dialect::ALL.iter().filter(|dialect| dialect.id() != "raw") {
        assert!(roads.iter().any(|road| road.dialect == dialect.id()), "the Lab does not speak {}", dialect.id());
    }
    let mut wrong = Vec::new();
    for road in roads {
        for model in road.models(&["lab/steady", "lab/reasoner", "lab/tools", "lab/refuser"]) {
            for http in road.versions() {
                let what = format!("{} {model} over {http}", road.name());
                let desk = Desk::new();
                let mut draft = road.draft(&lab, model, PROMPT);
                draft.http = (*http).into();
                let session = desk.run(&draft).await;
                let script = match meant(&session, &lab) {
                    Ok(script) => script,
                    Err(rejection) => {
                        wrong.push(format!("{what}: refused: {rejection}"));
                        continue;
                    }
                };
                assert_eq!(script.tool_calls().is_empty(), model != "lab/tools", "{what}: {:?}", session.plan().call);
                wrong.extend(differences(&road, &decoded(&session.analysis()), &script).into_iter().map(|how| format!("{what}: {how}")));
                let (id, live) = (session.id().to_owned(), shown(&session).await);
                drop(session);
                let again = Engine::open(desk.home()).expect("a second engine on the same home");
                let reopened = again.session(&id).expect("the session opens");
                assert_eq!(live, shown(&reopened).await, "{what}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cut_of_the_bytes_changes_what_is_decoded() {
    // Every place of a short reply, and a byte a read of all of it.
    let lab = lab(4).await;
    let mut wrong = Vec::new();
    for road in roads() {
        for model in road.models(&["lab/reasoner", "lab/tools", "lab/refuser", "lab/error-mid-stream"]) {
            // What carries the body is the same for every model.
            for http in if model == "lab/reasoner" { road.versions() } else { &["1.1"] } {
                let what = format!("{} {model} over {http}", road.name());
                let desk = Desk::new();
                let mut draft = road.draft(&lab, model, PROMPT);
                draft.http = (*http).into();
                draft.headers.push(weir_sessions::view::HeaderLine { name: "x-lab-tokens-per-event".into(), value: "9".into() });
                let session = desk.run(&draft).await;
                let log = merged(&log(&desk, &session));
                let whole = decoded(&session.analysis());
                match meant(&session, &lab) {
                    Ok(script) if script.finish() == Finish::Error => {
                        if whole.outcome != Some(OutcomeKind::Failed) {
                            wrong.push(format!("{what}: {whole:?}"));
                        }
                    }
                    Ok(script) => wrong.extend(differences(&road, &whole, &script).into_iter().map(|how| format!("{what}: {how}"))),
                    Err(rejection) => {
                        wrong.push(format!("{what}: {rejection}"));
                        continue;
                    }
                }
                let shreds = decoded(&fold(&session, &shredded(&log)));
                if shreds != whole {
                    wrong.push(format!("{what}: byte by byte: {shreds:?} for {whole:?}"));
                }
                for (at, entry) in log.iter().enumerate() {
                    let Entry::Segment { dir: weir_transport::Dir::In, bytes, .. } = entry else { continue };
                    for cut in 1..bytes.len() {
                        let pieces = decoded(&fold(&session, &split(&log, at, cut)));
                        if pieces != whole {
                            wrong.push(format!("{what}: cut at {cut} of entry {at}: {pieces:?} for {whole:?}"));
                            break;
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Something that goes wrong, and what of it must be told.
struct Mistake {
    name: &'static str,
    model: &'static str,
    /// Words of the prompt.
    length: usize,
    fault: &'static str,
    /// Words of the peer; one of them must be told, where there are any.
    words: &'static [&'static str],
}

fn mistakes() -> Vec<Mistake> {
    let plain = Mistake { name: "", model: "lab/steady", length: 3, fault: "none", words: &[] };
    vec![
        Mistake { name: "unknown model", model: "lab/unheard-of", words: &["lab/unheard-of"], ..plain },
        Mistake { name: "wrong key", words: &[], ..plain },
        Mistake { name: "long prompt", model: "lab/small-context", length: 60, words: &["context", "too long", "token count"], ..plain },
        Mistake { name: "error in the middle", model: "lab/error-mid-stream", words: &["lab/error-mid-stream"], ..plain },
        Mistake { name: "quota in the middle", model: "lab/quota", words: &["quota"], ..plain },
        Mistake { name: "429", fault: "status=429;retry-after=12", words: &["429"], ..plain },
        Mistake { name: "500", fault: "status=500", words: &["500"], ..plain },
        Mistake {
            name: "JSON error with 200",
            fault: "json-instead-of-stream=error",
            words: &["currently unavailable", "overloaded"],
            ..plain
        },
        Mistake { name: "HTML of a gateway", fault: "html-error", words: &["502"], ..plain },
    ]
}

impl Mistake {
    async fn make(&self, road: &Road, lab: &Lab, desk: &Desk) -> Arc<Session> {
        let mut draft = road.draft(lab, self.model, &"word ".repeat(self.length));
        draft.headers.push(weir_sessions::view::HeaderLine { name: "x-lab-fault".into(), value: self.fault.into() });
        let key = if self.name == "wrong key" { KeyChoice::Given(Secret::new(WRONG_KEY)) } else { KeyChoice::None };
        let session = desk.engine().send(&draft, key, None).expect("the draft is sent");
        session.ended().await;
        session
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_told_in_the_providers_words() {
    let lab = lab(30).await;
    let desk = Desk::new();
    let mut wrong = Vec::new();
    for road in roads() {
        for mistake in mistakes() {
            if road.transport == Transport::Websocket && mistake.fault.starts_with("json") {
                continue;
            }
            let what = format!("{}: {}", road.name(), mistake.name);
            let session = mistake.make(&road, &lab, &desk).await;
            let outcome = session.outcome().expect("it is over");
            let Some(problem) = outcome.problem.filter(|_| outcome.kind == OutcomeKind::Failed) else {
                wrong.push(format!("{what}: {:?}", outcome.kind));
                continue;
            };
            let told = format!("{} {} {}", problem.code, problem.message, problem.evidence).to_lowercase();
            let said = mistake.words.is_empty() || mistake.words.iter().any(|word| told.contains(&word.to_lowercase()));
            if !said || problem.next.is_empty() || problem.message.is_empty() {
                wrong.push(format!("{what}: {:?} is missing from {problem:?}", mistake.words));
            }
            let streamed = road.transport != Transport::Http || road.path.is_some_and(|path| path.contains("stream"));
            if mistake.name.ends_with("in the middle") && streamed && ways(road.dialect).pieces {
                let said = session.analysis().fold.folded.text(BlockKind::Text);
                if said.is_empty() {
                    wrong.push(format!("{what}: what was said before is lost"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_ends_the_reply_and_is_named() {
    let lab = lab(30).await;
    let desk = Desk::new();
    let mut wrong = Vec::new();
    for road in roads() {
        let session = desk.run(&road.draft(&lab, "lab/filtered", PROMPT)).await;
        let script = match meant(&session, &lab) {
            Ok(script) => script,
            Err(rejection) => {
                wrong.push(format!("{}: {rejection}", road.name()));
                continue;
            }
        };
        let got = decoded(&session.analysis());
        let told = got.finish.clone().or(got.error.clone().map(|(code, _)| code)).unwrap_or_default();
        let named = words(Finish::ContentFilter).contains(&told.as_str());
        // Some withhold all of it, where it is not streamed.
        let withheld = road.transport == Transport::Http && got.outcome == Some(OutcomeKind::Failed) && got.text.is_empty();
        if (!withheld && got.text != script.text()) || (ways(road.dialect).filter && !named) {
            wrong.push(format!("{}: {got:?}", road.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
