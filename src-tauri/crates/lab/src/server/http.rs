//! From a request to a response: routing, the faults that come before the first byte, and errors in the shape SDKs expect.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::header::{ALLOW, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use ::http::{Method, Request, Response, StatusCode, request};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming};
use serde_json::Value;
use tokio::time::{Sleep, sleep};

use super::body::Reply;
use super::coding::{Coding, coded};
use super::deploys::Met;
use super::{Client, held, plain, replies, socket};
use crate::connections::{Exchange, Side, State, Transport, client_of};
use crate::dialects::{Aside, Dialect, Request as Read};
use crate::endpoints::{Place, Route, place};
use crate::fault::{Faults, JsonInstead};
use crate::keys;
use crate::models::{self, MODELS};
use crate::overrides::Terms;
use crate::rejection::{Reason, Rejection};

/// The largest request body; larger ones get 413.
const BODY: usize = 64 << 20;

/// One request, as far as routes need it.
pub(super) struct Asked {
    pub client: Client,
    pub head: request::Parts,
    pub terms: Terms,
    pub place: Place,
}

impl Asked {
    pub(super) fn dialect(&self) -> &'static dyn Dialect {
        self.place.dialect
    }

    /// The request as its dialect reads it.
    pub(super) fn read<'a>(&'a self, body: &'a [u8]) -> Read<'a> {
        Read {
            method: &self.head.method,
            path: &self.place.path,
            target: self.head.uri.path(),
            query: self.query(),
            headers: &self.head.headers,
            body,
            names: &self.place.names,
        }
    }

    /// Refuses the request in its dialect's words, with a row in the ledger that no fault applies to.
    pub(super) fn refused(&self, rejection: &Rejection) -> Response<Reply> {
        refused(&self.client, &self.head, self.dialect(), rejection)
    }

    pub(super) fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }

    /// The path a deploy of what answers here is known by: a reply that is heard again comes from the service that began it.
    pub(super) fn service(&self) -> String {
        let path = self.head.uri.path();
        let id = self.place.names.iter().find(|(name, _)| *name == "id" && matches!(self.place.route, Route::Kept));
        id.and_then(|(_, id)| path.split_once(&format!("/{id}"))).map_or(path, |(service, _)| service).to_owned()
    }

    /// Opens a row in the ledger for a reply the faults apply to.
    pub(super) fn begin(&self, transport: Transport) -> Exchange {
        self.begin_with(transport, self.terms.faults.label())
    }

    /// Opens a row for a reply no fault applies to.
    pub(super) fn begin_sound(&self, transport: Transport) -> Exchange {
        self.begin_with(transport, Faults::default().label())
    }

    fn begin_with(&self, transport: Transport, fault: String) -> Exchange {
        let path = self.head.uri.path().into();
        self.client.shared.ledger.begin(client_of(&self.head.headers), transport, path, fault)
    }
}

pub(super) async fn answer(client: Client, request: Request<Incoming>) -> Response<Reply> {
    let (wanted, method) = (Coding::wanted(request.headers()), request.method().clone());
    coded(wanted, &method, answer_plain(client, request).await)
}

