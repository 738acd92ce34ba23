//! A provider that says no: by an HTTP status, inside a reply, or by how it closes the socket. What it says stands beside what that means.

use weir_dialects::advice::{self, Advice, Cause};
use weir_transport::Blame;

use super::{Analysis, Problem, came, field, head, problem, strange};

/// An error status.
pub(super) fn of_status(analysis: &Analysis, status: u16) -> Problem {
    let (code, message) = analysis.fold.folded.facts.error.clone().unwrap_or_default();
    // Amazon's code stands in a field, with a URL behind it.
    let named = field(analysis, "x-amzn-errortype").filter(|_| code.is_empty());
    let code = named.map_or(code, |named| named.split(':').next().unwrap_or_default().to_owned());
    let page = strange::is_page(analysis);
    // A gateway's words are not the provider's: its title says nothing of keys or models.
    let known = if page { None } else { advise(analysis, status, &code, &message) };
    let (blame, what, next) = match (page, &known) {
        (true, _) => of_gateway(status),
        (false, Some(advice)) => {
            let next = match advice.cause {
                Cause::RateLimit | Cause::Overloaded => retry(analysis, &message).unwrap_or_else(|| advice.next.to_owned()),
                _ => advice.next.to_owned(),
            };
            (blame(advice.cause), advice.means, next)
        }
        (false, None) => of_number(analysis, status, &message),
    };
    let name = if code.is_empty() || code == status.to_string() { String::new() } else { format!(", {code}") };
    let evidence = [head(analysis), if code.is_empty() { String::new() } else { format!("code: {code}") }, message.clone()];
    problem(
        blame,
        format!("http-{status}"),
        format!("HTTP {status}{name}: {what}{}", says(&code, &message, if page { " Its title:" } else { " It says:" })),
        "No reply was made.".into(),
        evidence.iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>().join("\n"),
        &next,
    )
}

/// An error that the dialect's decoder found in what came as success.
pub(super) fn in_reply(analysis: &Analysis, code: &str, message: &str) -> Problem {
    let status = analysis.fold.status.as_ref().map_or(0, |status| status.code);
    let known = advise(analysis, status, code, message);
    let named = if code.is_empty() { "an error".to_owned() } else { code.to_owned() };
    let place = match &analysis.fold.status {
        _ if analysis.upgraded() => "on the WebSocket".to_owned(),
        Some(status) if status.media_type == "application/json" => format!("in the body of an answer with status {}", status.code),
        _ => "inside the stream".to_owned(),
    };
    let means = known.map_or(String::new(), |advice| format!(" {}", advice.means));
    let next = match known {
        Some(advice) if advice.cause == Cause::RateLimit => retry(analysis, message).unwrap_or_else(|| advice.next.to_owned()),
        Some(advice) => advice.next.to_owned(),
        None if code.is_empty() => "HTTP said success, and the provider gave no code: go by its words, or send again.".to_owned(),
        None => "HTTP said success, so only this tells. What the provider's code means stands in its documentation.".to_owned(),
    };
    problem(
        known.map_or(Blame::Peer, |advice| blame(advice.cause)),
        if code.is_empty() { "peer-error" } else { code },
        format!("The provider reported {named} {place}:{means}{}", says(code, message, if means.is_empty() { "" } else { " It says:" })),
        came(analysis),
        if code.is_empty() { message.to_owned() } else { format!("{code}: {message}") },
        &next,
    )
}

/// A WebSocket that was closed for a reason before the reply was whole.
pub(super) fn by_close(analysis: &Analysis, close: u16, reason: &str) -> Problem {
    if let Some((code, words)) = analysis.fold.dialect.closed(close, reason) {
        return in_reply(analysis, &code, &words);
    }
    let known = advise(analysis, 0, reason, reason);
    let why = if reason.is_empty() { String::new() } else { format!(", «{}»,", reason.trim()) };
    let means = known.map_or(String::new(), |advice| format!(" {}", advice.means));
    problem(
        known.map_or(Blame::Peer, |advice| blame(advice.cause)),
        format!("close-{close}"),
        format!("The server closed the WebSocket with {close}{why} before the reply was whole.{means}"),
        came(analysis),
        format!("close {close} {reason}"),
        known.map_or(of_close(close), |advice| advice.next),
    )
}

/// What the provider's own code means, and what to do; a key that is missed where none was sent is no wrong one.
fn advise(analysis: &Analysis, status: u16, code: &str, message: &str) -> Option<Advice> {
    let found = advice::advice(analysis.fold.dialect.id(), status, code, message)?;
    let missed = analysis.keyless && matches!(found.cause, Cause::WrongKey | Cause::Expired);
    Some(if missed { Advice::of(Cause::NoKey) } else { found })
}

