//! `weir-cli connect`: a WebSocket without any API on top. What is typed goes out, every frame of either direction is printed as the
//! wire had it.

mod input;
mod printer;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::ArgAction;
use tokio::sync::mpsc;
use weir_frames::ws::deflate::Offer;
use weir_sessions::console::Recording;
use weir_sessions::view::{ConsoleDraft, ConsoleMode};
use weir_sessions::{Error, credentials};
use weir_transport::ws::{self, Message, Sender, WebSocket};
use weir_transport::{Control, Journal, journal};

use crate::dial::{self, Dial};
use crate::out::{self, Exit};
use crate::stop::Stop;
use input::Line;
use printer::Printer;

/// Open a WebSocket: lines of standard input are sent as text, every frame of either direction is printed as a line of JSON.
///
/// /ping X sends a ping, /binary HEX a binary message, /close CODE REASON closes. End of input leaves the socket open until the server
/// closes it.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    dial: Dial,
    /// Offer a subprotocol, again and again, the preferred one first; {key} in it stands for the key.
    #[arg(long = "subprotocol", value_name = "P", action = ArgAction::Append)]
    subprotocols: Vec<String>,
    /// Offer permessage-deflate, with these parameters if any are given.
    #[arg(long, value_name = "permessage-deflate; …", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    deflate: Option<String>,
    /// Send every message back, as conformance suites want it.
    #[arg(long)]
    echo: bool,
    /// Close with 1000 at the end of input.
    #[arg(long)]
    close_on_eof: bool,
    /// Print nothing.
    #[arg(long)]
    quiet: bool,
}

/// Bytes of the log that may wait for standard output before the socket is read no further.
const IN_FLIGHT: usize = 1 << 20;

/// Messages that may wait to be echoed before no more is read.
const ECHOES: usize = 64;

/// How long a close may take that nobody else sets a limit to.
const FAREWELL: Duration = Duration::from_secs(2);

/// Connects and talks until the socket is closed.
pub fn run(args: &Args) -> Exit {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::note(&format!("weir-cli: The system gives no threads to run on.\n  | {error}"));
            return Exit::Failed;
        }
    };
    let (journal, reader) = journal::channel(IN_FLIGHT);
    let recording = match args.recording(&journal) {
        Ok(recording) => recording,
        Err(error) => return out::refuse(&error),
    };
    let printer = Printer::start(reader, args.quiet, recording);
    let exit = runtime.block_on(async {
        let plan = Plan::new(args)?;
        talk(args, &plan, journal, &printer).await
    });
    // Whoever still waits for standard input is not waited for.
    runtime.shutdown_background();
    // Only the whole log tells whether anything was sent.
    let (sent, printed) = printer.finish();
    let exit = match exit {
        Ok(Ended::Talked(exit)) => exit,
        Ok(Ended::Unopened(Some(error))) => dial::exit(&error, sent),
        Ok(Ended::Unopened(None)) if sent => Exit::Failed,
        Ok(Ended::Unopened(None)) => Exit::NoConnection,
        Err(error) => out::refuse(&error),
    };
    match printed {
        Err(error) if out::unwritten(&error) != Exit::Done => Exit::Failed,
        _ => exit,
    }
}

impl Args {
    fn recording(&self, journal: &Journal) -> Result<Option<Recording>, Error> {
        let draft = ConsoleDraft {
            mode: ConsoleMode::Websocket,
            subprotocols: self.subprotocols.clone(),
            deflate: self.deflate.is_some(),
            echo: self.echo,
            ..ConsoleDraft::default()
        };
        self.dial.recording(draft, journal.clock())
    }
}

/// How it ended.
enum Ended {
    /// The socket was open.
    Talked(Exit),
    /// It never was: why, unless time was up.
    Unopened(Option<weir_transport::Error>),
}

/// The command line, read.
struct Plan {
    target: weir_transport::Target,
    headers: Vec<weir_transport::Header>,
    subprotocols: Vec<weir_transport::Value>,
    deflate: Option<Offer>,
}

impl Plan {
    fn new(args: &Args) -> Result<Self, Error> {
        let deflate = match args.deflate.as_deref().map(str::trim) {
            None => None,
            Some("") => Some(Offer::default()),
            Some(text) => Some(text.parse().map_err(|why| {
                Error::new(
                    "user",
                    "deflate",
                    "--deflate is no offer of permessage-deflate.",
                    "Nothing was sent.",
                    why,
                    "Write --deflate alone, or an offer as RFC 7692 (section 7.1) has it.",
                )
            })?),
        };
        let mut target = args.dial.target()?;
        target.hidden.extend(credentials::of_subprotocols(&args.subprotocols));
        // A line that is typed later may hold a key as well.
        target.hides_later = true;
        Ok(Self {
            target,
            headers: args.dial.headers()?,
            subprotocols: args.subprotocols.iter().cloned().map(dial::value).collect(),
            deflate,
        })
    }
}