async fn answer_plain(client: Client, request: Request<Incoming>) -> Response<Reply> {
    let (mut head, body) = request.into_parts();
    // HTTP/2 names the host in `:authority` (RFC 9113, section 8.3.1); a signature calls it `host` all the same.
    if let Some(authority) = head.uri.authority().filter(|_| !head.headers.contains_key(HOST))
        && let Ok(value) = HeaderValue::from_str(authority.as_str())
    {
        head.headers.insert(HOST, value);
    }
    let place = match place(head.uri.path(), &head.headers) {
        Ok(place) => place,
        Err(dialect) => return refused(&client, &head, dialect, &Rejection::no_path(&head.method, head.uri.path())),
    };
    let terms = match Terms::of(&client.settings, &head.headers, head.uri.query().unwrap_or_default()) {
        Ok(terms) => terms,
        Err(rejection) => return refused(&client, &head, place.dialect, &rejection),
    };
    let mut asked = Asked { client, head, terms, place };
    let route = asked.place.route;
    let upgrade = socket::is_upgrade(&asked.head);
    let allowed: &[Method] = match route {
        Route::Lanes if upgrade => &[Method::GET],
        Route::Reply | Route::Lanes => asked.dialect().methods(),
        Route::Kept => &[Method::GET, Method::POST],
        Route::Echo => &[Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS],
        Route::Sse | Route::Flood => &[Method::GET, Method::POST],
        _ => &[Method::GET],
    };
    if !allowed.contains(&asked.head.method) {
        let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        let mut response = asked.refused(&Rejection::no_method(&asked.head.method, asked.head.uri.path()));
        set(&mut response, ALLOW, &names.join(", "));
        return response;
    }
    if asked.terms.faults.deploy.is_some() {
        let met = held(&asked.client.shared.deploys).meet(&asked.service());
        match met {
            Met::Old => {}
            Met::New => asked.terms.faults.deploy = None,
            Met::Nobody => {
                asked.begin(if upgrade { Transport::Ws } else { Transport::Http }).set(BROKEN_BY_LAB);
                // The connection is gone before this can be answered.
                asked.client.control.kill(true);
                std::future::pending::<()>().await;
            }
        }
    }
    if !matches!(route, Route::Index | Route::Models)
        && let Some(response) = before_the_first_byte(&asked, upgrade)
    {
        return response;
    }
    let talks = matches!(route, Route::Talk) || (upgrade && matches!(route, Route::Lanes));
    if keys::is_wrong(&asked.head.headers, asked.query()) && !(talks && asked.dialect().key_after_upgrade()) {
        return asked.refused(&Rejection::wrong_key());
    }
    match route {
        Route::Lanes if upgrade => socket::open(asked, body, socket::Kind::Lanes),
        Route::Talk => socket::open(asked, body, socket::Kind::Talk),
        Route::EchoSocket => socket::open(asked, body, socket::Kind::Echo),
        Route::FloodSocket => socket::open(asked, body, socket::Kind::Flood),
        Route::Kept | Route::Reply | Route::Lanes => match read(&asked, body).await {
            Ok(body) => replies::reply(asked, &body).await,
            Err(rejection) => asked.refused(&rejection),
        },
        Route::Echo => match read(&asked, body).await {
            Ok(body) => plain::echo(&asked, &body),
            Err(rejection) => asked.refused(&rejection),
        },
        Route::Sse => plain::sse(asked),
        Route::Flood => plain::flood(asked),
        Route::Models => list(&asked),
        Route::Index => whole(&asked, plain::index()),
    }
}

/// The list of models, or the one the path names.
fn list(asked: &Asked) -> Response<Reply> {
    let dialect = asked.dialect();
    match asked.place.names.iter().find(|(name, _)| *name == "model") {
        None => whole(asked, dialect.models(MODELS)),
        Some((_, name)) => match models::find(name) {
            Some(model) => whole(asked, dialect.model(model)),
            None => asked.refused(&Rejection::no_model(name)),
        },
    }
}

async fn read(asked: &Asked, body: Incoming) -> Result<Bytes, Rejection> {
    if let Some(time) = asked.terms.faults.slow_reader {
        sleep(time).await;
    }
    let body = SlowlyRead { body, pause: asked.terms.faults.small_window.map(|window| window.pause), waits: None };
    match Limited::new(body, BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Rejection {
            status: 413,
            reason: Reason::TooLarge,
            code: Some("request_too_large"),
            ..Rejection::invalid(None, format!("The request body is larger than {} MiB.", BODY >> 20))
        }),
        // The client broke off; nobody will read this.
        Err(error) => Err(Rejection::invalid(None, format!("The request body could not be read: {error}."))),
    }
}

/// A request's body, each piece of it taken after a pause: until then hyper does not open the window again.
struct SlowlyRead {
    body: Incoming,
    pause: Option<Duration>,
    waits: Option<Pin<Box<Sleep>>>,
}

impl Body for SlowlyRead {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(pause) = self.pause {
            ready!(self.waits.get_or_insert_with(|| Box::pin(sleep(pause))).as_mut().poll(cx));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.waits = None;
        Poll::Ready(frame)
    }
}

