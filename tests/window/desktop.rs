//! A desktop of its own for one run of the window: display, session bus, keychain, home. Nothing of the user's is touched.

use std::fs::{self, DirBuilder};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Failure;
use super::process::Running;

/// The keychain that the window finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keychain {
    /// A Secret Service whose login keyring is open.
    Unlocked,
    /// One that was used before and is locked now, with nothing that could ask for its password.
    Locked,
    /// A session bus without a Secret Service.
    Missing,
}

/// The desktop. Its processes end and its folders go when it is dropped.
pub struct Desktop {
    display: String,
    // Dropped in this order: the keychain before its bus.
    _keyring: Option<Running>,
    _bus: Running,
    _screen: Option<Running>,
    home: tempfile::TempDir,
    direct: bool,
}

impl Desktop {
    /// Starts one. The window opens on an Xvfb screen of 1440×900 pixels, or on the user's own display where `WEIR_SHOW` is set.
    ///
    /// # Errors
    /// A program is missing or did not start; the message says which and what to install.
    pub fn start(keychain: Keychain) -> Result<Self, Failure> {
        let home = tempfile::Builder::new().prefix("weir-").tempdir()?;
        DirBuilder::new().mode(0o700).create(home.path().join("run"))?;
        fs::create_dir_all(home.path().join("weir"))?;
        let (screen, display) = match std::env::var("DISPLAY") {
            Ok(display) if std::env::var_os("WEIR_SHOW").is_some() => (None, display),
            _ => start_screen().map(|(screen, display)| (Some(screen), display))?,
        };
        let bus = start_bus(home.path())?;
        let mut desktop = Self { display, _keyring: None, _bus: bus, _screen: screen, home, direct: false };
        desktop._keyring = match keychain {
            Keychain::Missing => None,
            Keychain::Unlocked => Some(desktop.start_keyring(true)?),
            Keychain::Locked => {
                // The first start sets the login keyring up, the second finds it closed.
                drop(desktop.start_keyring(true)?);
                Some(desktop.start_keyring(false)?)
            }
        };
        Ok(desktop)
    }

    /// The page is drawn straight to the window, as Weir has it for its users where there is no graphics card. Driven by WebDriver it is
    /// not so by itself: a picture of a page that stands still would never come.
    pub fn drawn_direct(mut self) -> Self {
        self.direct = true;
        self
    }

    /// The folder that is `HOME`.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The folder that is `WEIR_HOME`.
    pub fn weir_home(&self) -> PathBuf {
        self.home().join("weir")
    }

    /// A command that runs on this desktop.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            // The user's own desktop, folders and proxy must not show through.
            if name.starts_with("XDG_")
                || name.starts_with("DBUS_")
                || name.starts_with("WAYLAND")
                || name.to_lowercase().ends_with("_proxy")
            {
                command.env_remove(name);
            }
        }
        if self.direct {
            command.env("WEBKIT_DISABLE_COMPOSITING_MODE", "1");
        }
        command
            .env("DISPLAY", &self.display)
            .env("HOME", self.home())
            .env("XDG_RUNTIME_DIR", self.home().join("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.home().join("bus").display()))
            .env("WEIR_HOME", self.weir_home())
            // No accessibility bus is on this desktop; GTK would wait for it.
            .env("NO_AT_BRIDGE", "1")
            .env("GDK_BACKEND", "x11")
            .stdin(Stdio::null());
        command
    }

    fn start_keyring(&self, unlock: bool) -> Result<Running, Failure> {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if unlock {
            command.arg("--unlock");
        }
        let mut child = spawn(&mut command, "gnome-keyring")?;
        let mut input = child.stdin.take();
        if unlock && let Some(input) = &mut input {
            input.write_all(b"a password for tests")?;
        }
        drop(input);
        let mut keyring = Running::new(child);
        let kept = self.home().join(".local/share/keyrings/login.keyring");
        let owned = || {
            let asked = self
                .command("dbus-send")
                .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
                .args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"])
                .output();
            asked.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("boolean true"))
        };
        until("the keychain answers", &mut keyring, || owned() && (kept.exists() || !unlock))?;
        Ok(keyring)
    }
}

fn start_screen() -> Result<(Running, String), Failure> {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = spawn(&mut command, "xvfb")?;
    let output = child.stdout.take();
    let screen = Running::new(child);
    let mut line = String::new();
    if let Some(output) = output {
        BufReader::new(output).read_line(&mut line)?;
    }
    match line.trim() {
        "" => Err("Xvfb ended before it had a display.".into()),
        number => Ok((screen, format!(":{number}"))),
    }
}

/// A session bus that starts no services by itself, so that no prompt can appear.
fn start_bus(folder: &Path) -> Result<Running, Failure> {
    let (config, address) = (folder.join("bus.conf"), folder.join("bus"));
    let policy =
        r#"<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>"#;
    let text =
        format!("<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>{policy}</busconfig>", address.display());
    fs::write(&config, text)?;
    let mut command = Command::new("dbus-daemon");
    command
        .arg("--nofork")
        .arg(format!("--config-file={}", config.display()))
        .stdin(Stdio::null())
        // It complains where it may not raise its limit of open files, and works.
        .stderr(Stdio::null());
    let mut bus = Running::new(spawn(&mut command, "dbus")?);
    until("the session bus listens", &mut bus, || address.exists())?;
    Ok(bus)
}

/// Starts a program that comes with a package of Debian's.
pub(super) fn spawn(command: &mut Command, package: &str) -> Result<Child, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .spawn()
        .map_err(|error| format!("{program} could not be started: {error}. Install the package {package}; `.ci/setup` does.").into())
}

/// Waits until `holds`, while `process` lives.
pub(super) fn until(what: &str, process: &mut Running, mut holds: impl FnMut() -> bool) -> Result<(), Failure> {
    let begun = Instant::now();
    while !holds() {
        if process.ended() {
            return Err(format!("A process ended before {what}.").into());
        }
        if begun.elapsed() > Duration::from_secs(20) {
            return Err(format!("Waited 20 s until {what}.").into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
