//! The figures of one run, and what each of them means.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use weir_dialects::Usage;

use crate::Session;

/// Figures of a run: times in milliseconds, sizes in bytes. Absent = it does not exist for this run. Times count from the dial, or over a
/// reused connection from when the measured request was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct RunFigures {
    /// Name resolution.
    pub dns: Option<f64>,
    /// TCP handshake.
    pub tcp: Option<f64>,
    /// TLS handshake.
    pub tls: Option<f64>,
    /// First byte of the response; over WebSocket of the first message.
    pub ttfb: Option<f64>,
    /// First non-empty text or reasoning.
    pub ttft: Option<f64>,
    /// First non-empty reasoning.
    pub first_reasoning: Option<f64>,
    /// First non-empty text.
    pub first_text: Option<f64>,
    /// Median gap between deltas with content.
    pub gap_p50: Option<f64>,
    /// 95th percentile.
    pub gap_p95: Option<f64>,
    /// 99th percentile.
    pub gap_p99: Option<f64>,
    /// The longest.
    pub gap_max: Option<f64>,
    /// Time per output token after the first, by reported usage.
    pub tpot: Option<f64>,
    /// Output tokens per second after the first, by reported usage.
    pub tokens_per_s: Option<f64>,
    /// The end.
    pub total: Option<f64>,
    /// Received above TLS.
    #[ts(type = "number")]
    pub bytes_down: u64,
    /// Sent above TLS.
    #[ts(type = "number")]
    pub bytes_up: u64,
    /// What TLS itself added to what was received; absent without TLS and over reused connections.
    #[ts(type = "number | null")]
    pub bytes_tls: Option<u64>,
    /// Bytes received for each output token that was reported.
    pub bytes_per_token: Option<f64>,
    /// Rows of the frame table.
    pub frames: u32,
    /// Reads of the socket that gave bytes.
    pub reads: u32,
    /// Deltas with content.
    pub deltas: u32,
    /// Share of the received bytes that is text or reasoning, 0 to 1.
    pub text_share: Option<f64>,
    /// Input tokens as reported.
    #[ts(type = "number | null")]
    pub input_tokens: Option<u64>,
    /// Output tokens as reported, reasoning included.
    #[ts(type = "number | null")]
    pub output_tokens: Option<u64>,
    /// Every received byte once, by the innermost layer that owns it.
    #[ts(type = "[string, number][]")]
    pub layers: Vec<(String, u64)>,
}

/// Output tokens, reasoning included.
fn output(usage: &Usage) -> Option<u64> {
    let apart = if usage.output_includes_reasoning == Some(false) { usage.reasoning_tokens.unwrap_or(0) } else { 0 };
    Some(usage.output_tokens? + apart)
}

impl RunFigures {
    /// The figures of a session that is over.
    pub fn of(session: &Session) -> Self {
        let analysis = session.analysis();
        let metrics = analysis.metrics();
        let fold = &analysis.fold;
        let ms = |ns: u64| ns as f64 / 1e6;
        let gap = |q: f64| fold.gaps.quantile(q).map(|ns| ns / 1e6);
        // One delivery has no gaps, whatever arrived within it.
        let streamed = fold.deltas > 1;
        let usage = fold.folded.facts.usage.as_ref();
        let output_tokens = usage.and_then(output).filter(|&n| n > 0);
        let (first, _, last) = fold.content;
        let decode = first.zip(last).map(|(first, last)| ms(last - first)).filter(|&took| took > 0.0);
        let behind_first = output_tokens.filter(|&n| n > 1).map(|n| (n - 1) as f64);
        let reused = analysis.again_at().is_some();
        Self {
            // An address needs no resolution, and its phase takes no time at all.
            dns: metrics.dns_ms.filter(|&ms| ms > 0.0),
            tcp: metrics.tcp_ms,
            tls: metrics.tls_ms,
            ttfb: metrics.ttfb_ms,
            ttft: metrics.ttft_ms,
            first_reasoning: analysis.first_reasoning_ms(),
            first_text: metrics.first_text_ms,
            gap_p50: gap(0.5).filter(|_| streamed),
            gap_p95: gap(0.95).filter(|_| streamed),
            gap_p99: gap(0.99).filter(|_| streamed),
            gap_max: fold.gaps.longest().map(ms).filter(|_| streamed),
            tpot: decode.zip(behind_first).map(|(took, n)| took / n),
            tokens_per_s: decode.zip(behind_first).map(|(took, n)| n / took * 1000.0),
            total: metrics.total_ms,
            bytes_down: metrics.bytes_down,
            bytes_up: metrics.bytes_up,
            bytes_tls: metrics.tls_ms.filter(|_| !reused).map(|_| metrics.bytes_tls),
            bytes_per_token: output_tokens.map(|n| metrics.bytes_down as f64 / n as f64),
            frames: metrics.frames,
            reads: analysis.reads(),
            deltas: metrics.deltas,
            text_share: (metrics.bytes_down > 0).then(|| metrics.bytes_text as f64 / metrics.bytes_down as f64),
            input_tokens: usage.and_then(|usage| usage.input_tokens),
            output_tokens,
            layers: metrics.layers,
        }
    }
}

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "FigureUnit")]
pub enum Unit {
    /// Milliseconds.
    Ms,
    /// Tokens a second.
    Rate,
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
    /// 0 to 1.
    Share,
}

