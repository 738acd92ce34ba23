//! `weir-cli listen`: an event stream without any API on top, asked for again as the standard says, every event printed as it comes.

mod printer;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use weir_sessions::Error;
use weir_sessions::console::{MOST_CONNECTIONS, Recording};
use weir_sessions::view::{ConsoleDraft, ConsoleMode};
use weir_transport::reconnect::{End, Options, Statuses, listen};
use weir_transport::{Control, Dir, Entry, Header, HttpVersion, JournalReader, Limits, Request, Target, Value, journal};

use crate::dial::{self, Dial, seconds};
use crate::out::{self, Exit};
use crate::send::Http;
use crate::stop::Stop;
use printer::Printer;

/// Listen to an event stream (SSE): every event is printed as a line of JSON. When the stream ends it is asked for again, with
/// Last-Event-ID, after the time that the server sets; 204, other statuses than 200 and other types than text/event-stream end it.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    dial: Dial,
    /// Method; POST where there is a body, else GET.
    #[arg(long, value_name = "M")]
    method: Option<String>,
    /// The body, sent as it is with each request; - reads it from standard input.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// HTTP version. auto: what TLS agrees on, 1.1 without TLS.
    #[arg(long, value_enum, value_name = "VERSION", default_value = "auto")]
    http: Http,
    /// Id to send as Last-Event-ID with the first request.
    #[arg(long, value_name = "ID")]
    last_event_id: Option<String>,
    /// Ask again at most this often.
    #[arg(long, value_name = "N", conflicts_with = "no_reconnect")]
    max_reconnects: Option<u32>,
    /// Do not ask again.
    #[arg(long)]
    no_reconnect: bool,
    /// Seconds to wait before asking again, until the server sets another time.
    #[arg(long, value_name = "S", value_parser = seconds, default_value = "3")]
    delay: Duration,
    /// Ask again after these statuses too, like 503 or 5xx (the standard gives up).
    #[arg(long, value_name = "STATUS,…", value_delimiter = ',', value_parser = clap::value_parser!(Statuses))]
    retry_on: Vec<Statuses>,
    /// Double the wait with every attempt that fails after another, up to this many seconds (the standard leaves it open) [S: 60].
    #[arg(long, value_name = "S", value_parser = seconds, num_args = 0..=1, require_equals = true, default_missing_value = "60")]
    backoff: Option<Duration>,
    /// Seconds without a byte after which a connection is given up for lost.
    #[arg(long, value_name = "S", value_parser = seconds)]
    read_timeout: Option<Duration>,
    /// Print blocks without data too.
    #[arg(long)]
    all: bool,
}

/// Bytes of the log that may wait before the socket is read no further.
const IN_FLIGHT: usize = 1 << 20;

/// Listens until the stream is over for good.
pub fn run(args: &Args) -> Exit {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::note(&format!("weir-cli: The system gives no threads to run on.\n  | {error}"));
            return Exit::Failed;
        }
    };
    match args.plan().and_then(|plan| runtime.block_on(follow(args, plan))) {
        Ok(exit) => exit,
        Err(error) => out::refuse(&error),
    }
}

/// The command line, read.
struct Plan {
    target: Target,
    request: Request,
    options: Options,
    /// The same as a console of the window has it, for the record.
    draft: ConsoleDraft,
}

