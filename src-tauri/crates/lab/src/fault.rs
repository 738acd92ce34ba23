//! Fault recipes: what the Lab can do wrong on purpose, one by one or several at once.

mod catalogue;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use catalogue::{CATALOGUE, GIB};

/// A recipe as the Lab view shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export, rename = "LabRecipe")]
pub struct Recipe {
    /// Name in the settings and in `x-lab-fault`.
    pub id: &'static str,
    /// A few words.
    pub name: &'static str,
    /// One line: what the client will see.
    pub description: &'static str,
    /// The trouble of real services it stands for.
    pub incident: &'static str,
    /// The one number that can be turned, if any.
    pub parameter: Option<Parameter>,
}

/// The number of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export, rename = "LabParameter")]
pub struct Parameter {
    /// `tok`, `s`, `ms`, `B`, `event`, `every`, or empty for a plain number.
    pub unit: &'static str,
    /// Value at first run.
    pub default: u32,
    /// Smallest value.
    pub min: u32,
    /// Largest value.
    pub max: u32,
}

/// A recipe's place in the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, rename = "LabSwitch")]
pub struct Switch {
    /// [`Recipe::id`].
    pub id: String,
    /// Whether new connections get it.
    pub on: bool,
    /// Value of the recipe's parameter; ignored where it has none.
    pub value: u32,
}

/// All recipes, in the order the Lab view shows them.
pub fn catalogue() -> &'static [Recipe] {
    CATALOGUE
}

/// The switches of first run: every recipe, off, at its default value.
pub fn switches() -> Vec<Switch> {
    CATALOGUE.iter().map(|r| Switch { id: r.id.into(), on: false, value: r.parameter.map_or(0, |p| p.default) }).collect()
}

/// Why a fault could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No recipe of that name.
    #[error("unknown fault `{0}`")]
    Unknown(String),
    /// The recipe exists, its value does not fit.
    #[error("fault `{fault}`: bad value `{value}`")]
    Value {
        /// The recipe as it was written.
        fault: String,
        /// The part that does not fit.
        value: String,
    },
}

/// Token counts after which, and events at which, one reply goes wrong. `None` and `false` are off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub drop_after: Option<u32>,
    pub cut_after: Option<u32>,
    pub stall: Option<Stall>,
    pub split_utf8: Option<u32>,
    pub cr_only: bool,
    pub malformed_json: Option<u32>,
    pub invalid_utf8: Option<u32>,
    pub bad_crc: Option<u32>,
    pub status: Option<Status>,
    pub html_error: bool,
    pub json: Option<JsonInstead>,
    pub redirect: Option<String>,
    pub empty: bool,
    pub slow_drip: Option<Duration>,
    pub no_end_marker: bool,
    pub close: Option<Close>,
    pub ws_refuse: Option<u16>,
    pub masked: bool,
    pub oversized: Option<u64>,
    pub huge_line: Option<u64>,
    pub deploy: Option<Deploy>,
    /// GOAWAY after so many tokens.
    pub goaway: Option<u32>,
    pub buffering: Option<Buffering>,
    pub idle_timeout: Option<Duration>,
    pub bom: bool,
    /// Every so many events, one twice.
    pub duplicate: Option<u32>,
    /// Every so many events, one not at all.
    pub lose: Option<u32>,
    /// In place of the stream's own media type.
    pub wrong_type: Option<String>,
    pub slow_reader: Option<Duration>,
    pub small_window: Option<SmallWindow>,
    /// Pings before each message.
    pub ping_flood: Option<u32>,
    /// Fragments of each message.
    pub fragmented: Option<u32>,
    /// Compress messages whether it was agreed or not.
    pub compressed: bool,
    pub no_deflate: bool,
    pub no_context_takeover: bool,
    /// Names of all that is on, for the connection's row.
    pub names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stall {
    pub after: u32,
    pub time: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    pub code: u16,
    /// Seconds for `Retry-After`.
    pub retry_after: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close {
    pub code: u16,
    pub after: u32,
}

/// A deploy: announced after so many tokens. Drained, the reply ends in peace; else it is dropped, and who comes back is not
/// answered for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deploy {
    pub after: u32,
    pub drain: bool,
    /// From the announcement to the drop.
    pub notice: Duration,
    /// From the drop until the service is back.
    pub down: Duration,
    /// What SSE's `retry:` says.
    pub retry: Duration,
}

