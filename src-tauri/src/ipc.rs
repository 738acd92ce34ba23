//! The one list of what the page may ask. It makes the Tauri commands, and the types the page calls them by.

use serde::Serialize;
use tauri::State;
use tauri::ipc::{Channel, InvokeBody, Request, Response};
use ts_rs::{Config, TS};
use weir_dialects::Ask;
use weir_dialects::provider::Provider;
use weir_secrets::{KeptIn, KeyInfo, SecretUse, StoreState, TestResult};
use weir_sessions::code::CodeSample;
use weir_sessions::compare::{
    Comparison, ComparisonCost, ComparisonSummary, ComparisonUpdate, ComparisonView, LaneReplay, Preset, ReportFormat,
};
use weir_sessions::drill::memory::{KindInfo, MemoryDrill, MemoryView};
use weir_sessions::drill::report::Format;
use weir_sessions::drill::{Drill, DrillKind, DrillSummary, DrillUpdate, DrillView, LaneInfo};
use weir_sessions::models::ModelList;
use weir_sessions::view::{
    ByteShares, ConsoleDraft, ConsoleMessage, ConsolePage, ConsoleRule, DialectInfo, Draft, ExportFormat, FilterError, FrameDetail,
    Landmark, Lenses, MessageForm, Place, Preview, Problem, ReadBody, Ribbon, RowsPage, SessionInfo, SessionPage, SessionSummary,
    SessionsQuery, Settings, Update,
};

use crate::commands;
use crate::state::App;

/// An error as the page gets it: the code to branch on, the cause to show, and the rest.
#[derive(Debug, Serialize)]
pub struct IpcError {
    code: String,
    message: String,
    detail: Detail,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Detail {
    Problem(Box<Problem>),
    Filter(FilterError),
}

impl From<weir_sessions::Error> for IpcError {
    fn from(error: weir_sessions::Error) -> Self {
        Self { code: error.0.code.clone(), message: error.0.message.clone(), detail: Detail::Problem(error.0) }
    }
}

impl From<FilterError> for IpcError {
    fn from(error: FilterError) -> Self {
        Self { code: "filter".into(), message: error.message.clone(), detail: Detail::Filter(error) }
    }
}

/// The Keys view.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct KeysState {
    /// The keychain.
    pub store: StoreState,
    /// Keys that exist; never their values.
    pub keys: Vec<KeyInfo>,
    /// Last test of each provider, keyless ones included.
    pub tests: std::collections::BTreeMap<String, TestResult>,
    /// Every time a key was read, newest first.
    pub uses: Vec<SecretUse>,
    /// What went wrong with the list of keys.
    pub warnings: Vec<Problem>,
}

/// The Lab view.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LabState {
    /// It listens.
    pub running: bool,
    /// Scheme, host and port; "" while it does not run.
    pub address: String,
    /// The same for clients that want TLS; "" while it does not run.
    pub tls_address: String,
    /// The certificate (PEM) such clients must trust, made when the Lab started; "" while it does not run.
    pub certificate: String,
    /// Its port, or the one it would take.
    pub port: u16,
    /// HTTP/2 is served.
    pub http2: bool,
    /// Settings for new connections.
    pub settings: weir_lab::Settings,
    /// What it serves.
    pub endpoints: Vec<weir_lab::Endpoint>,
    /// Who is connected.
    pub connections: weir_lab::Snapshot,
    /// Faults it can make.
    pub recipes: Vec<weir_lab::Recipe>,
    /// Why it does not run, or not where it should.
    pub problem: Option<Problem>,
}

/// What a cURL command came to.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Imported {
    /// The request.
    pub draft: Draft,
    /// The last characters of a key that stood in it by value; the key itself waits in the engine to be kept.
    pub key: Option<String>,
    /// What was left out or could not be taken over, a sentence each.
    pub notes: Vec<String>,
}

