//! `weir-cli`: the engine without a window. Its flags, its JSON and its exit codes are a public surface that scripts stand on:
//! it is changed by adding only.
//!
//! Standard output holds what was asked for and nothing else; notes, prompts and errors go to standard error.

mod compare;
mod connect;
mod dial;
mod dissect;
mod drill;
mod home;
mod keys;
mod lab;
mod listen;
mod out;
mod send;
mod sessions;
mod stop;
mod summary;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Streams model APIs, keeps every byte that crossed the socket, and tells what the bytes are.
///
/// Exit codes: 0 the stream completed, 1 it ended otherwise, 2 wrong usage, 3 no connection (DNS, TCP, TLS).
/// WEIR_HOME moves the library, the keys' list and the settings to another folder.
#[derive(Parser)]
#[command(name = "weir-cli", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Send(send::Args),
    Compare(compare::Args),
    Dissect(dissect::Args),
    Drill(drill::Args),
    /// The Lab's end of a memory drill.
    #[command(hide = true)]
    DrillLab,
    /// The client's end of a memory drill.
    #[command(hide = true)]
    DrillClient,
    Listen(listen::Args),
    Connect(connect::Args),
    Lab(lab::Args),
    Sessions(sessions::Args),
    Keys(keys::Args),
}

fn main() -> ExitCode {
    // Wrong usage ends here, with clap's exit code 2.
    let exit = match Cli::parse().command {
        Command::Send(args) => send::run(args),
        Command::Compare(args) => compare::run(&args),
        Command::Dissect(args) => dissect::run(args),
        Command::Drill(args) => drill::run(&args),
        Command::DrillLab => return drill::child(true),
        Command::DrillClient => return drill::child(false),
        Command::Listen(args) => listen::run(&args),
        Command::Connect(args) => connect::run(&args),
        Command::Lab(args) => lab::run(&args),
        Command::Sessions(args) => sessions::run(args),
        Command::Keys(args) => keys::run(args),
    };
    exit.code()
}
