//! Processes that end with the value that stands for them, also when a test panics.

use std::fs;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

/// A process that is killed, with all it started, when this is dropped.
pub struct Running(Child);

impl Running {
    /// Takes care of a process.
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// It has ended by itself.
    pub fn ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Children first become orphans otherwise, and orphans cannot be found by their parent.
        let below = descendants(self.0.id());
        let _ = self.0.kill();
        let _ = self.0.wait();
        for pid in below {
            if let Some(pid) = Pid::from_raw(pid as i32) {
                // One that has ended meanwhile is no error.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Every process that `pid` started, directly or not, as far as the links to their parents stand.
pub fn descendants(pid: u32) -> Vec<u32> {
    let pairs: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // "PID (name) state PPID …"; a name may hold anything, so what follows the last bracket is read.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut found = vec![pid];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(pairs.iter().filter(|pair| pair.1 == parent).map(|pair| pair.0));
        at += 1;
    }
    found.split_off(1)
}

/// Resident memory of a process in bytes; 0 once it has ended (proc(5), `VmRSS`).
pub fn resident(pid: u32) -> u64 {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

/// The program a process runs, as proc(5) shortens it to 15 characters; "" once it has ended.
pub fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}