/// What can be drilled.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DrillOptions {
    /// Lanes of a drill.
    pub lanes: Vec<LaneInfo>,
    /// A drill to begin with.
    pub drill: Drill,
    /// Kinds of connections of a memory drill.
    pub kinds: Vec<KindInfo>,
    /// A memory drill to begin with: of its series, what the system's limit on open files allows.
    pub memory: MemoryDrill,
}

/// Program facts for the Settings view.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct About {
    /// Version.
    pub version: String,
    /// Bytes of the library.
    #[ts(type = "number")]
    pub library_bytes: u64,
}

/// The TypeScript name of a Rust type.
fn ts<T: TS + ?Sized>() -> String {
    T::name(&Config::default())
}

macro_rules! commands {
    ($($module:ident :: $name:ident ( $($arg:ident : $ty:ty),* ) -> $result:ty;)*) => {
        mod generated {
            use super::*;
            $(
                #[tauri::command]
                pub(super) async fn $name(app: State<'_, App>, $($arg: $ty),*) -> Result<$result, IpcError> {
                    let app = app.inner().clone();
                    commands::$module::$name(app, $($arg),*).await.map_err(IpcError::from)
                }
            )*
        }

        /// Every command, for Tauri.
        pub fn handler() -> impl Fn(tauri::ipc::Invoke) -> bool + Send + Sync + 'static {
            tauri::generate_handler![bytes, audio, attach, attached, import_session, watch, watch_comparison, watch_drill, watch_memory_drill, shown, unwatch, $(generated::$name),*]
        }

        /// The list as the page's types.
        pub fn typescript() -> String {
            let mut lines = Vec::new();
            let mut types = std::collections::BTreeSet::new();
            $({
                let args: Vec<String> = vec![$(format!("{}: {}", camel(stringify!($arg)), argument(&ts::<$ty>()))),*];
                let args = if args.is_empty() { "Record<string, never>".to_owned() } else { format!("{{ {} }}", args.join("; ")) };
                let result = argument(&ts::<$result>());
                types.extend(names(&args).chain(names(&result)));
                lines.push(format!("  {}: {{ args: {args}; result: {result} }};\n", stringify!($name)));
            })*
            let imports: String = types.iter().map(|name| format!("import type {{ {name} }} from './{name}';\n")).collect();
            format!(
                "// Generated from src-tauri/src/ipc.rs. Do not edit.\n{imports}\n/** Every command of the backend: what goes in, what comes out. */\nexport interface Commands {{\n{}}}\n",
                lines.concat()
            )
        }
    };
}

