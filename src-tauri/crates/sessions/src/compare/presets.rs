//! Comparisons to start from: the questions people ask.

use weir_dialects::{Ask, Dialect, Message, Role, Transport, dialect, provider::Provider};

use super::{Comparison, Connection, Lane, Order, Preset};
use crate::Engine;
use crate::view::{Draft, HeaderLine};

/// The prompt of presets where the user has none yet.
pub const PROMPT: &str = "Explain the difference between a frame and a chunk to someone who streams tokens for the first time.";

/// Runs of a preset's lane: enough for intervals that keep their level.
const RUNS: u32 = 30;

/// Every preset for `provider` and `model` ("" for its first one) with this prompt ("" for [`PROMPT`]). `other` is the second provider
/// where two are compared; "" takes the Lab.
pub fn presets(engine: &Engine, provider: &str, model: &str, prompt: &str, other: &str) -> Vec<Preset> {
    let provider = if provider.is_empty() { "lab" } else { provider };
    let desk = Desk { engine, provider, model, prompt: if prompt.trim().is_empty() { PROMPT } else { prompt } };
    vec![
        preset(
            "protocols",
            "Three protocols, one prompt",
            "Is WebSocket faster than SSE here, and what does one HTTP response cost?",
            desk.protocols(),
        ),
        preset("providers", "Two providers", "Who answers the same question sooner, and who writes faster?", desk.providers(other)),
        preset(
            "versions",
            "HTTP/1.1 against 2",
            "Does HTTP/2 make the same event stream any faster, and what do its frames cost?",
            desk.versions(),
        ),
        preset("gzip", "SSE gzip against plain", "What does compressing the event stream save, and does it hold events back?", desk.gzip()),
        preset(
            "deflate",
            "WebSocket deflate against plain",
            "What does permessage-deflate save, and what does it cost in time?",
            desk.deflate(),
        ),
        preset("reuse", "Cold against reused", "How much of the wait is connecting?", desk.reuse()),
    ]
}

fn preset(id: &str, name: &str, about: &str, lanes: Result<Vec<Lane>, String>) -> Preset {
    let (lanes, why) = match lanes {
        Ok(lanes) => (Some(lanes), String::new()),
        Err(why) => (None, why),
    };
    let comparison = lanes.map(|lanes| Comparison {
        id: String::new(),
        title: name.into(),
        lanes,
        runs: RUNS,
        warmups: 2,
        order: Order::Interleaved,
        seed: 1,
        pause_ms: 0,
    });
    Preset { id: id.into(), name: name.into(), about: about.into(), comparison, why }
}

struct Desk<'a> {
    engine: &'a Engine,
    provider: &'a str,
    model: &'a str,
    prompt: &'a str,
}

/// What the Lab is asked for in a comparison: the same words over every protocol, and so few that thirty runs of three lanes take half a
/// minute. The lanes show these fields, and anyone can take them out.
fn brief() -> Vec<HeaderLine> {
    let field = |(name, value): (&str, &str)| HeaderLine { name: name.into(), value: value.into() };
    [("x-lab-reply", "echo"), ("x-lab-tokens", "40"), ("x-lab-ttft-ms", "60"), ("x-lab-rate", "240")].map(field).to_vec()
}

