//! `make bench`: what Weir's whole pipeline costs beside clients that do less, in one run on loopback.
//!
//! Every taker takes the same bytes from the same server; runs are interleaved and medians compared. With a word as argument
//! only the parts whose name contains it run.
#![allow(clippy::print_stdout)]

mod delay;
mod dissect;
mod filter;
mod memory;
mod overhead;
mod rate;
mod reopen;
#[cfg(target_os = "linux")]
mod smooth;
mod table;
mod takers;
mod timing;
#[cfg(target_os = "linux")]
mod window;

use std::path::PathBuf;

/// Why a part could not run.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let ["hold", url] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return memory::hold(url);
    }
    // reqwest is built without a TLS provider of its own; loopback needs none, but its client asks.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let only = arguments.first().map_or("", String::as_str);
    let mut table = table::Table::default();
    for (name, part) in PARTS {
        if name.contains(only) {
            part(&mut table)?;
        }
    }
    table.print();
    Ok(())
}

/// Measures something and adds it to the table.
type Part = fn(&mut table::Table) -> Result<(), Failure>;

const PARTS: &[(&str, Part)] = &[
    ("events", rate::events),
    ("messages", rate::messages),
    ("dissect", dissect::measure),
    ("memory", memory::measure),
    ("filter", filter::measure),
    ("delay", delay::measure),
    #[cfg(target_os = "linux")]
    ("window-million", window::measure_million),
    #[cfg(target_os = "linux")]
    ("window-flood", window::measure_flood),
    #[cfg(target_os = "linux")]
    ("smooth", smooth::measure),
    ("timing", timing::measure),
    ("timing-curl", overhead::measure),
    ("reopen", reopen::measure),
];

/// Where recordings and downloads go: one disk for all.
fn folder() -> Result<PathBuf, Failure> {
    let folder = std::env::current_exe()?.parent().map_or_else(std::env::temp_dir, |parent| parent.join("weir-bench.tmp"));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
