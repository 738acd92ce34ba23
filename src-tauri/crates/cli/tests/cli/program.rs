//! Runs the program.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a run left.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output as JSON lines.
    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    /// The summary: the last line.
    pub fn summary(&self) -> Value {
        let last = self.lines().pop().unwrap_or_else(|| panic!("no output; {}", self.err));
        assert_eq!(last["type"], "summary", "{}", self.err);
        last
    }

    /// Text of the deltas of a kind, joined.
    pub fn told(&self, kind: &str) -> String {
        self.lines()
            .iter()
            .filter(|line| line["type"] == "delta" && line["kind"] == kind)
            .filter_map(|line| line["text"].as_str().map(str::to_owned))
            .collect()
    }
}

/// The program in a home of its own.
pub struct Home(pub TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir-cli"));
        command.args(args).env("WEIR_HOME", self.0.path().join("home")).env("NO_PROXY", "*");
        // No test may reach the keychain of whoever runs it.
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent").env_remove("XDG_RUNTIME_DIR");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args).spawn().unwrap())
    }

    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A program that ends early leaves its input unread.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let ran = finish(child);
        writer.join().unwrap();
        ran
    }

    /// Every file below the home, by content.
    pub fn files(&self) -> Vec<Vec<u8>> {
        fn walk(folder: &Path, found: &mut Vec<Vec<u8>>) {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path(), found)
                } else {
                    found.push(std::fs::read(entry.path()).unwrap())
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), &mut found);
        found
    }
}

pub fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// `weir-cli lab` on a free port, stopped when dropped.
pub struct Lab {
    child: Child,
    pub url: String,
}

impl Lab {
    pub fn start(home: &Home, args: &[&str]) -> Self {
        let mut child = home.command(&[&["lab", "--port", "0", "--rate", "0", "--ttft-ms", "5"], args].concat()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).trim().to_owned();
        Self { child, url }
    }

    pub fn base(&self) -> String {
        format!("{}/v1", self.url)
    }

    /// Asks it to stop as a supervisor does; tells its exit code.
    pub fn stop(mut self) -> Option<i32> {
        signal(self.child.id(), "TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap().success());
}

/// Reads lines until one holds `text`.
pub fn read_until(out: &mut impl Read, text: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while out.read(&mut byte).unwrap() == 1 {
        read.push(byte[0]);
        if read.ends_with(b"\n") && String::from_utf8_lossy(&read).contains(text) {
            break;
        }
    }
    String::from_utf8(read).unwrap()
}
