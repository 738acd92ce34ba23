//! What a process takes: resident memory and CPU time, as the system counts them.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// A look at a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    /// Bytes resident in memory.
    pub(super) bytes: u64,
    /// CPU time since it began, ms; the system counts it in ticks of about 10 ms.
    pub(super) cpu_ms: u64,
}

/// What the processes with these ids take; none where one is gone.
pub(super) fn of(pids: [u32; 2]) -> Option<[Usage; 2]> {
    let pids = pids.map(Pid::from_u32);
    let mut system = System::new();
    let what = ProcessRefreshKind::nothing().with_memory().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, what);
    let of = |pid| system.process(pid).map(|process| Usage { bytes: process.memory(), cpu_ms: process.accumulated_cpu_time() });
    Some([of(pids[0])?, of(pids[1])?])
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn this_process_takes_something_and_one_that_is_not_there_nothing() {
        let own = std::process::id();
        let [usage, parent] = super::of([own, std::os::unix::process::parent_id()]).unwrap();
        assert!(usage.bytes > 100_000 && parent.bytes > 100_000, "{usage:?} {parent:?}");
        assert!(super::of([own, u32::MAX - 1]).is_none());
    }
}
