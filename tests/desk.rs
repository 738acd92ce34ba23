//! An engine in a folder of its own, and drafts to send through it.

use std::path::Path;
use std::sync::Arc;

use weir_dialects::{Ask, Message, Role, Transport};
use weir_sessions::view::Draft;
use weir_sessions::{Engine, KeyChoice, Session};

/// An engine whose home is removed with it.
pub struct Desk {
    engine: Engine,
    home: tempfile::TempDir,
}

impl Desk {
    /// An empty one in the system's folder for temporary files.
    ///
    /// # Panics
    /// The disk failed.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self::at(&std::env::temp_dir())
    }

    /// An empty one below `folder`.
    ///
    /// # Panics
    /// The disk failed.
    pub fn at(folder: &Path) -> Self {
        let home = tempfile::tempdir_in(folder).expect("a folder can be made");
        Self { engine: Engine::open(home.path()).expect("an engine starts in an empty folder"), home }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Its folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Sends without a key and waits for the end.
    ///
    /// # Panics
    /// The engine refused to send.
    pub async fn run(&self, draft: &Draft) -> Arc<Session> {
        let session = self.engine.send(draft, KeyChoice::None, None).expect("the draft is sent");
        session.ended().await;
        session
    }
}

/// A draft that asks `url` in `dialect` over `transport`.
pub fn draft(url: &str, dialect: &str, transport: Transport) -> Draft {
    Draft {
        provider: String::new(),
        dialect: dialect.into(),
        transport,
        http: "auto".into(),
        base_url: None,
        url: Some(url.into()),
        ask: Ask { model: "lab/steady".into(), messages: vec![Message::new(Role::User, "Explain yourself.")], ..Ask::default() },
        headers: Vec::new(),
        insecure: false,
        title: None,
        keep_open: false,
        deflate: false,
        reused: false,
    }
}