impl Args {
    fn plan(&self) -> Result<Plan, Error> {
        let mut headers = self.dial.headers()?;
        let body = self.body.as_deref().map(body).transpose()?;
        if body.is_some() && !headers.iter().any(|header| header.name.eq_ignore_ascii_case("content-type")) {
            // What fetch says of a text that nobody has said more about.
            headers.push(Header { name: "Content-Type".into(), value: Value::Plain("text/plain;charset=UTF-8".into()) });
        }
        let target = self.dial.target()?;
        let target = Target {
            http: match self.http {
                Http::One => HttpVersion::Http11,
                Http::Two => HttpVersion::Http2,
                Http::Auto => HttpVersion::Auto,
            },
            limits: Limits { idle: self.read_timeout, ..target.limits },
            ..target
        };
        let method = self.method.as_deref().unwrap_or(if body.is_some() { "POST" } else { "GET" });
        let draft = ConsoleDraft {
            mode: ConsoleMode::Sse,
            method: method.into(),
            // A record's plan is text; the bytes as they were sent stand in its log.
            body: body.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned(),
            http: match self.http {
                Http::One => "1.1",
                Http::Two => "2",
                Http::Auto => "auto",
            }
            .into(),
            last_event_id: self.last_event_id.clone().unwrap_or_default(),
            reconnect: !self.no_reconnect,
            delay_ms: u32::try_from(self.delay.as_millis()).unwrap_or(u32::MAX),
            max_reconnects: self.max_reconnects,
            backoff_seconds: self.backoff.map_or(0.0, |most| most.as_secs_f64()),
            silence_seconds: self.read_timeout.map_or(0.0, |limit| limit.as_secs_f64()),
            retry_on: self.retry_on.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            ..ConsoleDraft::default()
        };
        Ok(Plan {
            draft,
            target,
            request: Request { method: method.into(), headers, body: body.unwrap_or_default().into() },
            options: Options {
                reconnect: !self.no_reconnect,
                max_reconnects: self.max_reconnects,
                delay: self.delay,
                last_event_id: self.last_event_id.clone().unwrap_or_default(),
                retry_on: self.retry_on.clone(),
                backoff: self.backoff,
                // What is not recorded has no index that could fill up.
                most_connections: self.dial.is_recorded().then_some(MOST_CONNECTIONS),
            },
        })
    }
}

fn body(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") { std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes) } else { std::fs::read(path) };
    read.map_err(|error| {
        Error::new(
            "user",
            "no-file",
            "The body cannot be read.",
            "Nothing was sent.",
            format!("{}: {error}", path.display()),
            "Give the path of a file that is there.",
        )
    })
}

async fn follow(args: &Args, plan: Plan) -> Result<Exit, Error> {
    let mut stop = Stop::new()?;
    let control = Control::new();
    let (journal, reader) = journal::channel(IN_FLIGHT);
    let log = Log::drain(reader, args.dial.recording(plan.draft, journal.clock())?);
    let mut printer = Printer::new(args.all, plan.target.key.clone(), control.clone());
    let mut tell = |told: weir_transport::reconnect::Told<'_>| printer.tell(told);
    let over = async {
        match args.dial.timeout {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let end = {
        let listening = listen(&plan.target, &plan.request, plan.options, journal, 0, &control, &mut tell);
        tokio::pin!(listening, over);
        tokio::select! {
            end = &mut listening => end,
            () = &mut over => {
                out::note("weir-cli: The time that --timeout gives is over.");
                control.cancel();
                listening.await
            }
            () = stop.asked() => {
                control.cancel();
                listening.await
            }
        }
    };
    let sent = log.sent();
    if let Some(error) = printer.failed() {
        return Ok(out::unwritten(&error));
    }
    Ok(verdict(&end, sent))
}

/// The exit, with the words that go with it on standard error.
fn verdict(end: &End, sent: bool) -> Exit {
    match end {
        End::NoContent | End::Ended { error: None, .. } => Exit::Done,
        End::Stopped => Exit::Failed,
        End::Refused(error) => {
            dial::problem(error);
            Exit::Failed
        }
        End::Futile(error) | End::Ended { error: Some(error), .. } => {
            dial::problem(error);
            dial::exit(error, sent)
        }
    }
}

/// The journal of a run: whether anything was sent, and its record where one is kept.
struct Log {
    sent: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    fn drain(mut reader: JournalReader, mut recording: Option<Recording>) -> Self {
        let sent = Arc::<AtomicBool>::default();
        let mine = Arc::clone(&sent);
        let drain = move || {
            let mut entries = Vec::new();
            while reader.recv_many(&mut entries) > 0 {
                let out = |entry: &Entry| matches!(entry, Entry::Segment { dir: Dir::Out, .. });
                mine.fetch_or(entries.iter().any(out), Relaxed);
                recording = recording.and_then(|recording| dial::keep(recording, &entries));
                entries.clear();
            }
            dial::kept(recording);
        };
        // Without the thread its reader is gone, and the journal goes nowhere.
        Self { sent, thread: std::thread::Builder::new().name("log".into()).spawn(drain).ok() }
    }

    /// Whether a byte was sent, once the journal is over.
    fn sent(self) -> bool {
        if let Some(thread) = self.thread {
            // A panic has told itself.
            let _ = thread.join();
        }
        self.sent.load(Relaxed)
    }
}