commands! {
    compose::providers() -> Vec<Provider>;
    compose::dialects() -> Vec<DialectInfo>;
    compose::models(provider: String, base_url: Option<String>, refresh: bool) -> ModelList;
    compose::save_provider(provider: Provider) -> Vec<Provider>;
    compose::delete_provider(id: String) -> Vec<Provider>;
    compose::read_body(draft: Draft, body: String) -> Option<ReadBody>;
    compose::import_curl(text: String) -> Imported;
    compose::keep_found_key(provider: String, keep: KeptIn) -> KeyInfo;
    compose::forget_found_key() -> ();
    compose::code(draft: Draft) -> Vec<CodeSample>;
    compose::preview(draft: Draft) -> Preview;
    session::send(draft: Draft) -> SessionInfo;
    session::stop(session: String) -> ();
    session::say(session: String, ask: Ask) -> ();
    session::tell(session: String, message: String, binary: bool) -> ();
    session::ping(session: String, payload: String) -> ();
    session::hang_up(session: String) -> ();
    console::console(draft: ConsoleDraft) -> SessionInfo;
    console::console_url(url: String) -> String;
    console::console_rows(session: String, filter: String, start: u32, count: u32) -> ConsolePage;
    console::console_message(session: String, row: u32) -> ConsoleMessage;
    console::console_send(session: String, form: MessageForm, text: String) -> ();
    console::console_close(session: String, code: u16, reason: String) -> ();
    console::console_answers(session: String, echo: bool, rules: Vec<ConsoleRule>) -> ();
    session::open(session: String) -> SessionInfo;
    session::close(session: String) -> ();
    inspect::rows(session: String, filter: String, start: u32, count: u32) -> RowsPage;
    inspect::check_filter(filter: String) -> Option<FilterError>;
    inspect::position(session: String, filter: String, row: u32) -> Option<u32>;
    inspect::next_gap(session: String, row: u32, backwards: bool, over_ms: f64) -> Option<u32>;
    inspect::shares(session: String, filter: String) -> ByteShares;
    inspect::next_row(session: String, row: Option<u32>, backwards: bool, what: Landmark) -> Option<u32>;
    inspect::row_at(session: String, conn: u32, out: bool, at: f64) -> Option<u32>;
    inspect::frame(session: String, row: u32) -> FrameDetail;
    inspect::lenses(session: String, row: Option<u32>) -> Option<Lenses>;
    inspect::ribbon(session: String, from_ms: f64, to_ms: Option<f64>, bins: u32) -> Ribbon;
    inspect::locate(session: String, block: u32, offset: u32) -> Option<Place>;
    inspect::place(session: String, row: u32) -> Option<Place>;
    library::sessions(query: SessionsQuery) -> SessionPage;
    library::tags() -> Vec<String>;
    library::rename_session(session: String, title: String) -> ();
    library::tag_session(session: String, tags: Vec<String>) -> ();
    library::delete_sessions(sessions: Vec<String>) -> ();
    library::restore_sessions(sessions: Vec<String>) -> ();
    library::save_sound(session: String, block: u32) -> String;
    library::export_sessions(sessions: Vec<String>, format: ExportFormat) -> String;
    compare::comparison_presets(provider: String, model: String, prompt: String, other: String) -> Vec<Preset>;
    compare::comparisons() -> Vec<ComparisonSummary>;
    compare::comparison_cost(comparison: Comparison) -> ComparisonCost;
    compare::start_comparison(comparison: Comparison) -> String;
    compare::stop_comparison(id: String) -> ();
    compare::comparison(id: String) -> ComparisonView;
    compare::lane_replay(session: String) -> LaneReplay;
    compare::comparison_report(id: String, format: ReportFormat) -> String;
    compare::delete_comparison(id: String) -> ();
    drill::drill_options() -> DrillOptions;
    drill::start_drill(drill: Drill) -> String;
    drill::stop_drill() -> ();
    drill::last_drill() -> Option<DrillView>;
    drill::drills(kind: DrillKind) -> Vec<DrillSummary>;
    drill::drill(id: String) -> DrillView;
    drill::drill_report(id: String, format: Format) -> String;
    drill::start_memory_drill(drill: MemoryDrill) -> String;
    drill::stop_memory_drill() -> ();
    drill::last_memory_drill() -> Option<MemoryView>;
    drill::memory_drill(id: String) -> MemoryView;
    drill::memory_report(id: String, format: Format) -> String;
    drill::delete_drill(id: String) -> ();
    keys::keys() -> KeysState;
    keys::set_key(provider: String, value: String, keep: KeptIn) -> KeyInfo;
    keys::delete_key(provider: String) -> ();
    keys::test_key(provider: String) -> TestResult;
    keys::forget_session_keys() -> ();
    keys::unlock_keychain() -> ();
    lab::lab() -> LabState;
    lab::start_lab(port: Option<u16>) -> LabState;
    lab::stop_lab() -> LabState;
    lab::set_lab(settings: weir_lab::Settings) -> LabState;
    lab::close_lab_connections() -> ();
    settings::settings() -> Settings;
    settings::set_settings(settings: Settings) -> ();
    settings::about() -> About;
    settings::remembered(name: String) -> Option<String>;
    settings::remember(name: String, value: String) -> ();
}

/// A range of one direction's bytes, as bytes.
#[tauri::command]
async fn bytes(app: State<'_, App>, session: String, conn: u32, out: bool, start: u64, len: u32) -> Result<Response, IpcError> {
    let app = app.inner().clone();
    Ok(Response::new(commands::inspect::bytes(app, session, conn, out, start, len).await?))
}

