//! `make run` where there is no display: the same program in the same window, under Xvfb, driven through one session
//! and one comparison.
//!
//! It leaves pictures of the window and the session, exported through the page. Options choose another server than the Lab:
//! `--provider ID --base-url URL --model M --prompt P --temperature T --picture FILE`, and any number of `--route DIALECT/TRANSPORT`,
//! each sent and pictured in turn.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod drive;

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match drive::session(&drive::Wish::from_arguments(std::env::args().skip(1))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("Only WebKitGTK's driver runs without a display; open the window instead.");
    ExitCode::FAILURE
}
