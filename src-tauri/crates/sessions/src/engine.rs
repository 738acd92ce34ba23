//! The engine: plans drafts, runs them, opens what was kept.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use weir_dialects::Transport;
use weir_dialects::provider::{self, Provider};
use weir_recordings::{Library, NewSession};
use weir_secrets::{Keys, Secret, StoreState, header::HeaderTemplate};
use weir_transport::redact::Patterns;
use weir_transport::{Journal, journal, journal::Clock};

use crate::plan::{KeyChoice, Plan};
use crate::session::Session;
use crate::view::{Draft, Preview, ReadBody, Settings};
use crate::{Error, capture, credentials, drive};

/// Bytes of the log that may wait for the fold before the socket is read no further. Small, so that in a flood a delta is told within
/// milliseconds of its read: what the fold cannot take yet is better left to the socket's own buffer.
const IN_FLIGHT: usize = 64 << 10;

/// The name settings are kept under in the library.
const SETTINGS: &str = "settings";

/// The engine. Clones are the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    home: PathBuf,
    library: Library,
    /// Sessions that are not to be kept live here until their tab closes; the file goes with the program.
    scratch: Mutex<Option<Library>>,
    keys: Keys,
    settings: RwLock<Settings>,
    lab: RwLock<Option<String>>,
    sessions: Mutex<HashMap<String, Weak<Session>>>,
}

impl Engine {
    /// An engine whose library, key list and settings live in `home` (made if missing).
    pub fn open(home: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(home).map_err(|error| home_error(home, &error))?;
        let library = Library::open(&home.join("library.weir"))?;
        Self::with(home, library)
    }

    /// An engine on a library of its own, e.g. the file of `--record`.
    pub fn with(home: &Path, library: Library) -> Result<Self, Error> {
        let left = library.recover()?;
        let settings = library.setting(SETTINGS).and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let engine = Self(Arc::new(Inner {
            home: home.to_path_buf(),
            library,
            scratch: Mutex::new(None),
            keys: Keys::open(home),
            settings: RwLock::new(settings),
            lab: RwLock::new(None),
            sessions: Mutex::new(HashMap::new()),
        }));
        engine.amend(left);
        Ok(engine)
    }

    /// Reads the logs of sessions that a process left behind when it ended, so that the list and the search say of them what they say
    /// when they are opened. Nobody waits for it; what it does not get to is made up for when the session is opened.
    fn amend(&self, left: Vec<String>) {
        if left.is_empty() {
            return;
        }
        let engine = self.clone();
        // Without a thread to give, opening them does it.
        let _ = std::thread::Builder::new().name("amend".into()).spawn(move || {
            for id in left {
                // Opening one that has no figures writes them.
                let _ = engine.session(&id);
            }
        });
    }

    /// The same keys and settings on another library, e.g. the file of `--record`. The settings are copied, not written there: they may
    /// name things of this machine that a file for others has no business holding.
    pub fn beside(&self, library: Library) -> Result<Self, Error> {
        library.recover()?;
        Ok(Self(Arc::new(Inner {
            home: self.0.home.clone(),
            library,
            scratch: Mutex::new(None),
            keys: self.0.keys.clone(),
            settings: RwLock::new(self.settings()),
            lab: RwLock::new(self.lab()),
            sessions: Mutex::new(HashMap::new()),
        })))
    }

