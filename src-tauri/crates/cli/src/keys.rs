//! `weir-cli keys`: the keys in the system's keychain. A key comes in by standard input only, and never goes out.

use std::io::{self, BufRead, IsTerminal, Read};

use clap::Subcommand;
use serde_json::json;
use weir_secrets::{KeptIn, KeyInfo, Keys, Secret, StoreState, Verdict};
use weir_sessions::{Engine, Error, home, models};

use crate::out::{self, Exit};

/// Keep API keys in the system's keychain.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the keys: whose they are and their last four characters.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Store the key that is read from standard input, in place of the one the provider had.
    Set {
        /// Provider.
        provider: String,
    },
    /// Ask the provider for its models with the stored key, and keep the result.
    Test {
        /// Provider.
        provider: String,
        /// The result as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Delete a provider's key.
    Delete {
        /// Provider.
        provider: String,
    },
}

/// A key is at most this long; what is longer was piped in by mistake.
const LONGEST: u64 = 64 << 10;

/// Does what was asked.
pub fn run(args: Args) -> Exit {
    let done = match args.command {
        Command::Test { provider, json } => test(&provider, json),
        Command::List { json } => list(&keys(), json),
        Command::Set { provider } => set(&keys(), &provider),
        Command::Delete { provider } => keys().delete(&provider).map(|()| Exit::Done).map_err(Error::from),
    };
    done.unwrap_or_else(|error| out::refuse(&error))
}

fn keys() -> Keys {
    let keys = Keys::open(&home::folder());
    for warning in keys.warnings() {
        out::problem(&Error::from(warning).0);
    }
    keys
}

fn list(keys: &Keys, as_json: bool) -> Result<Exit, Error> {
    let all = keys.list();
    if as_json {
        for key in &all {
            if let Err(error) = out::json(&object(key)) {
                return Ok(out::unwritten(&error));
            }
        }
        return Ok(Exit::Done);
    }
    let lines: String = all.iter().map(line).collect();
    if let Err(error) = out::text(&lines) {
        return Ok(out::unwritten(&error));
    }
    out::note(&match keys.state() {
        StoreState::Available { name } => {
            format!("{} in {name}", if all.len() == 1 { "1 key".into() } else { format!("{} keys", all.len()) })
        }
        StoreState::Locked => "The keychain is locked.".into(),
        StoreState::Missing { evidence } => format!("There is no keychain: {evidence}"),
    });
    Ok(Exit::Done)
}

fn object(key: &KeyInfo) -> serde_json::Value {
    let tested = key.tested.as_ref().map(
        |test| json!({"verdict": test.verdict, "status": test.status, "took_ms": test.took_ms, "detail": test.detail, "at_ms": test.at}),
    );
    json!({
        "type": "key", "provider": key.provider, "kind": key.kind, "kept_in": key.kept_in, "ends_in": key.ends_in,
        "added_at_ms": key.added_at, "used_at_ms": key.used_at, "tested": tested,
    })
}

fn line(key: &KeyInfo) -> String {
    let ends = if key.ends_in.is_empty() { "…".into() } else { format!("…{}", key.ends_in) };
    let tested = key.tested.as_ref().map_or("not tested".to_owned(), |test| format!("{}: {}", word(test.verdict), test.detail));
    format!("{}\n", out::printable(&format!("{:<16}  {ends:<8}  {tested}", key.provider).replace('\n', " ")))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Unclear => "unclear",
        Verdict::Failed => "failed",
    }
}

fn set(keys: &Keys, provider: &str) -> Result<Exit, Error> {
    let secret = read()?;
    let info = keys.set(provider, secret, KeptIn::Keychain)?;
    out::note(&format!(
        "The key for {} is in the keychain{}.",
        info.provider,
        if info.ends_in.is_empty() { String::new() } else { format!("; it ends in {}", info.ends_in) }
    ));
    Ok(Exit::Done)
}

/// The first line of standard input; from a terminal without showing it.
fn read() -> Result<Secret, Error> {
    let unread = |error: io::Error| {
        Error::new(
            "local",
            "stdin",
            "The key cannot be read from standard input.",
            "Nothing was stored.",
            error.to_string(),
            "Pipe it in, or type it at a terminal.",
        )
    };
    if io::stdin().is_terminal() {
        return rpassword::prompt_password("Key: ").map(|key| Secret::new(&key)).map_err(unread);
    }
    let mut line = String::new();
    io::stdin().lock().take(LONGEST).read_line(&mut line).map_err(unread)?;
    Ok(Secret::new(&line))
}

fn test(provider: &str, as_json: bool) -> Result<Exit, Error> {
    let engine = Engine::open(&home::folder())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Error::new(
            "local",
            "runtime",
            "The system gives no threads to run on.",
            "Nothing was sent.",
            error.to_string(),
            "Close other programs, then try again.",
        )
    })?;
    let result = runtime.block_on(models::test_key(&engine, provider));
    let written = if as_json {
        out::json(
            &json!({"type": "test", "provider": provider, "verdict": result.verdict, "status": result.status, "took_ms": result.took_ms, "detail": result.detail, "at_ms": result.at}),
        )
    } else {
        let status = result.status.map(|status| format!(" ({status})")).unwrap_or_default();
        out::text(&format!("{}{status}: {}\n", word(result.verdict), out::printable(&result.detail)))
    };
    if let Err(error) = written {
        return Ok(out::unwritten(&error));
    }
    Ok(if result.verdict == Verdict::Passed { Exit::Done } else { Exit::Failed })
}