impl Desk<'_> {
    fn known(&self, id: &str) -> Result<Provider, String> {
        self.engine.provider(id).ok_or_else(|| format!("There is no provider «{id}»."))
    }

    /// The provider's dialects, those first that are worth comparing: Responses speaks all three protocols.
    fn dialects(provider: &Provider) -> Vec<&'static dyn Dialect> {
        let mut all: Vec<_> =
            provider.dialects.iter().filter_map(|(id, _)| dialect::find(id)).filter(|d| d.id() != "raw" && !d.decode_only()).collect();
        all.sort_by_key(|dialect| dialect.id() != "openai-responses");
        all
    }

    /// The first dialect that speaks all of `transports`, or the reason why there is none.
    fn speaks(provider: &Provider, transports: &[Transport]) -> Result<&'static dyn Dialect, String> {
        let found = Self::dialects(provider).into_iter().find(|dialect| transports.iter().all(|t| dialect.transports().contains(t)));
        found.ok_or_else(|| {
            let names: Vec<&str> = transports.iter().map(|transport| transport.name()).collect();
            format!("{} has no API that speaks {}.", provider.name, names.join(", "))
        })
    }

    fn lane(&self, provider: &Provider, name: &str, dialect: &dyn Dialect, transport: Transport, http: &str) -> Lane {
        let model = Some(self.model).filter(|model| !model.is_empty() && provider.id == self.provider).map(str::to_owned);
        Lane {
            name: name.into(),
            draft: Draft {
                provider: provider.id.clone(),
                dialect: dialect.id().into(),
                transport,
                http: http.into(),
                base_url: None,
                url: None,
                ask: Ask {
                    model: model.or_else(|| provider.models.first().cloned()).unwrap_or_default(),
                    messages: vec![Message::new(Role::User, self.prompt)],
                    ..Ask::default()
                },
                headers: if provider.id == "lab" { brief() } else { Vec::new() },
                insecure: false,
                title: None,
                keep_open: false,
                deflate: false,
                reused: false,
            },
            connection: Connection::Cold,
            coding: String::new(),
            deflate: false,
        }
    }

    fn protocols(&self) -> Result<Vec<Lane>, String> {
        use Transport::{Http, Ndjson, Sse, Websocket};
        let provider = self.known(self.provider)?;
        if let Ok(dialect) = Self::speaks(&provider, &[Http, Sse, Websocket]) {
            return Ok([("HTTP", Http), ("SSE", Sse), ("WebSocket", Websocket)]
                .map(|(name, transport)| self.lane(&provider, name, dialect, transport, "auto"))
                .to_vec());
        }
        // Where no one API speaks all three, each protocol comes from the first that has it.
        let lanes: Vec<Lane> = [("HTTP", Http), ("SSE", Sse), ("NDJSON", Ndjson), ("WebSocket", Websocket)]
            .into_iter()
            .filter_map(|(name, transport)| {
                Some(self.lane(&provider, name, Self::speaks(&provider, &[transport]).ok()?, transport, "auto"))
            })
            .collect();
        if lanes.len() < 2 { Err(format!("{} speaks one protocol only.", provider.name)) } else { Ok(lanes) }
    }

    fn providers(&self, other: &str) -> Result<Vec<Lane>, String> {
        let first = self.known(self.provider)?;
        let other = if other.is_empty() { "lab" } else { other };
        if other == first.id {
            // The Lab against itself is the test that a comparison of equals marks no best.
            let dialect = Self::speaks(&first, &[Transport::Sse])?;
            let second = Self::dialects(&first).into_iter().find(|d| d.id() != dialect.id() && d.transports().contains(&Transport::Sse));
            let second = second.ok_or_else(|| "Choose a second provider.".to_owned())?;
            return Ok([dialect, second].map(|dialect| self.lane(&first, dialect.name(), dialect, Transport::Sse, "auto")).to_vec());
        }
        let second = self.known(other)?;
        [&first, &second]
            .into_iter()
            .map(|provider| Ok(self.lane(provider, &provider.name, Self::speaks(provider, &[Transport::Sse])?, Transport::Sse, "auto")))
            .collect()
    }

    fn versions(&self) -> Result<Vec<Lane>, String> {
        let provider = self.known(self.provider)?;
        let dialect = Self::speaks(&provider, &[Transport::Sse])?;
        Ok([("HTTP/1.1", "1.1"), ("HTTP/2", "2")].map(|(name, http)| self.lane(&provider, name, dialect, Transport::Sse, http)).to_vec())
    }

    fn gzip(&self) -> Result<Vec<Lane>, String> {
        let provider = self.known(self.provider)?;
        let dialect = Self::speaks(&provider, &[Transport::Sse])?;
        let plain = self.lane(&provider, "Plain", dialect, Transport::Sse, "auto");
        let gzip = Lane { name: "gzip".into(), coding: "gzip".into(), ..plain.clone() };
        Ok(vec![plain, gzip])
    }

    fn deflate(&self) -> Result<Vec<Lane>, String> {
        let provider = self.known(self.provider)?;
        let dialect = Self::speaks(&provider, &[Transport::Websocket])?;
        let plain = self.lane(&provider, "Plain", dialect, Transport::Websocket, "1.1");
        let deflate = Lane { name: "permessage-deflate".into(), deflate: true, ..plain.clone() };
        Ok(vec![plain, deflate])
    }

    fn reuse(&self) -> Result<Vec<Lane>, String> {
        let provider = self.known(self.provider)?;
        let dialect = Self::speaks(&provider, &[Transport::Sse])?;
        let cold = self.lane(&provider, "Cold", dialect, Transport::Sse, "auto");
        let reused = Lane { name: "Reused".into(), connection: Connection::Reused, ..cold.clone() };
        Ok(vec![cold, reused])
    }
}
