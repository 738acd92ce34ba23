//! A console that somebody else drives, kept: what `weir-cli listen` and `connect` record.

use std::sync::Arc;

use weir_recordings::{Library, NewSession, Recorder};
use weir_transport::redact::Patterns;
use weir_transport::{Entry, journal::Clock};

use crate::session::Session;
use crate::view::ConsoleDraft;
use crate::{Engine, Error, capture, credentials};

/// A recording under way. It is cut unless it is finished.
pub struct Recording {
    library: Library,
    recorder: Recorder,
    session: Arc<Session>,
}

impl Recording {
    /// Begins one in the engine's library for what `draft` asks.
    ///
    /// # Errors
    /// As [`Engine::console`]; the library's.
    pub fn begin(engine: &Engine, draft: &ConsoleDraft, clock: Clock) -> Result<Self, Error> {
        let plan = super::plan(draft, &engine.settings(), engine.lab().as_deref())?;
        let title = plan.title();
        let title = plan.draft.title.clone().unwrap_or(title);
        let started_at_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        let hides = Patterns::default();
        credentials::of_plan(&plan).iter().for_each(|secret| hides.add(secret.expose()));
        let (kept, read) = credentials::kept(&plan, &hides);
        let recorder = engine.library().create(NewSession {
            title: title.clone(),
            provider: plan.draft.provider.clone(),
            model: String::new(),
            dialect: plan.dialect.clone(),
            transport: plan.draft.transport.name().into(),
            prompt: read.call.url.clone(),
            plan: kept,
            started_at_ms,
        })?;
        let session = Arc::new(Session::new(recorder.id(), &title, plan, started_at_ms, recorder.reader(), clock));
        Ok(Self { library: engine.library().clone(), recorder, session })
    }

    /// Keeps the next entries of the log.
    ///
    /// # Errors
    /// The disk's; what was kept before stays.
    pub fn push(&self, batch: &[Entry]) -> Result<(), Error> {
        self.recorder.append(batch.iter().map(crate::log::record).collect())?;
        let mut analysis = self.session.analysis();
        batch.iter().for_each(|entry| analysis.push(entry, &mut |_| {}));
        Ok(())
    }

    /// The log is over: the library is closed, and its file holds all of it.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(self) -> Result<(), Error> {
        self.session.end(&mut |_| {});
        self.recorder.finish(capture::summary(&self.session))?;
        drop((self.recorder, self.session));
        Ok(self.library.close()?)
    }
}
