//! Amazon Bedrock's Converse and ConverseStream: one request form for all of its models.
//!
//! The model's id stands in the path, percent-encoded. The stream is `application/vnd.amazon.eventstream`: binary messages whose
//! `:event-type` header names what the JSON payload holds. A Bedrock API key goes as Bearer; with an access key the request is signed
//! instead ([`crate::Sign`]).

mod body;
mod decoder;
#[cfg(test)]
mod tests;

use url::Url;

use crate::{Ask, AskError, Call, Decoder, Dialect, Extra, Sign, Transport, check, endpoint};

/// The dialect `bedrock-converse`.
pub struct BedrockConverse;

const NAME: &str = "Bedrock Converse";

/// Signed for where the host names no region, such as a proxy or the Lab.
const DEFAULT_REGION: &str = "us-east-1";

impl Dialect for BedrockConverse {
    fn id(&self) -> &'static str {
        "bedrock-converse"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Eventstream, Transport::Http]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/converse-stream", "/converse"]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(check::ask(NAME, ask));
        if ask.raw_body.is_none() {
            found.extend(body::problems(ask));
        }
        found
    }

    /// `base` is the service's endpoint as AWS's SDKs take it: scheme and host. The call is marked to be signed wherever it carries a
    /// key at all; whether it is signed or sends the key as Bearer is for whoever holds the key to see by its form.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        if ask.model.is_empty() && !whole {
            return Err(body::inexpressible("a question without a model", "the model's id is part of the path"));
        }
        let operation = if transport == Transport::Eventstream { "converse-stream" } else { "converse" };
        let mut url = endpoint::url(base, &format!("/model/{}/{operation}", escaped(&ask.model)), whole, transport)?;
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => body::build(ask),
        };
        let accept = if transport == Transport::Eventstream { "application/vnd.amazon.eventstream" } else { "application/json" };
        let mut headers = vec![endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", accept)];
        endpoint::authorize(auth, &mut url, &mut headers);
        let sign = (!auth.trim().is_empty()).then(|| Sign { service: "bedrock".into(), region: region(&url) });
        Ok(Call { sign, ..Call::post(url, headers, body) })
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Converse>::default()
    }

    fn read(&self, body: &str, url: &str, _transport: Transport) -> Option<Ask> {
        let model = Url::parse(url).ok().and_then(|url| model(&url)).unwrap_or_default();
        body::read(body, model)
    }

    fn extras(&self) -> &'static [Extra] {
        EXTRAS
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters, as AWS's SDKs do: ids hold colons, and those of profiles slashes.
fn escaped(model: &str) -> String {
    use std::fmt::Write;
    model.bytes().fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}

/// The model that an endpoint's path names.
fn model(url: &Url) -> Option<String> {
    let path = url.path();
    let path = path.strip_suffix("/converse-stream").or_else(|| path.strip_suffix("/converse"))?;
    let (_, escaped) = path.rsplit_once("/model/")?;
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        match code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// The region that an AWS host names: `bedrock-runtime.eu-west-1.amazonaws.com`, with `-fips`, behind a VPC endpoint, or in China.
fn region(url: &Url) -> String {
    let mut labels = url.host_str().unwrap_or_default().split('.');
    let service = labels.by_ref().any(|label| label == "bedrock-runtime" || label == "bedrock-runtime-fips");
    match labels.next().filter(|_| service) {
        Some(region) if region.contains('-') => region.to_owned(),
        _ => DEFAULT_REGION.to_owned(),
    }
}

/// Members of the body beyond Weir's own, as the Converse API reference lists them.
static EXTRAS: &[Extra] = &[
    Extra {
        path: "additionalModelRequestFields",
        kind: "object",
        about: "Parameters of the model's own, such as `top_k` or Claude's `thinking`.",
    },
    Extra {
        path: "additionalModelResponseFieldPaths",
        kind: "array",
        about: "JSON Pointers to fields of the model's own that the reply should hold.",
    },
    Extra {
        path: "guardrailConfig",
        kind: "object",
        about: "Guardrail to apply: guardrailIdentifier, guardrailVersion, trace, streamProcessingMode.",
    },
    Extra { path: "performanceConfig.latency", kind: "string", about: "`standard` or `optimized`." },
    Extra { path: "serviceTier.type", kind: "string", about: "`default`, `flex`, `priority` or `reserved`." },
    Extra { path: "requestMetadata", kind: "object", about: "Strings by which to filter invocation logs." },
    Extra { path: "promptVariables", kind: "object", about: "Values for a prompt of Prompt management, whose ARN is then the model." },
];
