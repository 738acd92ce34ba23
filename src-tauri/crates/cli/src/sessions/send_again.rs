//! A kept session's request once more.

use clap::ArgAction;
use weir_sessions::view::{Draft, HeaderLine};
use weir_sessions::{Engine, Error};

use crate::out::Exit;
use crate::send::{self, Manner, Output};

/// Send a session's request again, and keep the new reply beside the old one. Keys are never kept: one that was typed into the request is to be given anew, by --key or --header.
#[derive(clap::Args)]
pub struct Args {
    /// Session.
    id: String,
    /// Where the key comes from; the keychain for a provider that has one there, else none.
    #[arg(long, value_name = "keychain|env:NAME|none")]
    key: Option<String>,
    /// A field in place of the one with its name, again and again; {key} in it stands for the key.
    #[arg(long = "header", value_name = "K: V", action = ArgAction::Append)]
    headers: Vec<String>,
    /// Seconds that all of it may take.
    #[arg(long, value_name = "S", value_parser = send::seconds)]
    timeout: Option<f64>,
    /// Print every delta as a line of JSON, the summary last.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print the summary alone, without text and reasoning.
    #[arg(long)]
    quiet: bool,
}

/// Sends again, as `send` did.
pub fn run(engine: &Engine, args: &Args) -> Exit {
    let output = Output::of(args.json, args.quiet);
    send::told(again(engine, args, output), output)
}

fn again(engine: &Engine, args: &Args, output: Output) -> Result<Exit, Error> {
    let key = send::key_source(args.key.as_deref())?;
    let mut draft = draft(engine, &args.id)?;
    let own = args.headers.iter().map(|text| send::header(text)).collect::<Result<Vec<_>, _>>()?;
    let replaced = |line: &HeaderLine| own.iter().any(|own| own.name.eq_ignore_ascii_case(&line.name));
    draft.headers.retain(|line| !replaced(line));
    draft.headers.extend(own);
    send::play(engine, &draft, Manner { key, output, timeout: args.timeout }, &|| {})
}

/// What the session asked. One question is one run here, whatever the socket was kept open for.
fn draft(engine: &Engine, id: &str) -> Result<Draft, Error> {
    let session = engine.session(id)?;
    let plan = session.kept();
    if plan.console.is_some() {
        let command = if plan.draft.transport == weir_dialects::Transport::Websocket { "connect" } else { "listen" };
        return Err(Error::new(
            "user",
            "replay-console",
            "This session is a console's: what was said there went back and forth, and is no single request.",
            "Nothing was sent.",
            "",
            &format!("Open it anew: weir-cli {command} {}", plan.call.url),
        ));
    }
    Ok(Draft { keep_open: false, ..plan.draft.clone() })
}