/// Faults that take the place of the response.
fn before_the_first_byte(asked: &Asked, upgrade: bool) -> Option<Response<Reply>> {
    let faults: &Faults = &asked.terms.faults;
    let transport = if upgrade { Transport::Ws } else { Transport::Http };
    let done = |response: Response<Reply>| {
        let exchange = asked.begin(transport);
        exchange.sent(size(&response));
        exchange.set(State::Complete);
        Some(response)
    };
    if let Some(status) = faults.status {
        let rejection = Rejection::pretended(status.code);
        let mut response = refusal(asked.dialect(), &rejection);
        if let Some(seconds) = status.retry_after {
            set(&mut response, RETRY_AFTER, &seconds.to_string());
        }
        return done(response);
    }
    if let Some(code) = faults.ws_refuse.filter(|_| upgrade) {
        let message = "The WebSocket handshake is refused, as the Lab was asked to pretend.";
        let rejection = Rejection { status: code, ..Rejection::invalid(None, message) };
        return done(refusal(asked.dialect(), &rejection));
    }
    if faults.html_error {
        let page = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1><p>The proxy in front of the Lab got no answer.</p></body></html>\n";
        return done(response(502, "text/html; charset=utf-8", Reply::whole(page)));
    }
    if let Some(to) = &faults.redirect {
        let mut response = response(307, "text/plain; charset=utf-8", Reply::whole(format!("Go to {to}\n")));
        set(&mut response, LOCATION, to);
        return done(response);
    }
    if faults.empty && !upgrade {
        return done(response(200, "text/event-stream; charset=utf-8", Reply::Whole(None)));
    }
    if faults.json == Some(JsonInstead::Error) && !upgrade {
        return done(json_response(200, &asked.dialect().error_with_200()));
    }
    None
}

/// A response of one JSON value, with its row in the ledger.
pub(super) fn whole(asked: &Asked, value: Value) -> Response<Reply> {
    let exchange = asked.begin_sound(Transport::Http);
    let body = value.to_string();
    exchange.sent(body.len());
    exchange.set(State::Complete);
    response(200, "application/json", Reply::whole(body))
}

pub(super) fn response(status: u16, kind: &'static str, body: Reply) -> Response<Reply> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

pub(super) fn json_response(status: u16, value: &Value) -> Response<Reply> {
    response(status, "application/json", Reply::whole(value.to_string()))
}

/// Sets a header; a value no header can hold is left out.
pub(super) fn set(response: &mut Response<Reply>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Sets headers a dialect names; what no header can hold is left out.
pub(super) fn set_all(response: &mut Response<Reply>, head: Vec<(&'static str, String)>) {
    for (name, value) in head {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            set(response, name, &value);
        }
    }
}

/// A refusal in a dialect's shape.
pub(super) fn refusal(dialect: &dyn Dialect, rejection: &Rejection) -> Response<Reply> {
    let mut response = json_response(rejection.status, &dialect.refuse(rejection));
    set_all(&mut response, dialect.refusal_head(rejection));
    response
}

/// A refusal in a dialect's shape, with its row in the ledger.
fn refused(client: &Client, head: &request::Parts, dialect: &dyn Dialect, rejection: &Rejection) -> Response<Reply> {
    let exchange = client.shared.ledger.begin(
        client_of(&head.headers),
        if socket::is_upgrade(head) { Transport::Ws } else { Transport::Http },
        head.uri.path().into(),
        "none".into(),
    );
    let response = refusal(dialect, rejection);
    exchange.sent(size(&response));
    exchange.set(State::Complete);
    response
}

/// An answer that is no model's reply, with its row in the ledger.
pub(super) fn aside(asked: &Asked, aside: Aside) -> Response<Reply> {
    let exchange = asked.begin_sound(Transport::Http);
    let mut response = match aside.body {
        Some(body) => json_response(aside.status, &body),
        None => {
            let mut response = Response::new(Reply::Whole(None));
            *response.status_mut() = StatusCode::from_u16(aside.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response
        }
    };
    set_all(&mut response, aside.head);
    exchange.sent(size(&response));
    exchange.set(State::Complete);
    response
}

/// Bytes of a body that is whole.
pub(super) fn size(response: &Response<Reply>) -> usize {
    Body::size_hint(response.body()).exact().unwrap_or(0) as usize
}

/// What an exchange is when the Lab itself breaks it off.
pub(super) const BROKEN_BY_LAB: State = State::Dropped { by: Side::Lab };
