//! How a session ended: the dialect's end marker decides, then whose fault it was if there is none.

mod refusal;
mod strange;

use weir_transport::{Blame, Error};

use super::Analysis;
use crate::view::{Outcome, OutcomeKind, Problem};

/// Codes of errors that only say the stream stopped: with the dialect's end marker seen, the reply is whole all the same.
const STOPPED: [&str; 3] = ["cut", "reset", "ws-protocol"];

/// The outcome of a fold that is over.
pub fn of(analysis: &Analysis) -> Outcome {
    let fold = &analysis.fold;
    let facts = &fold.folded.facts;
    let phases = &analysis.phases;
    let code = fold.status.as_ref().map_or(0, |s| s.code);
    let whole = if fold.decodes { fold.decoder.whole() } else { raw_whole(analysis) };

    if phases.cancelled && !whole {
        let came = came(analysis);
        return Outcome {
            kind: OutcomeKind::Cancelled,
            problem: Some(problem(Blame::User, "cancelled", "You stopped it.", came, "", "Send again to start over.")),
        };
    }
    if code >= 400 {
        return failed(refusal::of_status(analysis, code));
    }
    if matches!(code, 300..=303 | 307 | 308) {
        let to = field(analysis, "location").unwrap_or_else(|| "no Location field".into());
        return failed(problem(
            Blame::Peer,
            "redirect",
            format!("The server answered {code}: the endpoint is elsewhere."),
            "The request was not sent again: a redirect could hand your key and prompt to another host.".into(),
            format!("HTTP {code}\nLocation: {to}"),
            "If you trust the address, use it as the URL.",
        ));
    }
    if (300..400).contains(&code) {
        return failed(refusal::of_status(analysis, code));
    }
    if let Some(problem) = strange::page(analysis).filter(|_| fold.decodes && !whole) {
        return failed(problem);
    }
    if let Some((code, message)) = &facts.error {
        return failed(refusal::in_reply(analysis, code, message));
    }
    if let Some(problem) = strange::dialect(analysis) {
        return failed(problem);
    }
    if let Some(error) = phases.failed.as_ref().filter(|e| !(whole && analysis.settled() && STOPPED.contains(&e.code.as_str()))) {
        let kind = match error.code.as_str() {
            "cancelled" => OutcomeKind::Cancelled,
            "cut" => OutcomeKind::Cut,
            _ => OutcomeKind::Failed,
        };
        return Outcome { kind, problem: Some(of_error(error)) };
    }
    if whole {
        return Outcome { kind: OutcomeKind::Complete, problem: None };
    }
    if let Some((close, reason)) = fold.close.as_ref().filter(|(code, _)| !matches!(code, None | Some(1000 | 1001))) {
        return failed(refusal::by_close(analysis, close.unwrap_or(1005), reason));
    }
    if let Some(coding) = &fold.coded {
        return failed(problem(
            Blame::Peer,
            "content-encoding",
            format!("The answer is compressed ({coding}), which Weir does not ask for."),
            "Nothing could be decoded; the bytes are kept.".into(),
            head(analysis),
            "Switch compression off at the server or the proxy before it, or take Accept-Encoding out of the request's own headers.",
        ));
    }
    if let Some(problem) = strange::body(analysis) {
        return failed(problem);
    }
    Outcome { kind: OutcomeKind::Cut, problem: Some(cut(analysis)) }
}

/// `raw` is complete at the end of a well-framed response, or at close 1000 or 1001.
fn raw_whole(analysis: &Analysis) -> bool {
    let fold = &analysis.fold;
    if analysis.upgraded() {
        return matches!(fold.close, Some((Some(1000 | 1001), _)));
    }
    fold.framed_end && fold.violation.is_none()
}

fn failed(problem: Problem) -> Outcome {
    Outcome { kind: OutcomeKind::Failed, problem: Some(problem) }
}

fn problem(
    blame: Blame,
    code: impl Into<String>,
    message: impl Into<String>,
    consequence: String,
    evidence: impl Into<String>,
    next: &str,
) -> Problem {
    Problem {
        code: code.into(),
        blame: name(blame).into(),
        message: message.into(),
        consequence,
        evidence: evidence.into(),
        next: next.into(),
    }
}

/// A transport error as the views show it.
pub fn of_error(error: &Error) -> Problem {
    Problem {
        code: error.code.clone(),
        blame: name(error.blame).into(),
        message: error.message.clone(),
        consequence: error.consequence.clone(),
        evidence: error.evidence.clone(),
        next: error.next.clone(),
    }
}

fn name(blame: Blame) -> &'static str {
    match blame {
        Blame::Peer => "peer",
        Blame::Network => "network",
        Blame::Local => "local",
        Blame::Configuration => "configuration",
        Blame::User => "user",
    }
}

fn field(analysis: &Analysis, name: &str) -> Option<String> {
    analysis.fold.response.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone())
}

fn head(analysis: &Analysis) -> String {
    let code = analysis.fold.status.as_ref().map_or(0, |s| s.code);
    let fields =
        ["content-type", "content-encoding", "server", "via", "retry-after", "retry-after-ms", "x-request-id", "request-id", "cf-ray"];
    let shown = fields.iter().filter_map(|name| Some(format!("{name}: {}", field(analysis, name)?)));
    std::iter::once(format!("HTTP {code}")).chain(shown).collect::<Vec<_>>().join("\n")
}

fn came(analysis: &Analysis) -> String {
    match analysis.fold.deltas {
        0 => "No part of the reply had come.".into(),
        1 => "The one delta that came is kept.".into(),
        n => format!("The {n} deltas that came are kept."),
    }
}

fn cut(analysis: &Analysis) -> Problem {
    let fold = &analysis.fold;
    if let Some((code, message)) = &fold.violation {
        return problem(
            Blame::Peer,
            code.clone(),
            format!("The peer broke a rule: {message}"),
            came(analysis),
            message.clone(),
            "The row of kind «error» shows the bytes.",
        );
    }
    if fold.wire == 0 {
        return problem(
            Blame::Peer,
            "empty",
            "The server closed the connection without an answer.",
            came(analysis),
            "0 bytes received",
            "Check that the port speaks HTTP, and whether TLS is wanted there.",
        );
    }
    if fold.status.is_some() && fold.deltas == 0 && fold.framed_end {
        return strange::nothing(analysis);
    }
    let how = match &fold.close {
        // Clean as it is, it came too early; only the reason tells why (OpenAI ends sessions so at their cap).
        Some((Some(code), reason)) if !reason.trim().is_empty() => {
            format!("The server closed the WebSocket with {code}, «{}»,", reason.trim())
        }
        Some((Some(code), _)) => format!("The server closed the WebSocket with {code}"),
        _ if fold.framed_end => "The response ended".to_owned(),
        _ if analysis.phases.eof => "The connection ended".to_owned(),
        _ => "The recording ends".to_owned(),
    };
    let evidence = match &fold.close {
        Some((code, reason)) => format!("close {} {reason}", code.unwrap_or(1005)),
        None => format!("last byte at {:.3} s", analysis.elapsed() as f64 / 1e9),
    };
    problem(
        Blame::Network,
        "cut",
        format!("{how} before the dialect's end marker."),
        came(analysis),
        evidence,
        "Send again; a POST is never repeated by itself.",
    )
}
