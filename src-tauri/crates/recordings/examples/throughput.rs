//! What recording costs: `cargo run --release -p weir-recordings --example throughput [FOLDER]`.
//!
//! Prints wall time and, on Linux, the CPU time of the writer and checkpoint threads.
#![allow(clippy::print_stdout, missing_docs)]

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use weir_recordings::{Error, Finished, Library, NewSession, Record, RecordKind};

const MIB: f64 = 1024.0 * 1024.0;

/// CPU milliseconds of the thread of this process with that name.
fn cpu(name: &str) -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return f64::NAN;
    };
    for task in tasks.flatten() {
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if read("comm").trim() == name {
            return read("schedstat").split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e6;
        }
    }
    f64::NAN
}

fn run(folder: &std::path::Path, what: &str, total: usize, size: usize, batch: usize) -> Result<(), Error> {
    let path: PathBuf = folder.join("throughput.weir");
    let library = Library::open(&path)?;
    let recorder = library.create(NewSession::default())?;
    let bytes = Bytes::from(vec![b'x'; size]);
    let count = total / size;
    let begun = Instant::now();
    let (mut t, mut n) = (0, 0);
    while n < count {
        let some: Vec<_> = (0..batch.min(count - n))
            .map(|_| {
                t += 3_000;
                Record { conn: 0, kind: RecordKind::In, t, bytes: bytes.clone() }
            })
            .collect();
        n += some.len();
        recorder.append(some)?;
    }
    recorder.flush()?;
    let wall = begun.elapsed();
    let writer = cpu("weir-writer");
    recorder.finish(Finished::default())?;
    std::thread::sleep(Duration::from_millis(1500));
    let checkpoint = cpu("weir-checkpoint");

    let begun = Instant::now();
    let mut read = 0;
    recorder.reader().records(&mut |record| {
        read += record.bytes.len();
        ControlFlow::Continue(())
    })?;
    let reopen = begun.elapsed();
    let begun = Instant::now();
    let reader = recorder.reader();
    for n in 0..1000u64 {
        reader.read(0, RecordKind::In, n * 7_919_777 % (read as u64 - 4096), 4096)?;
    }
    let range = begun.elapsed() / 1000;
    drop((recorder, reader));
    library.close()?;
    let file = path.metadata().map_or(0, |file| file.len());
    println!(
        "{what}: {:.0} MiB committed in {:.0} ms, writer {writer:.0} ms CPU, checkpoints {checkpoint:.0} ms CPU; \
         file {:.3}x; read all {:.0} ms, a 4 KiB range {:.1} us",
        read as f64 / MIB,
        wall.as_secs_f64() * 1e3,
        file as f64 / read as f64,
        reopen.as_secs_f64() * 1e3,
        range.as_secs_f64() * 1e6,
    );
    let _ = std::fs::remove_file(path);
    Ok(())
}

fn main() -> Result<(), Error> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    run(&folder, "64 KiB records", 100 << 20, 64 << 10, 1)?;
    run(&folder, "16 KiB records", 100 << 20, 16 << 10, 4)?;
    run(&folder, "300,000 x 330 B", 300_000 * 330, 330, 50)?;
    run(&folder, "1,000,000 x 40 B", 1_000_000 * 40, 40, 50)?;
    run(&folder, "1 GiB of 64 KiB records", 1 << 30, 64 << 10, 1)
}