/// What a gateway holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buffering {
    /// Until there are so many bytes.
    pub bytes: usize,
    /// But no longer than this after the first of them.
    pub time: Option<Duration>,
}

/// A flow-control window that is soon used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SmallWindow {
    /// What each stream of a connection that begins may send unasked (SETTINGS_INITIAL_WINDOW_SIZE, RFC 9113 §6.9.2).
    pub bytes: u32,
    /// Before each piece of a request's body is read, which opens the window again.
    pub pause: Duration,
}

/// What stands in the body in place of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonInstead {
    /// The whole reply, as if `stream` had been false.
    Reply,
    /// An error in the dialect's shape, with status 200.
    Error,
}

impl Faults {
    /// The faults that are switched on.
    pub(crate) fn of(switches: &[Switch]) -> Result<Faults, FaultError> {
        let mut faults = Faults::default();
        for switch in switches.iter().filter(|s| s.on) {
            let recipe = CATALOGUE.iter().find(|r| r.id == switch.id).ok_or_else(|| FaultError::Unknown(switch.id.clone()))?;
            match (switch.id.as_str(), recipe.parameter) {
                // The view turns the time in seconds and the tokens before the close; the header names them apart.
                ("stall", _) => faults.add(&format!("stall={}", switch.value))?,
                ("close", _) => faults.add(&format!("close=1011;after={}", switch.value))?,
                (id, Some(_)) => faults.add(&format!("{id}={}", switch.value))?,
                (id, None) => faults.add(id)?,
            }
        }
        Ok(faults)
    }

    /// The faults of one `x-lab-fault` header: recipes parted by commas.
    pub(crate) fn parse(header: &str) -> Result<Faults, FaultError> {
        let mut faults = Faults::default();
        for spec in header.split(',').map(str::trim).filter(|s| !s.is_empty() && *s != "none") {
            faults.add(spec)?;
        }
        Ok(faults)
    }