async fn talk(args: &Args, plan: &Plan, journal: Journal, printer: &Printer) -> Result<Ended, Error> {
    let mut stop = Stop::new()?;
    let control = Control::new();
    let over = async {
        match args.dial.timeout {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(over);
    let opening = ws::open_offering(&plan.target, &plan.headers, &plan.subprotocols, plan.deflate.as_ref(), journal, 0, &control);
    let opened = tokio::select! {
        opened = opening => opened,
        () = &mut over => {
            out::note("weir-cli: No connection within the time that --timeout gives.");
            return Ok(Ended::Unopened(None));
        }
        () = stop.asked() => return Ok(Ended::Talked(Exit::Failed)),
    };
    let mut socket = match opened {
        Ok(socket) => socket,
        Err(error) => {
            dial::problem(&error);
            return Ok(Ended::Unopened(Some(error)));
        }
    };
    greet(&socket);
    let closing = Arc::new(AtomicBool::new(false));
    tokio::spawn(speak(input::lines(), socket.sender(), args.close_on_eof, Arc::clone(&closing)));
    let sender = socket.sender();
    let mut echoes = Echoes::default();
    let mut close = None;
    let outcome = loop {
        let item = tokio::select! {
            // First what is to be said, so that a message is echoed before the next frame is looked at, which may end it all.
            biased;
            () = echoes.next(), if !echoes.is_empty() => continue,
            item = socket.next(), if echoes.len() < ECHOES => item,
            () = &mut over => {
                control.finish();
                drain(&mut socket).await;
                out::note("weir-cli: The time that --timeout gives is over.");
                break Ok(Exit::Failed);
            }
            () = printer.unheard() => {
                control.finish();
                drain(&mut socket).await;
                break Ok(Exit::Done);
            }
            () = stop.asked() => {
                control.finish();
                tokio::select! {
                    () = drain(&mut socket) => {}
                    () = stop.asked() => std::process::exit(130),
                }
                break Ok(Exit::Failed);
            }
        };
        match item {
            None => break Ok(verdict(close, closing.load(Relaxed))),
            Some(Err(error)) => break Err(error),
            Some(Ok(Message::Close { code, .. })) => close = Some(code),
            Some(Ok(message)) if args.echo => echoes.push(sender.clone(), message),
            Some(Ok(_)) => {}
        }
    };
    Ok(Ended::Talked(outcome.unwrap_or_else(|error| {
        dial::problem(&error);
        Exit::Failed
    })))
}

/// Reads until the socket is closed; what comes is printed all the same.
async fn drain(socket: &mut WebSocket) {
    let _ = tokio::time::timeout(FAREWELL, async { while let Some(Ok(_)) = socket.next().await {} }).await;
}

/// A close of ours ends well whatever its code is; one of the server's where it is no complaint.
fn verdict(close: Option<Option<u16>>, ours: bool) -> Exit {
    match close {
        _ if ours => Exit::Done,
        Some(None | Some(1000 | 1001)) => Exit::Done,
        _ => Exit::Failed,
    }
}

/// Tells on standard error what was agreed.
fn greet(socket: &WebSocket) {
    let accepted = socket.accepted();
    let mut words = "connected".to_owned();
    if let Some(name) = &accepted.subprotocol {
        words.push_str(&format!(" · subprotocol {}", out::printable(name)));
    }
    let extensions = accepted.extensions();
    if !extensions.is_empty() {
        words.push_str(&format!(" · {}", out::printable(&extensions)));
    }
    out::note(&words);
}

/// Sends what is typed.
async fn speak(mut lines: mpsc::Receiver<Line>, sender: Sender, close_at_end: bool, closing: Arc<AtomicBool>) {
    while let Some(line) = lines.recv().await {
        let sent = match line {
            Line::Text(text) => {
                credentials::of_json(&text).iter().for_each(|secret| sender.hide(secret));
                sender.send_text(text).await
            }
            Line::Binary(bytes) => sender.send_binary(bytes).await,
            Line::Ping(payload) => sender.ping(payload).await,
            Line::Close(code, reason) => {
                // Known before it is sent: the server may be gone before this returns.
                let before = closing.swap(true, Relaxed);
                let sent = sender.close(code, &reason).await;
                if sent.is_err() {
                    closing.store(before, Relaxed);
                }
                sent
            }
            Line::Wrong(why) => {
                out::note(&format!("weir-cli: {why}"));
                continue;
            }
        };
        if let Err(error) = sent {
            dial::problem(&error);
            // A payload that is too long for its frame is no reason to stop listening to the keyboard.
            if error.blame != weir_transport::Blame::User || error.code == "closed" {
                return;
            }
        }
    }
    if close_at_end {
        closing.store(true, Relaxed);
        // It may be closed already.
        let _ = sender.close(1000, "").await;
    }
}

/// Messages on their way back, in their order. Reading goes on while one of them cannot be written yet, so that a server that writes
/// all it has before it reads does not wait for a client that waits for it.
#[derive(Default)]
struct Echoes(VecDeque<Pin<Box<dyn Future<Output = ()>>>>);

impl Echoes {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn push(&mut self, sender: Sender, message: Message) {
        self.0.push_back(Box::pin(async move {
            // That the socket is closed already is told by the socket.
            let _ = match message {
                Message::Text(text) => match String::from_utf8(text.into()) {
                    Ok(text) => sender.send_text(text).await,
                    // A text message is UTF-8, or its connection would have failed.
                    Err(_) => return,
                },
                Message::Binary(bytes) => sender.send_binary(bytes).await,
                _ => return,
            };
        }));
    }

    /// Resolves when the next one is sent. Nothing is lost of one that this is called off in.
    async fn next(&mut self) {
        if let Some(echo) = self.0.front_mut() {
            echo.await;
            self.0.pop_front();
        }
    }
}
