//! From a request to a response: routing, the faults that come before the first byte, and errors in the shape SDKs expect.

use ::http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use ::http::{Method, Request, Response, StatusCode, request};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::body::Reply;
use super::{Client, plain, replies, socket};
use crate::ask::Rejection;
use crate::connections::{Exchange, Side, State, Transport, client_of};
use crate::dialects::openai_error;
use crate::endpoints::{Route, route};
use crate::fault::{Faults, JsonInstead};
use crate::models::{MODELS, Model};
use crate::overrides::Terms;

/// The largest request body; larger ones get 413.
const BODY: usize = 64 << 20;

/// One request, as far as routes need it.
pub(super) struct Asked {
    pub client: Client,
    pub head: request::Parts,
    pub terms: Terms,
}

impl Asked {
    pub(super) fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
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
    let (head, body) = request.into_parts();
    let terms = Terms::of(&client.settings, &head.headers, head.uri.query().unwrap_or_default());
    let Some(route) = route(head.uri.path()) else {
        return refused(
            &client,
            &head,
            &Rejection {
                status: 404,
                code: Some("unknown_url"),
                ..Rejection::invalid(None, format!("Invalid URL ({} {})", head.method, head.uri.path()))
            },
        );
    };
    let terms = match terms {
        Ok(terms) => terms,
        Err(rejection) => return refused(&client, &head, &rejection),
    };
    let asked = Asked { client, head, terms };
    let upgrade = socket::is_upgrade(&asked.head);
    let allowed: &[Method] = match route {
        Route::Dialect { websocket: true, .. } if upgrade => &[Method::GET],
        Route::Dialect { .. } => &[Method::POST],
        Route::Echo => &[Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS],
        Route::Sse | Route::Flood => &[Method::GET, Method::POST],
        _ => &[Method::GET],
    };
    if !allowed.contains(&asked.head.method) {
        let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        let mut response = refused(
            &asked.client,
            &asked.head,
            &Rejection {
                status: 405,
                code: Some("method_not_supported"),
                ..Rejection::invalid(None, format!("Not allowed to {} on {}.", asked.head.method, asked.head.uri.path()))
            },
        );
        set(&mut response, ALLOW, &names.join(", "));
        return response;
    }
    if !matches!(route, Route::Index | Route::Models | Route::Model(_))
        && let Some(response) = before_the_first_byte(&asked, upgrade)
    {
        return response;
    }
    match route {
        Route::Dialect { websocket: true, .. } if upgrade => socket::open(asked, body, socket::App::Responses),
        Route::EchoSocket => socket::open(asked, body, socket::App::Echo),
        Route::FloodSocket => socket::open(asked, body, socket::App::Flood),
        Route::Dialect { dialect, .. } => match read(body).await {
            Ok(body) => replies::reply(asked, dialect, &body).await,
            Err(rejection) => refused(&asked.client, &asked.head, &rejection),
        },
        Route::Echo => match read(body).await {
            Ok(body) => plain::echo(&asked, &body),
            Err(rejection) => refused(&asked.client, &asked.head, &rejection),
        },
        Route::Sse => plain::sse(asked),
        Route::Flood => plain::flood(asked),
        Route::Models => whole(&asked, models()),
        Route::Model(id) => whole(&asked, MODELS.iter().find(|m| m.id == id).map_or(Value::Null, model)),
        Route::Index => whole(&asked, plain::index()),
    }
}

async fn read(body: Incoming) -> Result<Bytes, Rejection> {
    match Limited::new(body, BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Rejection {
            status: 413,
            code: Some("request_too_large"),
            ..Rejection::invalid(None, format!("The request body is larger than {} MiB.", BODY >> 20))
        }),
        // The client broke off; nobody will read this.
        Err(error) => Err(Rejection::invalid(None, format!("The request body could not be read: {error}."))),
    }
}

/// Faults that take the place of the response.
fn before_the_first_byte(asked: &Asked, upgrade: bool) -> Option<Response<Reply>> {
    let faults: &Faults = &asked.terms.faults;
    let transport = if upgrade { Transport::Ws } else { Transport::Http };
    let done = |response: Response<Reply>| {
        let exchange = asked.begin(transport);
        exchange.sent(hyper::body::Body::size_hint(response.body()).exact().unwrap_or(0) as usize);
        exchange.set(State::Complete);
        Some(response)
    };
    if let Some(status) = faults.status {
        let (kind, message) = match status.code {
            429 => ("rate_limit_exceeded", "Rate limit reached, as the Lab was asked to pretend."),
            401 => ("invalid_request_error", "Incorrect API key provided, as the Lab was asked to pretend."),
            400..=499 => ("invalid_request_error", "The request is refused, as the Lab was asked to pretend."),
            _ => ("server_error", "The server had an error, as the Lab was asked to pretend."),
        };
        let rejection = Rejection { status: status.code, kind, code: Some(kind), param: None, message: message.into() };
        let mut response = json_response(status.code, &openai_error(&rejection));
        if let Some(seconds) = status.retry_after {
            set(&mut response, RETRY_AFTER, &seconds.to_string());
        }
        return done(response);
    }
    if let Some(code) = faults.ws_refuse.filter(|_| upgrade) {
        let message = "The WebSocket handshake is refused, as the Lab was asked to pretend.";
        let rejection = Rejection { status: code, ..Rejection::invalid(None, message) };
        return done(json_response(code, &openai_error(&rejection)));
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
        let error = json!({"code": "The service is currently unavailable", "error": "The Lab answers a stream request with JSON, as it was asked to."});
        return done(json_response(200, &error));
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

/// A refusal in OpenAI's shape, with its row in the ledger.
pub(super) fn refused(client: &Client, head: &request::Parts, rejection: &Rejection) -> Response<Reply> {
    let exchange = client.shared.ledger.begin(
        client_of(&head.headers),
        if socket::is_upgrade(head) { Transport::Ws } else { Transport::Http },
        head.uri.path().into(),
        "none".into(),
    );
    let body = openai_error(rejection).to_string();
    exchange.sent(body.len());
    exchange.set(State::Complete);
    response(rejection.status, "application/json", Reply::whole(body))
}

fn models() -> Value {
    json!({"object": "list", "data": MODELS.iter().map(model).collect::<Vec<_>>()})
}

fn model(model: &Model) -> Value {
    json!({"id": model.id, "object": "model", "created": 1_780_000_000, "owned_by": "weir-lab", "description": model.description})
}

/// What an exchange is when the Lab itself breaks it off.
pub(super) const BROKEN_BY_LAB: State = State::Dropped { by: Side::Lab };
