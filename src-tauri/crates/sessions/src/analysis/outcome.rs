//! How a session ended: the dialect's end marker decides, then whose fault it was if there is none.

use weir_dialects::advice::{self, Advice, Cause};
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
        return failed(status_problem(analysis, code));
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
        return failed(status_problem(analysis, code));
    }
    if let Some(media) = wrong_body(analysis).filter(|_| fold.decodes && !whole) {
        return failed(unexpected(
            analysis,
            format!("The answer is {media}, not a model's reply."),
            "A gateway or a wrong path often answers like this: check the URL.",
        ));
    }
    if let Some((code, message)) = &facts.error {
        return failed(peer_error(analysis, code, message));
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
        let close = close.unwrap_or(1005);
        if let Some((code, words)) = fold.dialect.closed(close, reason) {
            return failed(peer_error(analysis, &code, &words));
        }
        return failed(problem(
            Blame::Peer,
            format!("close-{close}"),
            format!("The server closed the WebSocket with {close} before the reply was whole."),
            came(analysis),
            format!("close {close} {reason}"),
            advice(analysis, 0, reason, reason).map_or(close_advice(close), |advice| advice.next),
        ));
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
    if let Some(why) = fold.unread.as_ref().filter(|_| fold.deltas == 0 && fold.framed_end) {
        return failed(unexpected(
            analysis,
            format!("The answer cannot be read: {why}."),
            "See its bytes: a proxy may have cut or changed it.",
        ));
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

fn status_problem(analysis: &Analysis, status: u16) -> Problem {
    let (code, message) = analysis.fold.folded.facts.error.clone().unwrap_or_default();
    let (blame, what, next): (Blame, &str, String) = match status {
        400 | 422 => {
            (Blame::User, "The server does not accept the request as it is", "Change what its message names, then send again.".into())
        }
        401 => (Blame::Configuration, "The server does not accept the key", "Check the key for this provider in Keys.".into()),
        403 => (Blame::Configuration, "The key may not do this", "Check the key's rights, the model's region and the account.".into()),
        404 => (Blame::User, "There is no such path or model", "Check the URL and the model name.".into()),
        408 | 504 => (Blame::Network, "Something between waited too long", "Try again; for long prompts ask for a stream.".into()),
        413 => (Blame::User, "The request is too large", "Shorten it.".into()),
        429 => (Blame::Peer, "Rate limited", retry(analysis)),
        500..=599 => (Blame::Peer, "The server failed", "Try again in a while; the fault is not in your request.".into()),
        _ => (Blame::Peer, "The server refused", "See its answer below.".into()),
    };
    // The provider's own code tells more than the status does; how long to wait, the status's headers tell better.
    let known = advice(analysis, status, &code, &message);
    let next = match known {
        Some(advice) if !matches!(advice.cause, Cause::RateLimit | Cause::Overloaded) => advice.next.to_owned(),
        _ => next,
    };
    let means = known.map_or(String::new(), |advice| format!(" {}", advice.means));
    let says = if message.is_empty() { String::new() } else { format!(": {}", sentence(&message)) };
    let evidence = [head(analysis), if code.is_empty() { String::new() } else { format!("code: {code}") }, message.clone()];
    problem(
        blame,
        format!("http-{status}"),
        format!("{status}, {}{means}", sentence(&format!("{what}{says}"))),
        "No reply was made.".into(),
        evidence.iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>().join("\n"),
        &next,
    )
}

fn retry(analysis: &Analysis) -> String {
    let millis = field(analysis, "retry-after-ms").map(|ms| format!("{ms} ms"));
    match millis
        .or_else(|| field(analysis, "retry-after").map(|v| if v.bytes().all(|b| b.is_ascii_digit()) { format!("{v} s") } else { v }))
    {
        Some(wait) => format!("Retry in {wait}: the time the server gave."),
        None => "The server gave no time to wait; try again in a while.".into(),
    }
}

fn peer_error(analysis: &Analysis, code: &str, message: &str) -> Problem {
    let shown = if code.is_empty() { "peer-error" } else { code };
    let known = advice(analysis, analysis.fold.status.as_ref().map_or(0, |status| status.code), code, message);
    let means = known.map_or(String::new(), |advice| format!(" {}", advice.means));
    problem(
        Blame::Peer,
        shown,
        format!("The provider reported an error inside the stream: {}{means}", sentence(message)),
        came(analysis),
        if code.is_empty() { message.to_owned() } else { format!("{code}: {message}") },
        known
            .map_or("HTTP said success, so only the stream tells. What the provider's code means stands in its documentation.", |advice| {
                advice.next
            }),
    )
}

/// What the provider's own code means, and what to do.
fn advice(analysis: &Analysis, status: u16, code: &str, message: &str) -> Option<Advice> {
    advice::advice(analysis.fold.dialect.id(), status, code, message)
}

/// The text with a full stop, where it has no end of its own.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() || text.ends_with(['.', '!', '?', '。', '！', '？', '…']) { text.to_owned() } else { format!("{text}.") }
}

fn wrong_body(analysis: &Analysis) -> Option<String> {
    let status = analysis.fold.status.as_ref()?;
    (status.media_type == "text/html" || status.media_type == "application/xhtml+xml").then(|| {
        // What the decoder found in it: its title, or that it has none.
        let title = analysis.fold.folded.facts.error.as_ref().filter(|(_, title)| !title.starts_with("an HTML page"));
        let title = title.map_or(String::new(), |(_, title)| format!(", «{title}»"));
        format!("an HTML page ({}{title})", status.media_type)
    })
}

fn unexpected(analysis: &Analysis, message: String, next: &str) -> Problem {
    problem(Blame::Network, "unexpected-body", message, "Nothing could be decoded; the bytes are kept.".into(), head(analysis), next)
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
        return problem(
            Blame::Peer,
            "empty",
            "The answer ended without a reply.",
            came(analysis),
            head(analysis),
            "See the frames for what came instead.",
        );
    }
    let how = if fold.framed_end {
        "The response ended"
    } else if analysis.phases.eof {
        "The connection ended"
    } else {
        "The recording ends"
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

fn close_advice(code: u16) -> &'static str {
    match code {
        1008 => "The server names a policy: check key, model and content.",
        1009 => "A message was too big for the server.",
        1011 => "The server failed; try again in a while.",
        1012 | 1013 => "The server restarts or is busy; try again in a while.",
        3000 => "Unauthorised: check the key for this provider in Keys.",
        1007 => "The server did not accept a message's content: see the reason.",
        _ => "See the close frame's reason.",
    }
}
