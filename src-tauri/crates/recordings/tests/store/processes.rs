//! Each test runs this binary again as the other process.

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use weir_recordings::{Finished, Library, NewSession, Query, Record, RecordKind, State};

const PATH: &str = "WEIR_TEST_LIBRARY";

fn record(n: u64) -> Record {
    Record { conn: 0, kind: RecordKind::In, t: n, bytes: format!("{n:08}").into() }
}

fn other_process(test: &str, library: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(PATH, library)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Lines that the other process printed for us.
fn said(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| line.split_once("weir: ").map(|(_, said)| said.to_string()))
}

#[test]
#[ignore = "run by the tests as the process that gets killed"]
#[expect(clippy::print_stdout, reason = "its way to speak to the other process")]
fn records_until_killed() {
    let library = Library::open(std::env::var_os(PATH).unwrap().as_ref()).unwrap();
    let recorder = library.create(NewSession { title: "killed".into(), ..NewSession::default() }).unwrap();
    println!("weir: {}", recorder.id());
    let begun = Instant::now();
    let mut n = 0;
    loop {
        // What was said here was appended 200 ms ago: four times what a kill may cost.
        let until = (begun.elapsed().saturating_sub(Duration::from_millis(200))).as_millis() as u64;
        println!("weir: {until}");
        let now = begun.elapsed().as_millis() as u64;
        let batch: Vec<_> = (n..=now).map(record).collect();
        n = now + 1;
        recorder.append(batch).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_killed_process_loses_next_to_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("library.weir");
    for round in 0..3 {
        let library = Library::open(&path).unwrap();
        let mut child = other_process("processes::records_until_killed", &path);
        let mut said = said(&mut child);
        let id = said.next().unwrap();
        assert_eq!(library.session(&id).unwrap().state, State::Recording);
        assert!(library.recover().unwrap().is_empty(), "it lives");
        let promised = said.map(|line| line.parse::<u64>().unwrap()).find(|&n| n > 300 + 70 * round).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        assert_eq!(library.recover().unwrap(), std::slice::from_ref(&id));
        assert!(library.recover().unwrap().is_empty());
        let row = library.session(&id).unwrap();
        assert_eq!((row.state, row.outcome.as_str()), (State::Done, "cut"));
        drop(library);

        let library = Library::open(&path).unwrap();
        let reader = library.reader(&id).unwrap();
        let mut next = 0;
        reader
            .records(&mut |read| {
                assert_eq!(read, record(next));
                next += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(next > promised, "{next} records are there, {promised} were appended 200 ms before the kill");
        assert_eq!(row.bytes_down, next * 8);
        assert_eq!(reader.read(0, RecordKind::In, (next - 1) * 8, 100).unwrap(), record(next - 1).bytes);
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["library.weir"]);
}

#[test]
#[ignore = "run by the tests as the second process"]
#[expect(clippy::print_stdout, reason = "its way to speak to the other process")]
fn records_beside() {
    let library = Library::open(std::env::var_os(PATH).unwrap().as_ref()).unwrap();
    for _ in 0..20 {
        let recorder = library.create(NewSession { title: "beside".into(), ..NewSession::default() }).unwrap();
        for n in 0..200 {
            recorder.append(vec![record(n); 20]).unwrap();
        }
        recorder.finish(Finished { outcome: "complete".into(), ..Finished::default() }).unwrap();
    }
    library.close().unwrap();
    println!("weir: done");
}

#[test]
fn two_processes_write_and_read_the_same_library() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("library.weir");
    let library = Library::open(&path).unwrap();
    let mut child = other_process("processes::records_beside", &path);
    for _ in 0..20 {
        let recorder = library.create(NewSession { title: "here".into(), ..NewSession::default() }).unwrap();
        for n in 0..200 {
            recorder.append(vec![record(n); 20]).unwrap();
        }
        recorder.finish(Finished { outcome: "complete".into(), ..Finished::default() }).unwrap();
        library.list(&Query { text: "beside".into(), ..Query::default() }).unwrap();
    }
    assert_eq!(said(&mut child).last().as_deref(), Some("done"));
    assert!(child.wait().unwrap().success());
    let page = library.list(&Query::default()).unwrap();
    assert_eq!(page.total, 40);
    assert!(library.recover().unwrap().is_empty());
    for row in page.rows {
        let mut count = 0;
        let reader = library.reader(&row.id).unwrap();
        reader
            .records(&mut |read| {
                assert_eq!(read, record(count / 20));
                count += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(count, 4000);
    }
    library.close().unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
