//! Answers that are no reply in the dialect that was asked for: another dialect's, a web page, text, nothing at all.

use weir_dialects::{Payload, Transport, dialect as dialects, kin};
use weir_transport::Blame;

use super::{Analysis, Problem, came, head, problem};

/// A reply in another dialect than was asked for, of which nothing could be decoded.
pub(super) fn dialect(analysis: &Analysis) -> Option<Problem> {
    let fold = &analysis.fold;
    // JSON lines that call themselves text are no payloads to who asked for events.
    let line = |text: String| kin::recognise(&Payload::Line(text.lines().next().unwrap_or_default().as_bytes()));
    let found = dialects::find(fold.spoken.or_else(|| line(opening(analysis)))?)?;
    let asked = fold.dialect;
    if !fold.decodes || !fold.folded.blocks.is_empty() || kin::is_kin(asked.id(), found.id()) {
        return None;
    }
    let place = match asked.endpoints().first() {
        Some(path) => format!("the URL of an endpoint for {} (its path ends in {path})", asked.id()),
        None => format!("the URL of an endpoint for {}", asked.id()),
    };
    Some(problem(
        Blame::Configuration,
        "other-dialect",
        format!("The answer looks like {} ({}), not like {}.", found.id(), found.name(), asked.id()),
        "Nothing of it could be decoded; every byte is kept.".into(),
        evidence(analysis),
        &format!("Choose the dialect {} for this endpoint, or give {place}.", found.id()),
    ))
}

/// A web page under a status of success.
pub(super) fn page(analysis: &Analysis) -> Option<Problem> {
    let status = analysis.fold.status.as_ref().filter(|_| is_page(analysis))?;
    // What the decoder found in it: its title, or that it has none.
    let title = analysis.fold.folded.facts.error.as_ref().filter(|(_, title)| !title.starts_with("an HTML page"));
    let title = title.map_or(String::new(), |(_, title)| format!(", «{title}»"));
    Some(unexpected(
        analysis,
        Blame::Network,
        format!("The answer is an HTML page ({}{title}), not a model's reply.", status.media_type),
        "A gateway or a wrong path often answers like this: check the URL.",
    ))
}

/// The answer calls itself a web page.
pub(super) fn is_page(analysis: &Analysis) -> bool {
    let media = analysis.fold.status.as_ref().map_or("", |status| status.media_type.as_str());
    matches!(media, "text/html" | "application/xhtml+xml")
}

/// A whole body that cannot be read, or one that is no stream at all.
pub(super) fn body(analysis: &Analysis) -> Option<Problem> {
    let fold = &analysis.fold;
    if fold.deltas > 0 || !fold.framed_end || !fold.decodes {
        return None;
    }
    if let Some(why) = &fold.unread {
        let (blame, next) = match why.starts_with("not JSON") {
            true => (Blame::Network, "See its bytes: a proxy may have cut or changed it."),
            false => (Blame::Configuration, "Check the URL and the dialect: another endpoint of the server may have answered."),
        };
        return Some(unexpected(analysis, blame, format!("The answer cannot be read: {why}."), next));
    }
    let opening = opening(analysis);
    let field = ["data", "event", "id", "retry", ":"].iter().any(|field| opening.starts_with(field));
    let plain = !opening.is_empty() && !opening.starts_with(['{', '[', '\u{fffd}']) && fold.transport != Transport::Eventstream;
    (plain && !field && fold.folded.blocks.is_empty()).then(|| {
        unexpected(
            analysis,
            Blame::Configuration,
            format!("The answer is text, not a model's reply: «{}»", short(opening.lines().next().unwrap_or_default())),
            "Check the URL: a web server or another service may have answered.",
        )
    })
}

/// A response that ended well, and held nothing of a reply.
pub(super) fn nothing(analysis: &Analysis) -> Problem {
    let status = analysis.fold.status.as_ref().map_or(0, |status| status.code);
    let (message, next) = if opening(analysis).is_empty() {
        (
            format!("The server answered {status} with an empty body."),
            "Check the URL: health checks and preflights answer so. If it is right, the server gave up after its head: send again.",
        )
    } else {
        (
            "The answer ended without a reply.".to_owned(),
            "The frames show what came instead: keep-alives, or events that Weir does not know.",
        )
    };
    problem(Blame::Peer, "empty", message, came(analysis), evidence(analysis), next)
}

fn unexpected(analysis: &Analysis, blame: Blame, message: String, next: &str) -> Problem {
    problem(blame, "unexpected-body", message, "Nothing could be decoded; the bytes are kept.".into(), evidence(analysis), next)
}

/// The response's head, and how its body begins.
fn evidence(analysis: &Analysis) -> String {
    let opening = opening(analysis);
    let shown: Vec<String> = opening.lines().filter(|line| !line.trim().is_empty()).take(3).map(short).collect();
    if shown.is_empty() { head(analysis) } else { format!("{}\n{}", head(analysis), shown.join("\n")) }
}

/// How the body begins, as far as it is text.
fn opening(analysis: &Analysis) -> String {
    String::from_utf8_lossy(&analysis.fold.opening).trim_end_matches('\u{fffd}').trim().to_owned()
}

/// A line as far as it helps.
fn short(line: &str) -> String {
    match line.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