/// Who can do something about it.
fn blame(cause: Cause) -> Blame {
    use Cause::*;
    match cause {
        NoKey | WrongKey | Expired | Signature | NoRight | ModelAccess | Quota | Region | BetaOff | Version => Blame::Configuration,
        RateLimit | Overloaded | Server | Timeout | SocketOld | Loading | Memory | Filtered => Blame::Peer,
        UnknownModel | NotPulled | Profile | TooLong | TooLarge | Parameter | Unsupported | Schema | StreamOnly | Endpoint
        | PreviousGone | Busy | ToolTurns | Media => Blame::User,
    }
}

/// What a status means where the provider says nothing that is known.
fn of_number(analysis: &Analysis, status: u16, message: &str) -> (Blame, &'static str, String) {
    use Blame::{Configuration, Network, Peer, User};
    let (blame, what, next) = match status {
        400 | 422 => (User, "The server does not accept the request as it is.", "Change what its message names, then send again."),
        403 => (Configuration, "The key may not do this.", "Check the key's rights, the model's region and the account."),
        404 | 410 => (User, "There is no such path or model.", "Check the URL and the model name."),
        405 => (User, "The path does not take this method.", "Check the URL: the endpoint for replies is another path of this server."),
        407 => (
            Configuration,
            "A proxy on the way wants a login.",
            "Put its name and password into the proxy's URL in Settings, or go without it.",
        ),
        408 | 504 | 524 => (Network, "Something between waited too long.", "Try again; for long prompts ask for a stream."),
        406 | 415 => {
            (User, "The server does not speak the media type that was asked for.", "Choose another transport, or check the dialect.")
        }
        413 => (User, "The request is too large.", "Shorten it."),
        426 => (
            User,
            "The server wants another protocol on this path.",
            "See the field Upgrade of its answer; for a WebSocket choose that transport.",
        ),
        429 => {
            let next = retry(analysis, message).unwrap_or_else(|| "The server gave no time to wait; try again in a while.".into());
            return (Peer, "Rate limited.", next);
        }
        501 => (Peer, "The server does not implement this.", "Check the URL and the dialect."),
        500..=599 => (Peer, "The server failed.", "Try again in a while; the fault is not in your request."),
        _ => (Peer, "The server refused.", "See its answer: the frames show all of it."),
    };
    (blame, what, next.into())
}

/// An HTML page under an error status: what stands before the API answered.
fn of_gateway(status: u16) -> (Blame, &'static str, String) {
    let (blame, next) = match status {
        429 => (Blame::Peer, "Wait a while: it limits how often one may ask."),
        500..=599 => (Blame::Peer, "It could not reach the API, or not in time: try again in a while."),
        401 | 407 => (Blame::Configuration, "It wants a login of its own: check the URL, and the proxy in Settings."),
        403 => (Blame::Network, "A firewall or a bot check stands before the API: check the URL, and try without VPN or proxy."),
        _ => (Blame::User, "Check the URL: a web server answered, not the API."),
    };
    (blame, "A gateway answered with an HTML page, not the API.", next.into())
}

/// The peer's words, unless they are but its code.
fn says(code: &str, message: &str, how: &str) -> String {
    let message = message.trim();
    if message.is_empty() || message == code { String::new() } else { format!("{how} «{message}»") }
}

/// How long to wait: by the header's word, or by the message's.
fn retry(analysis: &Analysis, message: &str) -> Option<String> {
    let millis = field(analysis, "retry-after-ms").map(|ms| format!("{ms} ms"));
    let seconds = |value: String| if value.bytes().all(|b| b.is_ascii_digit()) { format!("{value} s") } else { value };
    let body = || analysis.fold.folded.facts.retry.clone();
    let told = millis.or_else(|| field(analysis, "retry-after").map(seconds)).or_else(body).or_else(|| said(message))?;
    Some(format!("Retry in {told}: the time the server gave."))
}

/// The time in «Please try again in 2.5s.» and «Please retry in 17.3s.»
fn said(message: &str) -> Option<String> {
    let rest = ["try again in ", "retry in "].iter().find_map(|words| message.split_once(words)).map(|(_, rest)| rest)?;
    let mut words = rest.split_whitespace();
    let first = words.next()?.trim_end_matches(['.', ',', ';']);
    if !first.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let unit = words.next().filter(|_| first.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    Some(unit.map_or(first.to_owned(), |unit| format!("{first} {}", unit.trim_end_matches(['.', ',', ';']))))
}

/// What to do about a close code that came without a reason.
fn of_close(code: u16) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn the_time_to_wait_that_stands_in_a_message() {
        for (message, time) in [
            ("Limit 30000. Please try again in 2s. Visit us.", Some("2s")),
            ("* Quota exceeded\nPlease retry in 17.3s.", Some("17.3s")),
            ("Please try again in 7 minutes.", Some("7 minutes")),
            ("Please try again in 6m0.5s, or pay.", Some("6m0.5s")),
            ("Please try again in a while.", None),
            ("No.", None),
        ] {
            assert_eq!(said(message).as_deref(), time, "{message}");
        }
    }
}