    /// The library.
    pub fn library(&self) -> &Library {
        &self.0.library
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// The folder it lives in.
    pub fn home(&self) -> &Path {
        &self.0.home
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.0.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts settings in force and keeps them.
    pub fn set_settings(&self, settings: Settings) -> Result<(), Error> {
        if !matches!(settings.proxy.as_str(), "" | "system" | "direct") && !settings.proxy.starts_with("http://") {
            return Err(Error::new(
                "user",
                "proxy",
                format!("«{}» is no proxy.", settings.proxy),
                "The old settings stay in force.",
                "",
                "Write system, direct, or an address like http://127.0.0.1:3128.",
            ));
        }
        // Settings are plain data, which JSON always holds.
        let json = serde_json::to_string(&settings).unwrap_or_default();
        self.0.library.set_setting(SETTINGS, &json)?;
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
        Ok(())
    }

    /// Tells where the Lab runs (scheme, host and port), or that it does not.
    pub fn set_lab(&self, address: Option<String>) {
        *self.0.lab.write().unwrap_or_else(PoisonError::into_inner) = address;
    }

    pub(crate) fn lab(&self) -> Option<String> {
        self.0.lab.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every provider there is to choose: the known ones, then the user's own. An own one with a known id stands in its place.
    pub fn providers(&self) -> Vec<Provider> {
        let own = self.settings().providers;
        let known = provider::all().iter().filter(|known| own.iter().all(|own| own.id != known.id));
        known.cloned().chain(own.iter().cloned()).collect()
    }

    /// The provider with this id, the user's own first.
    pub fn provider(&self, id: &str) -> Option<Provider> {
        self.settings().providers.into_iter().find(|own| own.id == id).or_else(|| provider::find(id).cloned())
    }

    /// Keeps a provider of the user's own, in place of the one with its id; tells all there are then.
    ///
    /// # Errors
    /// `provider` where its id, name or an address is missing or wrong.
    pub fn save_provider(&self, provider: Provider) -> Result<Vec<Provider>, Error> {
        crate::own_provider::check(&provider)?;
        let mut settings = self.settings();
        settings.providers.retain(|own| own.id != provider.id);
        settings.providers.push(Provider { own: true, ..provider });
        self.set_settings(settings)?;
        Ok(self.providers())
    }

    /// Forgets a provider of the user's own; a known one with its id is there again.
    pub fn delete_provider(&self, id: &str) -> Result<Vec<Provider>, Error> {
        let mut settings = self.settings();
        settings.providers.retain(|own| own.id != id);
        self.set_settings(settings)?;
        Ok(self.providers())
    }

    /// The question that `body` asks in the draft's dialect; `None` where it cannot be held in fields. A body that fits another way of
    /// travelling over HTTP than the draft's (one without `"stream": true` in a draft for SSE) asks for that one.
    pub fn read_body(&self, draft: &Draft, body: &str) -> Option<ReadBody> {
        let in_transport = |transport: Transport| {
            let ask = weir_dialects::Ask { raw_body: None, ..draft.ask.clone() };
            let plan = self.plan(&Draft { ask, transport, ..draft.clone() }, &KeyChoice::Stored);
            let (dialect, url) = match &plan {
                Ok(plan) => (plan.dialect(), plan.call.url.as_str()),
                Err(_) => (weir_dialects::dialect::find(&draft.dialect)?, ""),
            };
            Some(ReadBody { ask: dialect.read(body, url, transport)?, transport })
        };
        // Asked over plain HTTP, `"stream": true` is a member the form has no field for; what it says is that the reply be streamed.
        let in_step = |found: &ReadBody| !found.ask.params.extra.contains_key("stream");
        let as_it_is = in_transport(draft.transport);
        if as_it_is.as_ref().is_some_and(in_step) || draft.transport == Transport::Websocket {
            return as_it_is;
        }
        // A whole URL says by itself how it is asked, and a socket is another endpoint.
        let others = weir_dialects::dialect::find(&draft.dialect)?.transports().iter().copied();
        let mut others = others.filter(|other| ![draft.transport, Transport::Websocket].contains(other));
        others.find_map(|other| in_transport(other).filter(in_step)).or(as_it_is)
    }

    /// The plan for a draft.
    pub fn plan(&self, draft: &Draft, key: &KeyChoice) -> Result<Plan, Error> {
        let keyed = match key {
            KeyChoice::Given(_) => true,
            KeyChoice::None => false,
            KeyChoice::Stored => self.has_key(&draft.provider),
        };
        let readable = self.with_texts(draft);
        let plan = Plan::new(&readable, self.provider(&draft.provider).as_ref(), &self.settings(), self.lab().as_deref(), keyed)?;
        Ok(Plan { draft: draft.clone(), ..plan })
    }

    /// What a draft would send, keys as `{key}`, and what stands in its way.
    pub fn preview(&self, draft: &Draft) -> Preview {
        match self.plan(draft, &KeyChoice::Stored) {
            Ok(plan) => Preview { problem: self.missing_key(draft).map(|e| *e.0), ..plan.preview() },
            Err(error) => Preview {
                method: String::new(),
                url: draft.url.clone().or_else(|| draft.base_url.clone()).unwrap_or_default(),
                headers: Vec::new(),
                body: draft.ask.raw_body.clone().unwrap_or_default(),
                curl: String::new(),
                problem: Some(*error.0),
                problems: self.problems(draft),
            },
        }
    }

    /// All that the draft's dialect cannot express of it.
    fn problems(&self, draft: &Draft) -> Vec<crate::view::Problem> {
        let dialect = weir_dialects::dialect::find(&draft.dialect);
        let found = dialect.map(|dialect| dialect.check(&self.with_texts(draft).ask, draft.transport)).unwrap_or_default();
        found.into_iter().map(|error| *Error::from(error).0).collect()
    }

    /// Sends a draft. The session is kept in the library; deltas are told to `tell` as they come.
    pub fn send(&self, draft: &Draft, key: KeyChoice, tell: Option<capture::Tell>) -> Result<Arc<Session>, Error> {
        if matches!(key, KeyChoice::Stored)
            && let Some(error) = self.missing_key(draft)
        {
            return Err(error);
        }
        // What is sent holds the content of files; the plan keeps the draft as it is, with references to them.
        let whole = Draft { ask: self.with_files(&draft.ask)?, ..draft.clone() };
        let plan = Plan { draft: draft.clone(), ..self.plan(&whole, &key)? };
        self.run(plan, key, tell)
    }

    /// Runs a plan.
    pub fn run(&self, plan: Plan, key: KeyChoice, tell: Option<capture::Tell>) -> Result<Arc<Session>, Error> {
        let secret = self.key(&plan, key)?;
        let signed = plan.signed(secret.as_ref())?;
        let title = plan.draft.title.clone().filter(|t| !t.trim().is_empty()).unwrap_or_else(|| plan.title());
        let roots = self.roots()?;
        let (session, journal) = self.begin(plan, &title, secret.as_ref(), tell)?;
        let target = session.plan().target(secret, roots);
        drive::start(target, signed, session.clone(), journal)?;
        Ok(session)
    }

    /// Begins a session: what is written to the journal is recorded and folded, until its last writer is gone. Whoever calls it drives it.
    pub(crate) fn begin(
        &self,
        plan: Plan,
        title: &str,
        secret: Option<&Secret>,
        tell: Option<capture::Tell>,
    ) -> Result<(Arc<Session>, Journal), Error> {
        let started_at_ms = now_ms();
        // Whatever the user pasted into a prompt or header, the key's value stays out of the library.
        let hides = Patterns::default();
        secret.iter().map(|key| key.expose()).for_each(|key| hides.add(key));
        credentials::of_plan(&plan).iter().for_each(|typed| hides.add(typed.expose()));
        let title = hides.scrub(title);
        let (kept, read) = credentials::kept(&plan, &hides);
        let library = if self.settings().record { self.0.library.clone() } else { self.scratch()? };
        let recorder = library.create(NewSession {
            title: title.clone(),
            provider: plan.draft.provider.clone(),
            model: plan.draft.ask.model.clone(),
            dialect: plan.dialect.clone(),
            transport: plan.draft.transport.name().into(),
            prompt: read.prompt(),
            plan: kept,
            started_at_ms,
        })?;
        let clock = Clock::start();
        let (journal, reader) = journal::channel_on(clock, IN_FLIGHT);
        let mut session = Session::new(recorder.id(), &title, plan, started_at_ms, recorder.reader(), clock);
        session.sends(hides, read);
        let session = Arc::new(session);
        self.remember(&session);
        capture::start(reader, recorder, session.clone(), tell)?;
        Ok((session, journal))
    }

    /// Opens a session: the running one, or one from the library, folded anew from its log.
    pub fn session(&self, id: &str) -> Result<Arc<Session>, Error> {
        let session = self.session_soon(id, Duration::MAX)?;
        match session.unreadable() {
            Some(error) => Err(error),
            None => Ok(session),
        }
    }

    /// The same, but after `patience` at the latest: of a long recording the first rows are there then, and the rest follows, as it
    /// would of a session that runs. What cannot be read of it is told by its outcome.
    pub fn session_soon(&self, id: &str, patience: Duration) -> Result<Arc<Session>, Error> {
        let session = self.unfolded(id)?;
        session.folded(patience);
        Ok(session)
    }

    /// The session with this id. One that was not open is being folded.
    fn unfolded(&self, id: &str) -> Result<Arc<Session>, Error> {
        if let Some(open) = self.opened(id) {
            return Ok(open);
        }
        let row = self.0.library.session(id)?;
        if let Some(open) = self.opened(&row.id) {
            return Ok(open);
        }
        let plan: Plan = serde_json::from_str(&row.plan).map_err(|error| {
            Error::new(
                "local",
                "plan",
                "The recording's plan cannot be read.",
                "The session cannot be shown.",
                error.to_string(),
                "It was probably recorded by a newer Weir: open it there.",
            )
        })?;
        let reader = self.0.library.reader(&row.id)?;
        let session = Arc::new(Session::new(&row.id, &row.title, plan, row.started_at_ms, reader, Clock::start()));
        session.reopen();
        self.remember(&session);
        let folded = session.clone();
        // A recorder that did not get to its end left a row without figures.
        let library = (row.frames == 0 && row.outcome == "cut").then(|| self.0.library.clone());
        let read = move || {
            folded.fold();
            if let Some(library) = library
                && folded.unreadable().is_none()
            {
                // The row is as good as it was where this fails; the session can be read either way.
                let _ = library.amend(folded.id(), capture::summary(&folded));
            }
        };
        let started = std::thread::Builder::new().name("fold".into()).spawn(read);
        if started.is_err() {
            // The system has no thread to give: whoever asks waits.
            session.fold();
        }
        Ok(session)
    }

    /// The session with this id, if a view or a run holds it.
    pub fn opened(&self, id: &str) -> Option<Arc<Session>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(id).and_then(Weak::upgrade)
    }

    /// A view is done with a session. One that was not to be kept is gone with it.
    pub fn close(&self, id: &str) -> Result<(), Error> {
        let scratch = self.0.scratch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(scratch) = scratch.filter(|scratch| scratch.session(id).is_ok()) else { return Ok(()) };
        if let Some(session) = self.opened(id) {
            session.stop();
        }
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(scratch.purge(&[id.to_owned()]).map(|_| ())?)
    }

    /// The library that holds a session: the one of all sessions, or the one of those that are not kept.
    pub fn library_of(&self, id: &str) -> Library {
        let scratch = self.0.scratch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        scratch.filter(|scratch| scratch.session(id).is_ok()).unwrap_or_else(|| self.0.library.clone())
    }

    fn scratch(&self) -> Result<Library, Error> {
        let mut scratch = self.0.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if scratch.is_none() {
            *scratch = Some(Library::temporary()?);
        }
        scratch.clone().ok_or_else(|| Error::missing("library"))
    }

    fn remember(&self, session: &Arc<Session>) {
        let mut sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.strong_count() > 0);
        sessions.insert(session.id().to_owned(), Arc::downgrade(session));
    }

    fn has_key(&self, provider: &str) -> bool {
        self.0.keys.list().iter().any(|key| key.provider == provider)
    }

    /// The problem that stands in the way of sending `draft` with the stored key: its provider wants one and there is none.
    pub fn missing_key(&self, draft: &Draft) -> Option<Error> {
        let known = self.provider(&draft.provider)?;
        let own_header =
            draft.headers.iter().any(|h| HeaderTemplate::parse(&known.auth).is_ok_and(|t| h.name.eq_ignore_ascii_case(t.name())));
        if known.key != "required" || draft.base_url.is_some() || draft.url.is_some() || own_header || self.has_key(&draft.provider) {
            return None;
        }
        let state = match self.0.keys.state() {
            StoreState::Available { name } => format!("{name}: no key for {}", known.id),
            StoreState::Locked => "The keychain is locked.".to_owned(),
            StoreState::Missing { evidence } => evidence,
        };
        Some(Error::new(
            "configuration",
            "key-missing",
            format!("There is no key for {}.", known.name),
            "Nothing was sent.",
            state,
            "Add one in Keys, or try it on the built-in Lab: same protocols, no account, nothing leaves this machine.",
        ))
    }

    fn key(&self, plan: &Plan, choice: KeyChoice) -> Result<Option<Secret>, Error> {
        if !plan.wants_key() {
            // A key that the request has no place for is still a secret: should it occur anywhere, it is kept out of the log.
            return Ok(if let KeyChoice::Given(secret) = choice { Some(secret) } else { None });
        }
        match choice {
            KeyChoice::Given(secret) => Ok(Some(secret)),
            KeyChoice::None => Err(Error::new(
                "user",
                "key-missing",
                "The request names {key}, but no key was chosen.",
                "Nothing was sent.",
                "",
                "Choose a key, or take {key} out of headers and URL.",
            )),
            KeyChoice::Stored => {
                let host =
                    url::Url::parse(&plan.call.url).ok().and_then(|u| Some(format!("{}:{}", u.host_str()?, u.port_or_known_default()?)));
                let header = plan.call.headers.iter().find(|h| h.value.contains("{key}")).map_or("URL", |h| h.name.as_str());
                let used_for = format!("{header} → {}", host.unwrap_or_default());
                Ok(Some(self.0.keys.read(plan.keyed_by(), &used_for)?))
            }
        }
    }

    /// Certificate authorities of the user's own, as the file the transport reads.
    fn roots(&self) -> Result<Vec<PathBuf>, Error> {
        let pem = self.settings().roots;
        if pem.trim().is_empty() {
            return Ok(Vec::new());
        }
        let path = self.0.home.join("roots.pem");
        std::fs::write(&path, pem).map_err(|error| home_error(&path, &error))?;
        Ok(vec![path])
    }
}

fn home_error(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        "local",
        "home",
        "Weir cannot write to its folder.",
        "Nothing can be kept.",
        format!("{}: {error}", path.display()),
        "Set WEIR_HOME to a folder that can be written to.",
    )
}

fn now_ms() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}