    /// Adds `id[=value][;key=value]…`.
    fn add(&mut self, spec: &str) -> Result<(), FaultError> {
        let mut parts = spec.split(';').map(str::trim);
        let head = parts.next().unwrap_or_default();
        let (id, value) = match head.split_once('=') {
            Some((id, value)) => (id.trim(), Some(value.trim())),
            None => (head, None),
        };
        let bad = |value: &str| FaultError::Value { fault: spec.into(), value: value.into() };
        let number = |text: &str| text.parse::<u64>().map_err(|_| bad(text));
        let small = |text: &str| text.parse::<u32>().map_err(|_| bad(text));
        let or_default = |id: &str| -> u32 { CATALOGUE.iter().find(|r| r.id == id).and_then(|r| r.parameter).map_or(0, |p| p.default) };
        let value_or = |id: &str| value.map_or(Ok(or_default(id)), small);
        let mut options: Vec<(&str, &str)> = Vec::new();
        for part in parts {
            options.push(part.split_once('=').ok_or_else(|| bad(part))?);
        }
        let option = |key: &str| options.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        let bytes = |n: u32| {
            if n > GIB { Err(bad(&n.to_string())) } else { Ok(u64::from(n)) }
        };
        let event = |id: &str| value_or(id).and_then(|n| if n == 0 { Err(bad("0")) } else { Ok(n) });

        match id {
            "drop-after" => self.drop_after = Some(value_or(id)?),
            "cut-after" => self.cut_after = Some(value_or(id)?),
            "stall" => {
                let time = Duration::from_secs(value_or(id)?.into());
                self.stall = Some(Stall { after: option("after").map_or(Ok(10), small)?, time });
            }
            "stall-after" => {
                let ms = option("ms").map_or(Ok(30_000), number)?;
                self.stall = Some(Stall { after: value.map_or(Ok(10), small)?, time: Duration::from_millis(ms) });
            }
            "split-utf8" => self.split_utf8 = Some(event(id)?),
            "cr-only" => self.cr_only = true,
            "malformed-json" => self.malformed_json = Some(event(id)?),
            "invalid-utf8" => self.invalid_utf8 = Some(event(id)?),
            "bad-crc" => self.bad_crc = Some(event(id)?),
            "status" | "status-429" | "status-500" => {
                let (code, retry) = match id {
                    "status-429" => (429, Some(value_or(id)?)),
                    "status-500" => (500, None),
                    _ => (value.map_or(Ok(500), small)?, None),
                };
                if !(400..=599).contains(&code) {
                    return Err(bad(&code.to_string()));
                }
                let retry_after = option("retry-after").map(small).transpose()?.or(retry);
                self.status = Some(Status { code: code as u16, retry_after });
            }
            "html-error" => self.html_error = true,
            "json-instead-of-stream" => {
                self.json = Some(match value {
                    None | Some("reply") => JsonInstead::Reply,
                    Some("error") => JsonInstead::Error,
                    Some(other) => return Err(bad(other)),
                });
            }
            "redirect" => {
                let to = value.unwrap_or("/echo");
                if http::HeaderValue::from_str(to).is_err() {
                    return Err(bad(to));
                }
                self.redirect = Some(to.into());
            }
            "empty" => self.empty = true,
            "slow-drip" => self.slow_drip = Some(Duration::from_millis(value_or(id)?.into())),
            "no-end-marker" => self.no_end_marker = true,
            "close" => {
                let code = value.map_or(Ok(1011), small)?;
                // What RFC 6455 §7.4 lets an endpoint put on the wire.
                if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                    return Err(bad(&code.to_string()));
                }
                self.close = Some(Close { code: code as u16, after: option("after").map_or(Ok(40), small)? });
            }
            "ws-refuse" => {
                let code = value_or(id)?;
                if !(300..=599).contains(&code) {
                    return Err(bad(&code.to_string()));
                }
                self.ws_refuse = Some(code as u16);
            }
            "masked" => self.masked = true,
            "oversized" => self.oversized = Some(bytes(value_or(id)?)?),
            "huge-line" => self.huge_line = Some(bytes(value_or(id)?)?),
            "deploy" | "deploy-drain" => {
                let ms = |key: &str, preset: u64| option(key).map_or(Ok(preset), number).map(Duration::from_millis);
                let drain = match option("drain") {
                    None => id == "deploy-drain",
                    Some("yes") => true,
                    Some("no") => false,
                    Some(other) => return Err(bad(other)),
                };
                let (notice, down) = (ms("notice", 500)?, ms("down", 2000)?);
                self.deploy = Some(Deploy { after: value_or(id)?, drain, notice, down, retry: ms("retry", 1000)? });
            }
            "goaway" => self.goaway = Some(value_or(id)?),
            "buffering" => {
                let time = option("ms").map(number).transpose()?.map(Duration::from_millis);
                self.buffering = Some(Buffering { bytes: bytes(value_or(id)?)? as usize, time });
            }
            "idle-timeout" => {
                let time = match option("ms") {
                    Some(ms) => Duration::from_millis(number(ms)?),
                    None => Duration::from_secs(value_or(id)?.into()),
                };
                if time.is_zero() {
                    return Err(bad("0"));
                }
                self.idle_timeout = Some(time);
            }
            "bom" => self.bom = true,
            "duplicate" => self.duplicate = Some(event(id)?),
            "lose" => self.lose = Some(event(id)?),
            "wrong-type" => {
                let kind = value.unwrap_or("text/plain");
                if http::HeaderValue::from_str(kind).is_err() {
                    return Err(bad(kind));
                }
                self.wrong_type = Some(kind.into());
            }
            "slow-reader" => {
                self.slow_reader = Some(match option("ms") {
                    Some(ms) => Duration::from_millis(number(ms)?),
                    None => Duration::from_secs(value_or(id)?.into()),
                });
            }
            "small-window" => {
                let bytes = event(id)?;
                // What a window is by itself (RFC 9113 §6.9.2): a larger one is not small.
                if bytes > 65_535 {
                    return Err(bad(&bytes.to_string()));
                }
                let pause = Duration::from_millis(option("ms").map_or(Ok(100), number)?);
                self.small_window = Some(SmallWindow { bytes, pause });
            }
            "close-1001" | "close-1012" | "close-1013" => {
                let code = id.trim_start_matches("close-").parse().map_err(|_| bad(id))?;
                self.close = Some(Close { code, after: value_or(id)? });
            }
            "ping-flood" | "fragmented" => {
                let most = CATALOGUE.iter().find(|r| r.id == id).and_then(|r| r.parameter).map_or(u32::MAX, |p| p.max);
                let number = event(id)?;
                if number > most {
                    return Err(bad(&number.to_string()));
                }
                *(if id == "fragmented" { &mut self.fragmented } else { &mut self.ping_flood }) = Some(number);
            }
            "compressed" => self.compressed = true,
            "no-deflate" => self.no_deflate = true,
            "no-context-takeover" => self.no_context_takeover = true,
            _ => return Err(FaultError::Unknown(id.into())),
        }
        self.names.push(id.into());
        Ok(())
    }

    /// What the connection's row says: `none`, or the recipes' ids.
    pub(crate) fn label(&self) -> String {
        if self.names.is_empty() { "none".into() } else { self.names.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_of_the_catalogue_can_be_switched_on() {
        for recipe in catalogue() {
            let value = recipe.parameter.map_or(0, |p| p.default);
            let on = [Switch { id: recipe.id.into(), on: true, value }];
            let faults = Faults::of(&on).expect(recipe.id);
            assert_eq!(faults.names, [recipe.id]);
            let off = Faults { names: Vec::new(), ..faults };
            assert_ne!(off, Faults::default(), "{} changes nothing", recipe.id);
            assert!(!recipe.incident.is_empty() && !recipe.incident.ends_with('.'), "{}", recipe.id);
        }
    }

    #[test]
    fn headers_name_several_faults_with_options() {
        let faults = Faults::parse("drop-after=40, stall-after=10;ms=250,status=429;retry-after=12").unwrap();
        assert_eq!(faults.drop_after, Some(40));
        assert_eq!(faults.stall, Some(Stall { after: 10, time: Duration::from_millis(250) }));
        assert_eq!(faults.status, Some(Status { code: 429, retry_after: Some(12) }));
        assert_eq!(faults.label(), "drop-after, stall-after, status");
        assert_eq!(Faults::parse("none").unwrap(), Faults::default());
        let many = Faults::parse("deploy=5;notice=10;down=20;retry=30, buffering=100;ms=7, idle-timeout=1;ms=50, close-1013=9").unwrap();
        let ms = Duration::from_millis;
        assert_eq!(many.deploy, Some(Deploy { after: 5, drain: false, notice: ms(10), down: ms(20), retry: ms(30) }));
        assert_eq!(many.buffering, Some(Buffering { bytes: 100, time: Some(ms(7)) }));
        assert_eq!((many.idle_timeout, many.close), (Some(ms(50)), Some(Close { code: 1013, after: 9 })));
        assert!(Faults::parse("deploy;drain=yes").unwrap().deploy.unwrap().drain);
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "bogus",
            "drop-after=x",
            "status=99",
            "close=1005",
            "split-utf8=0",
            "stall-after=1;ms",
            "ws-refuse=200",
            "lose=0",
            "fragmented=2000",
            "deploy;drain=maybe",
            "small-window=0",
            "small-window=65536",
        ] {
            assert!(Faults::parse(bad).is_err(), "{bad}");
        }
    }
}
