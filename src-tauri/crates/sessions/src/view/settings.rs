//! What the user chose once for all sessions.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use weir_dialects::{ClientEvent, Dialect, Extra, Transport};

/// Settings of the program. Every field has a default, so an older file reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Settings {
    /// `dark`, `light` or `system`.
    pub theme: String,
    /// Single letters act as shortcuts outside text fields.
    pub letter_keys: bool,
    /// Sessions are kept in the library; off: they live until their tab closes.
    pub record: bool,
    /// `system`, `direct`, or an `http://` proxy's URL.
    pub proxy: String,
    /// PEM text of certificate authorities to trust besides the platform's.
    pub roots: String,
    /// Seconds for DNS, TCP and TLS together.
    pub connect_seconds: u32,
    /// Seconds from the request's end to the first byte.
    pub first_byte_seconds: u32,
    /// Seconds between two reads.
    pub idle_seconds: u32,
    /// Start the Lab with the program.
    pub lab_at_start: bool,
    /// Port of the Lab.
    pub lab_port: u16,
    /// Providers the user added.
    pub providers: Vec<weir_dialects::provider::Provider>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: "dark".into(),
            letter_keys: true,
            record: true,
            proxy: "system".into(),
            roots: String::new(),
            connect_seconds: 10,
            first_byte_seconds: 300,
            idle_seconds: 120,
            lab_at_start: true,
            lab_port: 4780,
            providers: Vec::new(),
        }
    }
}

/// A dialect, as the composer offers it.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct DialectInfo {
    /// Id, e.g. `openai-chat`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Transports it speaks, the default first.
    pub transports: Vec<Transport>,
    /// Transports whose connection may stay open for further turns.
    pub open: Vec<OpenTransport>,
    /// Parameters of the API beyond the common ones.
    pub extras: &'static [Extra],
}

/// A transport whose connection may stay open.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct OpenTransport {
    /// The transport.
    pub transport: Transport,
    /// What a client may say on it, as templates.
    pub events: &'static [ClientEvent],
}

impl DialectInfo {
    /// What there is to know of a dialect.
    pub fn of(dialect: &dyn Dialect) -> Self {
        let transports = dialect.transports().to_vec();
        let open = transports.iter().filter(|transport| dialect.persistent(**transport));
        let open = open.map(|transport| OpenTransport { transport: *transport, events: dialect.client_events(*transport) }).collect();
        Self { id: dialect.id().into(), name: dialect.name().into(), open, extras: dialect.extras(), transports }
    }
}
