//! Drives the real window: the built program on a desktop of its own, through WebKit's WebDriver.
//!
//! The driver is `WebKitWebDriver` itself. `tauri-driver` stands before the same program where a platform needs it;
//! `WEIR_DRIVER` names it, or any other driver that takes `--port`.

mod desktop;
mod page;
mod process;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

pub use desktop::{Desktop, Keychain};
pub use page::key;
pub use process::{Running, descendants, name, resident};

/// What went wrong while driving the window.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The window, open, with a page that has been loaded.
pub struct Window {
    client: Client,
    // Before the desktop: the program must not outlive its display.
    driver: Running,
    desktop: Desktop,
}

impl Window {
    /// Opens Weir on `desktop` and waits until its page is there.
    ///
    /// # Errors
    /// The program or the driver is missing or did not start.
    pub async fn open(desktop: Desktop) -> Result<Self, Failure> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let own = std::env::var("WEIR_DRIVER").ok();
        let tauri = own.as_deref().is_some_and(|path| path.contains("tauri-driver"));
        let mut command = desktop.command(own.as_deref().unwrap_or("WebKitWebDriver"));
        command.arg(format!("--port={port}"));
        if !tauri {
            command.arg("--host=127.0.0.1");
        }
        // tauri-runtime-wry lets itself be automated only where this says so.
        command.env("TAURI_WEBVIEW_AUTOMATION", "true").env("TAURI_AUTOMATION", "true");
        let log = std::fs::File::create(desktop.home().join("weir.log"))?;
        command.stdout(log.try_clone()?).stderr(Stdio::from(log));
        let mut driver = Running::new(desktop::spawn(&mut command, "webkit2gtk-driver")?);
        desktop::until("the driver listens", &mut driver, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;

        let program = program()?;
        let capabilities = if tauri {
            json!({ "browserName": "wry", "tauri:options": { "application": program } })
        } else {
            json!({ "browserName": "wry", "webkitgtk:browserOptions": { "binary": program, "args": [] } })
        };
        let serde_json::Value::Object(capabilities) = capabilities else {
            return Err("capabilities are an object".into());
        };
        let connect = async {
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await
        };
        let client = match tokio::time::timeout(Duration::from_secs(60), connect).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => {
                return Err(format!("The window did not open: {error}\n{}", log_of(&desktop)).into());
            }
            Err(_) => {
                return Err(format!("The window did not open within 60 s.\n{}", log_of(&desktop)).into());
            }
        };
        let window = Self { client, driver, desktop };
        window
            .until(
                "the page stands",
                "return document.querySelector('[data-testid=nav-playground]') !== null && document.fonts.status === 'loaded'",
            )
            .await?;
        Ok(window)
    }

    /// The desktop it is on.
    pub fn desktop(&self) -> &Desktop {
        &self.desktop
    }

    /// The WebDriver session.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the program wrote to its standard output and error, and the driver's.
    pub fn log(&self) -> String {
        log_of(&self.desktop)
    }

    /// Process ids of the program (`weir`) and what it started, by program name.
    pub fn processes(&self) -> Vec<(String, u32)> {
        descendants(self.driver.pid()).into_iter().map(|pid| (name(pid), pid)).collect()
    }

    /// Resident bytes of the page's process.
    pub fn page_memory(&self) -> u64 {
        self.processes().iter().filter(|(name, _)| name.starts_with("WebKitWebProc")).map(|&(_, pid)| resident(pid)).sum()
    }

    /// Closes the window as the user would, and gives the desktop back.
    ///
    /// # Errors
    /// The driver's.
    pub async fn close(self) -> Result<Desktop, Failure> {
        let Self { client, driver, desktop } = self;
        client.close().await?;
        drop(driver);
        Ok(desktop)
    }

    /// Kills the program as a crash would, and gives the desktop back.
    pub fn kill(self) -> Desktop {
        let Self { driver, desktop, .. } = self;
        drop(driver);
        desktop
    }
}

fn log_of(desktop: &Desktop) -> String {
    std::fs::read_to_string(desktop.home().join("weir.log")).unwrap_or_default()
}

/// The program: `WEIR_BIN`, or `weir` beside this program (cargo puts tests into a folder below).
///
/// # Errors
/// There is none.
pub fn program() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os("WEIR_BIN") {
        return Ok(path.into());
    }
    let here = std::env::current_exe()?;
    let beside = here.ancestors().skip(1).take(2).map(|folder| folder.join("weir")).find(|path| path.is_file());
    beside.ok_or_else(|| "The program is not built: run `make test`, or `cargo build -p weir` first.".into())
}

/// `out/` of the checkout, made if need be, with `below` in it.
///
/// # Errors
/// The disk's.
pub fn out(below: &str) -> std::io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../out").join(below);
    std::fs::create_dir_all(&folder)?;
    folder.canonicalize()
}
