//! `weir-cli lab`: the built-in server alone.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use weir_lab::{DEFAULT_PORT, Lab, LabConfig, MAX_REPLY_TOKENS, Pace, Reply, Settings, Shape};

use crate::out::{self, Exit};
use crate::stop::Stop;

/// Run the built-in server: model APIs on 127.0.0.1 with no account, at a set pace. Ctrl-C stops it.
///
/// Single requests change pace and faults for themselves with x-lab-* headers; GET / tells what there is.
#[derive(clap::Args)]
pub struct Args {
    /// Port on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Milliseconds from the request to the first token.
    #[arg(long, value_name = "MS", default_value_t = Pace::default().ttft_ms)]
    ttft_ms: u32,
    /// Tokens a second after the first; 0 is as fast as the client reads.
    #[arg(long, value_name = "N", default_value_t = Pace::default().tokens_per_second, value_parser = rate)]
    rate: f64,
    /// Length of a reply.
    #[arg(long, value_name = "N", default_value_t = Pace::default().reply_tokens, value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_REPLY_TOKENS)))]
    tokens: u32,
    /// Tokens that one event carries.
    #[arg(long, value_name = "N", default_value_t = Pace::default().tokens_per_event, value_parser = clap::value_parser!(u32).range(1..))]
    tokens_per_event: u32,
    /// How far a token may stray from its beat, in percent of the gap between beats.
    #[arg(long, value_name = "PERCENT", default_value_t = Pace::default().jitter_percent, value_parser = clap::value_parser!(u32).range(..=100))]
    jitter: u32,
    /// Fixes jitter, words and ids.
    #[arg(long, value_name = "N", default_value_t = Pace::default().seed, value_parser = clap::value_parser!(u64).range(..=1 << 53))]
    seed: u64,
    /// Even beats, or clumps.
    #[arg(long, default_value = "steady", value_parser = PossibleValuesParser::new(["steady", "bursty"]))]
    shape: String,
    /// What replies are about.
    #[arg(long, default_value = "lesson", value_parser = PossibleValuesParser::new(["lesson", "echo", "unicode"]))]
    reply: String,
    /// Whether connections that open with the HTTP/2 preface are served.
    #[arg(long, default_value = "on", value_parser = PossibleValuesParser::new(["on", "off"]))]
    http2: String,
    /// Write the certificate (PEM) that clients must trust for https and wss on the same port to this file. It is made anew at each start.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate >= 0.0).ok_or_else(|| "a rate is 0 or more tokens a second".to_owned())
}

impl Args {
    fn config(&self) -> LabConfig {
        let pace = Pace {
            ttft_ms: self.ttft_ms,
            tokens_per_second: self.rate,
            jitter_percent: self.jitter,
            reply_tokens: self.tokens,
            tokens_per_event: self.tokens_per_event,
            seed: self.seed,
            shape: if self.shape == "bursty" { Shape::Bursty } else { Shape::Steady },
        };
        let reply = match self.reply.as_str() {
            "echo" => Reply::Echo,
            "unicode" => Reply::Unicode,
            _ => Reply::Lesson,
        };
        LabConfig { port: self.port, settings: Settings { pace, reply, http2: self.http2 == "on", ..Settings::default() } }
    }
}

/// Serves until Ctrl-C or SIGTERM.
pub fn run(args: &Args) -> Exit {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::note(&format!("weir-cli: The system gives no threads to run on.\n  | {error}"));
            return Exit::Failed;
        }
    };
    runtime.block_on(async {
        let lab = match Lab::start(args.config()).await {
            Ok(lab) => lab,
            Err(error) => {
                out::note(&format!("weir-cli: The Lab did not start: {error}."));
                return Exit::Failed;
            }
        };
        // Whoever waits for this line must also be able to stop the Lab: the handlers come first.
        let mut stop = match Stop::new() {
            Ok(stop) => stop,
            Err(error) => return out::refuse(&error),
        };
        let mut lines = format!("listening on {}\n", lab.url());
        if let Some(file) = &args.tls_ca {
            if let Err(error) = std::fs::write(file, lab.ca_pem()) {
                out::note(&format!("weir-cli: The certificate could not be written to {}.\n  | {error}", file.display()));
                return Exit::Failed;
            }
            lines += &format!("certificate {}\n", file.display());
        }
        if let Err(error) = out::text(&lines) {
            return out::unwritten(&error);
        }
        stop.asked().await;
        tokio::select! {
            () = lab.stop() => {}
            // A second signal waits for nobody.
            () = stop.asked() => {}
        }
        Exit::Done
    })
}