/// The sound of a block of the reply, as a file a browser plays.
#[tauri::command]
async fn audio(app: State<'_, App>, session: String, block: u32) -> Result<Response, IpcError> {
    let app = app.inner().clone();
    Ok(Response::new(commands::inspect::audio(app, session, block).await?))
}

/// Keeps a file to go along with a request: the request's body is the file. Gives the reference that stands for it in a draft.
#[tauri::command]
async fn attach(app: State<'_, App>, request: Request<'_>) -> Result<String, IpcError> {
    Ok(commands::compose::attach(app.inner().clone(), raw(&request)).await?)
}

/// The content of an attached file.
#[tauri::command]
async fn attached(app: State<'_, App>, reference: String) -> Result<Response, IpcError> {
    Ok(Response::new(commands::compose::attached(app.inner().clone(), reference).await?))
}

/// The bytes a request carries; none where it carries JSON.
fn raw(request: &Request<'_>) -> Vec<u8> {
    match request.body() {
        InvokeBody::Raw(bytes) => bytes.clone(),
        InvokeBody::Json(_) => Vec::new(),
    }
}

/// Takes a `.weir` file in: the request's body is the file.
#[tauri::command]
async fn import_session(app: State<'_, App>, request: Request<'_>) -> Result<SessionSummary, IpcError> {
    Ok(commands::library::import_session(app.inner().clone(), raw(&request)).await?)
}

/// Sends updates of a session through `updates` until it is over or `unwatch` names the channel.
#[tauri::command]
async fn watch(app: State<'_, App>, session: String, updates: Channel<Update>) -> Result<(), IpcError> {
    Ok(crate::watching::start(app.inner(), &session, updates)?)
}

/// Sends updates of a comparison through `updates` until it is over or `unwatch` names the channel.
#[tauri::command]
async fn watch_comparison(app: State<'_, App>, id: String, updates: Channel<ComparisonUpdate>) -> Result<(), IpcError> {
    Ok(commands::compare::watch(app.inner(), &id, updates)?)
}

/// Sends updates of the last drill through `updates` until it is over or `unwatch` names the channel.
#[tauri::command]
async fn watch_drill(app: State<'_, App>, updates: Channel<DrillUpdate>) -> Result<(), IpcError> {
    Ok(commands::drill::watch(app.inner(), updates)?)
}

/// Sends the last memory drill through `updates`, as often as something is new, until it is over or `unwatch` names the channel.
#[tauri::command]
async fn watch_memory_drill(app: State<'_, App>, updates: Channel<MemoryView>) -> Result<(), IpcError> {
    Ok(commands::drill::watch_memory(app.inner(), updates)?)
}

/// The page has shown the last update that a watch sent it: the next may come.
#[tauri::command]
fn shown(app: State<'_, App>, channel: u32) {
    crate::watching::shown(app.inner(), channel);
}

/// Ends a watch.
#[tauri::command]
fn unwatch(app: State<'_, App>, channel: u32) {
    crate::watching::stop(app.inner(), channel);
}

/// `base_url` as the page writes it.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| all + &word[..1].to_uppercase() + &word[1..])
}

/// ts-rs writes `Array<T>`; the page's style is `T[]`.
fn argument(name: &str) -> String {
    name.strip_prefix("Array<").and_then(|inner| inner.strip_suffix('>')).map_or_else(|| name.to_owned(), |inner| format!("{inner}[]"))
}

/// Names of generated types in a TypeScript expression.
fn names(expression: &str) -> impl Iterator<Item = String> + '_ {
    expression
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()) && !matches!(*word, "Record" | "Array"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_knows_the_same_commands() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../ui/src/gen/commands.ts");
        let ours = super::typescript();
        if std::env::var_os("WEIR_WRITE_TYPES").is_some() {
            std::fs::write(path, &ours).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), ours, "run `make types`");
    }
}
