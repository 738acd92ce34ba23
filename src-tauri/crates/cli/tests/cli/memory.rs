//! `drill --memory`: two processes of its own, and none left behind.

use std::time::{Duration, Instant};

use weir_sessions::drill::{self, DrillKind};

use crate::program::Home;

#[test]
fn it_tells_what_a_connection_of_each_kind_costs_both_ends() {
    let home = Home::new();
    let csv = home.path("memory.csv");
    let arguments = ["drill", "--memory", "--series", "1,5,20", "--rounds", "1", "--window", "0.2", "--json", "--report", &csv];
    let ran = home.run(&arguments);
    let rows = ran.lines();
    assert_eq!((ran.code, rows.len()), (0, 12), "{}", ran.err);
    for row in &rows {
        let points = row["points"].as_array().unwrap();
        let connections: Vec<_> = points.iter().map(|point| point["connections"].as_u64().unwrap()).collect();
        assert_eq!(connections, [0, 1, 5, 20], "{row}");
        assert!(points.iter().all(|point| point["lab_bytes"].as_u64().unwrap() > 1 << 20), "{row}");
        let sockets = points[3]["sockets"].as_u64().unwrap();
        assert_eq!(sockets, if row["kind"] == "sse-h2" { 1 } else { 20 }, "{row}");
        // The process itself is told apart from what connections add.
        assert!(row["client"]["bytes"]["intercept"]["value"].as_f64().unwrap() > 1e6, "{row}");
        assert!(row["lab"]["bytes"]["slope"]["interval"].is_object(), "{row}");
    }
    assert_eq!(std::fs::read_to_string(csv).unwrap().lines().count(), 1 + 12 * 4);
    // It is kept, for the window to open; nothing of it is a session.
    let engine = weir_sessions::Engine::open(std::path::Path::new(&home.path("home"))).unwrap();
    let [kept] = &drill::list(&engine, DrillKind::Memory, &[]).unwrap()[..] else { panic!("one drill") };
    assert_eq!((kept.title.as_str(), kept.found.as_str()), ("1, 5, 20 connections", "48 of 48 measurements"));
    assert_eq!(drill::open_memory(&engine, &kept.id).unwrap().rows.len(), 12);
    drop(engine);
    assert_eq!(home.run(&["drill", "--memory", "--series", "5,1"]).code, 2);
    assert_eq!(home.run(&["drill", "--memory", "--kind", "smoke"]).code, 2);
}

/// Processes whose parent is `parent`.
#[cfg(target_os = "linux")]
fn children(parent: u32) -> Vec<u32> {
    let numbers = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name stands in parentheses and may hold anything.
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.split_whitespace().nth(1) == Some(&parent.to_string()))
    };
    numbers.filter(is_child).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn however_it_goes_its_processes_go_too() {
    use std::process::Command;
    for signal in ["-INT", "-KILL"] {
        let home = Home::new();
        let mut command = home.command(&["drill", "--memory", "--kind", "sse", "--series", "1,10", "--window", "30"]);
        let mut program = command.spawn().unwrap();
        let since = Instant::now();
        let born = loop {
            let born = children(program.id());
            if born.len() >= 2 {
                break born;
            }
            assert!(since.elapsed() < Duration::from_secs(60), "{signal}: no processes");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(Command::new("kill").args([signal, &program.id().to_string()]).status().unwrap().success());
        program.wait().unwrap();
        // Whatever was there when the signal came is gone soon; a process that is gone has no such file, or is a zombie nobody waits for.
        let alive = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        while born.iter().any(alive) {
            assert!(since.elapsed() < Duration::from_secs(90), "{signal}: {born:?} are left");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_open_files_is_told_before_anything_starts() {
    let home = Home::new();
    let program = env!("CARGO_BIN_EXE_weir-cli");
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", &format!("ulimit -n 200; exec {program} drill --memory --kind sse --series 1,10,1000")]);
    limited.env("WEIR_HOME", home.path("home"));
    let ran = limited.output().unwrap();
    let err = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(1), "{err}");
    assert!(err.contains("200 files open; 1064 are needed") && err.contains("Use the series 1,10"), "{err}");
}
