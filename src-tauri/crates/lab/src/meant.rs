//! What the Lab means to answer to a request: for tests that hold what a client decoded against it.

use http::{HeaderMap, Method};

use crate::ask::Ask;
use crate::connections::Transport;
use crate::dialects::{Act, Heard, Request};
use crate::endpoints::{Route, place};
use crate::overrides::Terms;
use crate::rejection::Rejection;
use crate::script::Script;
use crate::settings::Settings;

impl Script {
    /// What the Lab means to answer to `body` at `path` (with its query, if any) under `settings` as changed by the request's own
    /// `x-lab-*` overrides: the same script the server composes. `websocket` says that the body is a message on a WebSocket.
    /// Replies that go on from earlier ones count those in the server only, and later replies on a WebSocket have other ids.
    ///
    /// Fails as the server would refuse the request; with status 404 for a path no dialect answers at.
    pub fn for_request(path: &str, headers: &HeaderMap, websocket: bool, body: &[u8], settings: &Settings) -> Result<Script, Rejection> {
        if websocket {
            return Script::for_messages(path, headers, &[body], settings);
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let place = place(path, headers).map_err(|_| Rejection::no_path(&Method::POST, path))?;
        let terms = Terms::of(settings, headers, query)?;
        if !matches!(place.route, Route::Reply | Route::Lanes) {
            return Err(Rejection::no_path(&Method::POST, path));
        }
        let request = Request { method: &Method::POST, path: &place.path, target: path, query, headers, body, names: &place.names };
        let (ask, _) = place.dialect.read(&request)?;
        ask.check()?;
        let transport = if ask.stream { place.dialect.streams_as(&request) } else { Transport::Http };
        Ok(Script::compose(&ask, transport, &terms.settings, terms.faults.split_utf8.is_some()))
    }

    /// What the Lab means to answer to the last of `messages` that it answers with a reply, on a WebSocket opened at `path`.
    ///
    /// Fails as the server would refuse the handshake or a message, and with status 400 if no message asks for a reply.
    pub fn for_messages(path: &str, headers: &HeaderMap, messages: &[&[u8]], settings: &Settings) -> Result<Script, Rejection> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let place = place(path, headers).map_err(|_| Rejection::no_path(&Method::GET, path))?;
        let terms = Terms::of(settings, headers, query)?;
        let compose = |ask: &Ask| Script::compose(ask, Transport::Ws, &terms.settings, terms.faults.split_utf8.is_some());
        let request = Request { method: &Method::GET, path: &place.path, target: path, query, headers, body: &[], names: &place.names };
        let none = || Rejection::invalid(None, "No message asks for a reply.");
        if matches!(place.route, Route::Lanes) {
            let body = messages.last().copied().ok_or_else(none)?;
            let (ask, _) = place.dialect.read(&Request { body, ..request })?;
            ask.check()?;
            return Ok(compose(&ask));
        }
        let mut talk = place.dialect.talk(&request).ok_or_else(|| Rejection::no_path(&Method::GET, path))??;
        let mut last = None;
        let mut acts = talk.open();
        let mut messages = messages.iter();
        loop {
            let mut said = Vec::new();
            for act in std::mem::take(&mut acts) {
                if let Act::Say(asked) = act {
                    asked.0.check()?;
                    said.push(compose(&asked.0));
                }
            }
            for script in said {
                acts.extend(talk.hear(Heard::Said(&script)));
                last = Some(script);
            }
            if acts.is_empty() {
                let Some(message) = messages.next() else { break };
                acts = match std::str::from_utf8(message) {
                    Ok(text) => talk.hear(Heard::Text(text)),
                    Err(_) => talk.hear(Heard::Binary(message)),
                };
            }
        }
        last.ok_or_else(none)
    }
}
