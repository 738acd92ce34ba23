//! What lives as long as the program: the engine, the Lab, the views' sessions and watchers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use weir_lab::{Lab, LabConfig};
use weir_sessions::compare::Running;
use weir_sessions::view::Problem;
use weir_sessions::{Engine, Error, Session};

use crate::watching::Watch;

/// How long a view waits for a session that is opened; of a long one, the rest comes as it would of one that runs.
const SOON: Duration = Duration::from_millis(150);

/// The program's state. Clones are the same state.
#[derive(Clone)]
pub struct App {
    /// The engine.
    pub engine: Engine,
    /// The built-in server.
    pub lab: Arc<LabSlot>,
    /// Sessions that views hold open.
    pub open: Arc<Mutex<HashMap<String, Arc<Session>>>>,
    /// Watchers by channel id.
    pub watchers: Arc<Mutex<HashMap<u32, Watch>>>,
    /// The key that stood in the command imported last: it waits here to be kept or forgotten, and the page sees its end only.
    pub found_key: Arc<Mutex<Option<weir_secrets::Secret>>>,
    /// Comparisons that run, by id.
    pub comparisons: Arc<Mutex<HashMap<String, Running>>>,
    /// The last drill, and the last memory drill.
    pub drills: Arc<Mutex<crate::commands::drill::Drills>>,
}

impl App {
    /// State around an engine; the Lab does not run yet.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            lab: Arc::default(),
            open: Arc::default(),
            watchers: Arc::default(),
            found_key: Arc::default(),
            comparisons: Arc::default(),
            drills: Arc::default(),
        }
    }

    /// Keeps a session at hand until its view closes it.
    pub fn hold(&self, session: Arc<Session>) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(session.id().to_owned(), session);
    }

    /// The session with this id: held by a view, running, or opened now.
    pub fn session(&self, id: &str) -> Result<Arc<Session>, Error> {
        if let Some(session) = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(session.clone());
        }
        let session = self.engine.session_soon(id, SOON)?;
        self.hold(session.clone());
        Ok(session)
    }

    /// Ends what runs: streams are stopped and kept as they are.
    pub async fn close(&self) {
        let comparisons: Vec<_> =
            self.comparisons.lock().unwrap_or_else(PoisonError::into_inner).drain().map(|(_, running)| running).collect();
        comparisons.iter().for_each(Running::stop);
        for running in comparisons {
            let _ = tokio::time::timeout(Duration::from_secs(2), running.ended()).await;
        }
        crate::commands::drill::close(self).await;
        let open: Vec<_> = self.open.lock().unwrap_or_else(PoisonError::into_inner).drain().map(|(_, session)| session).collect();
        for session in open.iter().filter(|session| session.is_live()) {
            session.stop();
        }
        for session in open {
            // The disk may hang; the program must still end.
            let _ = tokio::time::timeout(Duration::from_secs(2), session.ended()).await;
        }
        self.lab.stop(&self.engine).await;
    }
}

/// The Lab while it runs, or why it does not.
#[derive(Default)]
pub struct LabSlot {
    running: tokio::sync::Mutex<Option<Lab>>,
    settings: Mutex<Option<weir_lab::Settings>>,
    problem: Mutex<Option<Problem>>,
}

impl LabSlot {
    /// Starts it on the port of the settings, or another; where that is taken, on any free one, and says so.
    pub async fn start(&self, engine: &Engine, port: Option<u16>) {
        let mut running = self.running.lock().await;
        if running.is_some() {
            return;
        }
        let wanted = port.unwrap_or_else(|| engine.settings().lab_port);
        let settings = self.kept(engine);
        let config = |port| LabConfig { port, settings: settings.clone() };
        let mut problem = None;
        let started = match Lab::start(config(wanted)).await {
            Err(weir_lab::Error::PortInUse { port }) if port != 0 => {
                problem = Some(Error::new(
                    "local",
                    "port-in-use",
                    format!("Port {port} is taken by another program."),
                    "The Lab runs on another port; clients that were pointed at the old one must be told.",
                    format!("127.0.0.1:{port}"),
                    "Close the other program, or choose a port in Settings.",
                ));
                Lab::start(config(0)).await
            }
            other => other,
        };
        match started {
            Ok(lab) => {
                engine.set_lab(Some(lab.url()));
                *running = Some(lab);
            }
            Err(error) => {
                problem = Some(Error::new(
                    "local",
                    "lab",
                    error.to_string(),
                    "The Lab does not run.",
                    format!("{error:?}"),
                    "Choose another port in Settings.",
                ));
            }
        }
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem.map(|e| *e.0);
    }

    /// Stops it.
    pub async fn stop(&self, engine: &Engine) {
        if let Some(lab) = self.running.lock().await.take() {
            engine.set_lab(None);
            lab.stop().await;
        }
    }

    /// Puts settings in force for new connections and keeps them.
    pub async fn set(&self, engine: &Engine, settings: weir_lab::Settings) -> Result<(), Error> {
        if let Some(lab) = &*self.running.lock().await {
            lab.set_settings(settings.clone());
        }
        engine.library().set_setting("lab", &serde_json::to_string(&settings).unwrap_or_default())?;
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings);
        Ok(())
    }

    /// Closes its connections.
    pub async fn close_all(&self) {
        if let Some(lab) = &*self.running.lock().await {
            lab.close_all();
        }
    }

    /// What the view shows.
    pub async fn state(&self, engine: &Engine) -> crate::ipc::LabState {
        let running = self.running.lock().await;
        let lab = running.as_ref();
        let settings = lab.map_or_else(|| self.kept(engine), Lab::settings);
        crate::ipc::LabState {
            running: lab.is_some(),
            address: lab.map(Lab::url).unwrap_or_default(),
            tls_address: lab.map(Lab::tls_url).unwrap_or_default(),
            certificate: lab.map(|lab| lab.ca_pem().to_owned()).unwrap_or_default(),
            port: lab.map_or_else(|| engine.settings().lab_port, |lab| lab.address().port()),
            http2: settings.http2,
            settings,
            endpoints: weir_lab::endpoints().to_vec(),
            connections: lab.map(Lab::connections).unwrap_or(weir_lab::Snapshot { open: 0, since_start: 0, rows: Vec::new() }),
            recipes: weir_lab::catalogue().to_vec(),
            problem: self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn kept(&self, engine: &Engine) -> weir_lab::Settings {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        settings
            .get_or_insert_with(|| engine.library().setting("lab").and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
            .clone()
    }
}
