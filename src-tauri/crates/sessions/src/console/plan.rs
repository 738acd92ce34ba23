//! A console's draft, read: the plan of its session, and how it goes on.

use std::time::Duration;

use weir_dialects::{Ask, Dialect, Transport, raw::Raw};
use weir_transport::reconnect::{Options, Statuses};

use super::Reflexes;
use crate::plan::Plan;
use crate::view::{ConsoleDraft, ConsoleMode, Draft, HeaderLine, Settings};
use crate::{Error, credentials, plan as plans};

/// Connections that one recording holds: each has its own streams and dissectors, which an index must be able to name.
pub const MOST_CONNECTIONS: u32 = 4096;

/// What the library calls the provider of a console's session.
pub const PROVIDER: &str = "console";

/// The plan for what a console asks. `lab` is the running Lab's address, if it runs.
///
/// # Errors
/// See [`crate::Engine::console`].
pub fn plan(draft: &ConsoleDraft, settings: &Settings, lab: Option<&str>) -> Result<Plan, Error> {
    let refused =
        |code: &str, message: String, evidence: String, next: &str| Error::new("user", code, message, "Nothing was sent.", evidence, next);
    if draft.url.trim().is_empty() {
        return Err(refused("console-url", "There is no address.".into(), String::new(), "Write where to connect."));
    }
    credentials::whole(&draft.headers, &[Some(&draft.url)], &draft.subprotocols, &[&draft.body])?;
    Reflexes::default().set(draft.echo, &draft.rules)?;
    options(draft)?;
    let url = plans::filled(draft.url.trim(), lab)?;
    let transport = match draft.mode {
        ConsoleMode::Sse => Transport::Sse,
        ConsoleMode::Websocket => Transport::Websocket,
    };
    let body = (!draft.body.is_empty() && draft.mode == ConsoleMode::Sse).then(|| draft.body.clone());
    let ask = Ask { raw_body: body, ..Ask::default() };
    let mut call = Raw.call(&ask, transport, &url, true, "")?;
    if draft.mode == ConsoleMode::Sse {
        if !draft.method.trim().is_empty() {
            call.method = draft.method.trim().to_ascii_uppercase();
        }
        call.subprotocols.clear();
    } else {
        call.subprotocols = draft.subprotocols.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    }
    let own: Vec<HeaderLine> = draft.headers.iter().filter(|line| !line.name.trim().is_empty()).cloned().collect();
    for line in &own {
        call.headers.retain(|h| !h.name.eq_ignore_ascii_case(line.name.trim()));
    }
    call.headers.extend(own.iter().map(|h| weir_dialects::Header { name: h.name.trim().into(), value: h.value.trim().into() }));
    let placed = call.url.contains("{key")
        || call.headers.iter().any(|h| h.value.contains("{key"))
        || call.subprotocols.iter().any(|p| p.contains("{key"));
    if !draft.key.is_empty() && !placed {
        call.headers.retain(|h| !h.name.eq_ignore_ascii_case("authorization"));
        call.headers.push(weir_dialects::Header { name: "Authorization".into(), value: "Bearer {key}".into() });
    }
    let address = url.split(['?', '#']).next().unwrap_or_default().split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let title = match draft.mode {
        ConsoleMode::Sse => format!("SSE {} {address}", call.method),
        ConsoleMode::Websocket => format!("WebSocket {address}"),
    };
    Ok(Plan {
        draft: Draft {
            provider: PROVIDER.into(),
            dialect: Raw.id().into(),
            transport,
            http: if draft.http.is_empty() { "auto".into() } else { draft.http.clone() },
            base_url: None,
            url: Some(draft.url.trim().to_owned()),
            ask,
            headers: own,
            insecure: draft.insecure,
            title: Some(title),
            keep_open: false,
            deflate: draft.deflate && draft.mode == ConsoleMode::Websocket,
            reused: false,
        },
        dialect: Raw.id().into(),
        call,
        // A console may be silent for hours, unless its user says otherwise.
        limits: [f64::from(settings.connect_seconds), f64::from(settings.first_byte_seconds), draft.silence_seconds.max(0.0), 0.0],
        proxy: settings.proxy.clone(),
        console: Some(draft.clone()),
    })
}

/// How a stream goes on when a connection ends.
///
/// # Errors
/// `console-retry-on` where the statuses are none.
pub(super) fn options(draft: &ConsoleDraft) -> Result<Options, Error> {
    let written = draft.retry_on.split([',', ' ']).map(str::trim).filter(|text| !text.is_empty());
    let retry_on = written.map(str::parse::<Statuses>).collect::<Result<_, _>>().map_err(|why| {
        Error::new(
            "user",
            "console-retry-on",
            "The statuses to ask again after cannot be read.",
            "Nothing was sent.",
            why,
            "Write statuses or classes with commas between them: 503, 5xx.",
        )
    })?;
    let backoff = (draft.backoff_seconds > 0.0).then(|| Duration::from_secs_f64(draft.backoff_seconds.min(86_400.0)));
    Ok(Options {
        reconnect: draft.reconnect,
        max_reconnects: draft.max_reconnects,
        delay: Duration::from_millis(u64::from(draft.delay_ms)),
        last_event_id: draft.last_event_id.clone(),
        retry_on,
        backoff,
        most_connections: Some(MOST_CONNECTIONS),
    })
}
