//! What a provider lists as its models, and whether its key works. Not captured: these calls are no sessions.

use std::collections::BTreeMap;
use std::sync::Once;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use weir_secrets::header::HeaderTemplate;
use weir_secrets::{TestResult, Verdict};

use crate::{Engine, Error};

/// Bytes of a list that are read at most; the longest known list is under 1 MB.
const MOST: usize = 16 << 20;

/// How long a list is taken to be true. Providers add models by the week; asking again is a click.
const FRESH: Duration = Duration::from_secs(24 * 3600);

/// The setting that lists are kept under.
const KEPT: &str = "models";

/// What a provider lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ModelList {
    /// Names, sorted.
    pub names: Vec<String>,
    /// When it was fetched: Unix time, ms.
    pub fetched_at_ms: f64,
}

/// Models that `provider` (or the server at `base_url`) lists: as it was told within the last day, or asked now where that is longer ago
/// or `refresh` is set. A server of one's own (no key needed) is asked each time: its list is what is loaded there.
///
/// # Errors
/// No such provider, no list, no key, no connection, or an answer other than a list.
pub async fn list(engine: &Engine, provider: &str, base_url: Option<&str>, refresh: bool) -> Result<ModelList, Error> {
    let name = format!("{provider} {}", base_url.unwrap_or_default());
    let mut kept: BTreeMap<String, ModelList> =
        engine.library().setting(KEPT).and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    let now = now_ms();
    let lasting = engine.provider(provider).is_some_and(|known| known.key == "required");
    if let Some(list) = kept.get(&name).filter(|list| lasting && !refresh && now - list.fetched_at_ms < FRESH.as_millis() as f64) {
        return Ok(list.clone());
    }
    let list = ModelList { names: fetch(engine, provider, base_url).await?, fetched_at_ms: now };
    kept.insert(name, list.clone());
    // A list that cannot be kept is only fetched again.
    let _ = engine.library().set_setting(KEPT, &serde_json::to_string(&kept).unwrap_or_default());
    Ok(list)
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_millis() as f64)
}