/// Reads a figure of a run.
pub type Read = fn(&RunFigures) -> Option<f64>;

/// A figure that runs have.
#[derive(Clone, Copy, Debug)]
pub struct FigureKind {
    /// Name on the command line and in tables.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// What it is, for the report's method section.
    pub about: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Less is better; `None` where neither is.
    pub lower_is_better: Option<bool>,
    /// Reads it.
    pub of: Read,
}

/// Every figure, in the order tables show them.
pub static FIGURES: &[FigureKind] = &[
    figure("dns", "DNS", "duration of name resolution", Unit::Ms, Some(true), |f| f.dns),
    figure("tcp", "TCP", "duration of the TCP handshake", Unit::Ms, Some(true), |f| f.tcp),
    figure("tls", "TLS", "duration of the TLS handshake", Unit::Ms, Some(true), |f| f.tls),
    figure(
        "ttfb",
        "TTFB",
        "first byte of the response, over WebSocket of the first message after the upgrade",
        Unit::Ms,
        Some(true),
        |f| f.ttfb,
    ),
    figure("ttft", "TTFT", "first non-empty delta of text or reasoning", Unit::Ms, Some(true), |f| f.ttft),
    figure("first_reasoning", "First reasoning", "first non-empty delta of reasoning", Unit::Ms, Some(true), |f| f.first_reasoning),
    figure("first_text", "First text", "first non-empty delta of text", Unit::Ms, Some(true), |f| f.first_text),
    figure("gap_p50", "Gap p50", "median gap between deltas with content, within a run", Unit::Ms, Some(true), |f| f.gap_p50),
    figure("gap_p95", "Gap p95", "95th percentile of the gaps within a run", Unit::Ms, Some(true), |f| f.gap_p95),
    figure("gap_p99", "Gap p99", "99th percentile of the gaps within a run", Unit::Ms, Some(true), |f| f.gap_p99),
    figure("gap_max", "Gap max", "longest gap within a run", Unit::Ms, Some(true), |f| f.gap_max),
    figure("tpot", "TPOT", "time from first to last content over the reported output tokens but one", Unit::Ms, Some(true), |f| f.tpot),
    figure(
        "tokens_per_s",
        "Output tokens/s",
        "its inverse: reported output tokens but one over the time from first to last content",
        Unit::Rate,
        Some(false),
        |f| f.tokens_per_s,
    ),
    figure("total", "Total", "end of the reply and of the exchange", Unit::Ms, Some(true), |f| f.total),
    figure("bytes_down", "Bytes down", "received above TLS", Unit::Bytes, Some(true), |f| Some(f.bytes_down as f64)),
    figure("bytes_up", "Bytes up", "sent above TLS", Unit::Bytes, Some(true), |f| Some(f.bytes_up as f64)),
    figure("bytes_tls", "TLS overhead", "what TLS added to the bytes received", Unit::Bytes, Some(true), |f| f.bytes_tls.map(|n| n as f64)),
    figure("bytes_per_token", "Bytes per token", "bytes down over reported output tokens", Unit::Bytes, Some(true), |f| f.bytes_per_token),
    figure(
        "frames",
        "Frames",
        "units of the outermost message layer: heads, events, lines, messages, HTTP/2 frames",
        Unit::Count,
        None,
        |f| Some(f.frames.into()),
    ),
    figure("reads", "Socket reads", "reads of the socket that gave bytes", Unit::Count, None, |f| Some(f.reads.into())),
    figure("deltas", "Deltas", "deltas with content; a delta is not a token", Unit::Count, None, |f| Some(f.deltas.into())),
    figure("output_tokens", "Output tokens", "as the provider reported them", Unit::Count, None, |f| f.output_tokens.map(|n| n as f64)),
    figure("text_share", "Text share", "UTF-8 bytes of text and reasoning over bytes down", Unit::Share, None, |f| f.text_share),
];

const fn figure(
    id: &'static str,
    name: &'static str,
    about: &'static str,
    unit: Unit,
    lower_is_better: Option<bool>,
    of: Read,
) -> FigureKind {
    FigureKind { id, name, about, unit, lower_is_better, of }
}

/// The figure with this name.
pub fn find(id: &str) -> Option<&'static FigureKind> {
    FIGURES.iter().find(|figure| figure.id == id)
}