async fn fetch(engine: &Engine, provider: &str, base_url: Option<&str>) -> Result<Vec<String>, Error> {
    let answer = ask(engine, provider, base_url).await?;
    if answer.status != 200 {
        return Err(refused(&answer));
    }
    let mut names = names(&answer.body).ok_or_else(|| refused(&answer))?;
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Asks for the model list with the stored key, and keeps the result beside the key.
pub async fn test_key(engine: &Engine, provider: &str) -> TestResult {
    let began = Instant::now();
    let asked = ask(engine, provider, None).await;
    let took_ms = u32::try_from(began.elapsed().as_millis()).ok();
    let (verdict, status, detail) = match asked {
        Ok(answer) if answer.status == 200 => {
            let detail = names(&answer.body).map_or_else(|| "no model list".to_owned(), |names| format!("{} models", names.len()));
            (Verdict::Passed, Some(200), detail)
        }
        Ok(answer) if answer.status == 429 || answer.status >= 500 => {
            let wait = answer.retry.as_ref().map(|wait| format!("retry in {wait} s"));
            (Verdict::Unclear, Some(answer.status), wait.unwrap_or_else(|| said(&answer.body)))
        }
        Ok(answer) => (Verdict::Failed, Some(answer.status), said(&answer.body)),
        Err(error) => (Verdict::Failed, None, error.0.message.clone()),
    };
    let at = now_ms() as u64;
    let result = TestResult { verdict, status, took_ms, detail, at };
    let (keys, provider, kept) = (engine.keys().clone(), provider.to_owned(), result.clone());
    // The list of keys is a file: writing it may wait for the disk.
    let _ = tokio::task::spawn_blocking(move || keys.note_test(&provider, kept)).await;
    result
}

struct Answer {
    status: u16,
    retry: Option<String>,
    body: Vec<u8>,
    url: String,
}

async fn ask(engine: &Engine, provider: &str, base_url: Option<&str>) -> Result<Answer, Error> {
    let known = engine.provider(provider);
    let base = match (base_url.filter(|url| !url.is_empty()), &known) {
        (Some(base), _) => base.to_owned(),
        (None, Some(known)) => known.dialects.first().map_or_else(String::new, |(_, base)| base.clone()),
        (None, None) => return Err(Error::missing(&format!("provider «{provider}»"))),
    };
    let base = match (base.contains("{lab}"), engine.lab()) {
        (true, Some(lab)) => base.replace("{lab}", lab.trim_end_matches('/')),
        (true, None) => {
            return Err(Error::new("local", "lab-stopped", "The Lab does not run.", "Nothing was sent.", "", "Start it in the Lab view."));
        }
        (false, _) => base,
    };
    let path = known.as_ref().map_or("/models", |known| known.models_path.as_str());
    if path.is_empty() {
        return Err(Error::new("user", "no-models", "This provider lists no models.", "Nothing was sent.", "", "Type the model's name."));
    }
    let url = format!("{}{path}", base.trim_end_matches('/'));
    let mut request = client(engine)?.get(&url);
    if known.as_ref().and_then(|known| known.dialects.first()).is_some_and(|(dialect, _)| dialect == "anthropic-messages") {
        request = request.header("anthropic-version", "2023-06-01");
    }
    if let Some(known) = known.as_ref().filter(|known| !known.auth.is_empty()) {
        let template = HeaderTemplate::parse(&known.auth)?;
        let (keys, id) = (engine.keys().clone(), provider.to_owned());
        let host = url::Url::parse(&url).ok().and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
        let used_for = template.used_for(&host.unwrap_or_default());
        let read = tokio::task::spawn_blocking(move || keys.read(&id, &used_for)).await;
        match read.map_err(|error| unreachable_url(&url, &error))? {
            Ok(key) => {
                let mut value =
                    http::HeaderValue::from_str(template.value(&key)?.expose()).map_err(|error| unreachable_url(&url, &error))?;
                value.set_sensitive(true);
                request = request.header(template.name(), value);
            }
            Err(error) if known.key == "required" => return Err(error.into()),
            // Servers of one's own often want no key.
            Err(_) => {}
        }
    }
    let mut response = request.send().await.map_err(|error| unreachable_url(&url, &error.without_url()))?;
    let status = response.status().as_u16();
    let retry = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| unreachable_url(&url, &error.without_url()))? {
        if body.len() + piece.len() > MOST {
            break;
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer { status, retry, body, url })
}

fn client(engine: &Engine) -> Result<reqwest::Client, Error> {
    static RING: Once = Once::new();
    // A provider that was installed before is as good.
    RING.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let settings = engine.settings();
    let mut builder = reqwest::Client::builder()
        .user_agent(weir_transport::USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(u64::from(settings.connect_seconds.max(1))));
    builder = match settings.proxy.as_str() {
        "" | "system" => builder,
        "direct" => builder.no_proxy(),
        url => builder.proxy(reqwest::Proxy::all(url).map_err(|error| unreachable_url(url, &error))?),
    };
    for root in reqwest::Certificate::from_pem_bundle(settings.roots.as_bytes()).unwrap_or_default() {
        builder = builder.add_root_certificate(root);
    }
    builder.build().map_err(|error| unreachable_url("", &error))
}

fn unreachable_url(url: &str, error: &dyn std::error::Error) -> Error {
    let mut evidence = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        evidence = format!("{evidence}\n{cause}");
        source = cause.source();
    }
    Error::new(
        "network",
        "unreachable",
        format!("{url} could not be asked."),
        "No model list.",
        evidence,
        "Check the address and the connection.",
    )
}

fn refused(answer: &Answer) -> Error {
    Error::new(
        "peer",
        &format!("http-{}", answer.status),
        format!("{} lists no models: it answered {}.", answer.url, answer.status),
        "The list stays as it was; a model can always be typed.",
        said(&answer.body),
        "Check the key and the address.",
    )
}

/// `{"data":[{"id":…}]}`, `{"models":[{"name":…}]}`, or a bare list of either.
fn names(body: &[u8]) -> Option<Vec<String>> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let list = value.get("data").or_else(|| value.get("models")).unwrap_or(&value).as_array()?;
    let name = |model: &serde_json::Value| {
        let name = model.get("id").or_else(|| model.get("name")).unwrap_or(model).as_str()?;
        // Gemini lists resource names; its API takes either.
        Some(name.strip_prefix("models/").unwrap_or(name).to_owned())
    };
    Some(list.iter().filter_map(name).collect())
}

/// The message in an error's body, or its first line.
fn said(body: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let message =
        ["/error/message", "/message", "/error", "/detail"].iter().find_map(|path| value.pointer(path)?.as_str().map(str::to_owned));
    let text = message.unwrap_or_else(|| String::from_utf8_lossy(body).lines().next().unwrap_or_default().to_owned());
    text.chars().take(200).collect()
}
