//! Parrot, an API made up for an example: it says again what it is told.

use serde_json::{Map, Value, json};

use crate::delta::Part;
use crate::json::{self, Source, count, object_of, word};
use crate::teller::Teller;
use crate::{Ask, AskError, Call, Decoder, Delta, DeltaKind, Dialect, Payload, Role, Status, Transport, Usage};
use crate::{check, endpoint, extra, report, strange};

/// The dialect `parrot`.
pub struct Parrot;

const NAME: &str = "Parrot";

impl Dialect for Parrot {
    fn id(&self) -> &'static str {
        "parrot"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Ndjson, Transport::Http]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/v1/squawk"]
    }

    // What the API has no word for is said before anything is sent.
    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(check::ask(NAME, ask));
        if ask.raw_body.is_none() && !ask.tools.is_empty() {
            let (what, why) = ("tools".to_owned(), "parrots have beaks".to_owned());
            found.push(AskError::Inexpressible { dialect: NAME, what, why });
        }
        found
    }

    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(base, "/v1/squawk", whole, transport)?;
        let body = ask.raw_body.clone().unwrap_or_else(|| Value::Object(build(ask, transport)).to_string());
        let mut headers = vec![endpoint::header("Content-Type", "application/json")];
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<Squawks>::default()
    }

    // The inverse of the body. Building it again shows whether it held everything.
    fn read(&self, body: &str, _url: &str, transport: Transport) -> Option<Ask> {
        let body: Map<String, Value> = serde_json::from_str(body).ok()?;
        let prompt = crate::Message::new(Role::User, body.get("words")?.as_str()?);
        let model = body.get("bird").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut ask = Ask { model, messages: vec![prompt], ..Ask::default() };
        ask.params.extra = extra::beyond(&body, &build(&ask, transport), &["words"])?;
        (build(&ask, transport) == body).then_some(ask)
    }
}

fn build(ask: &Ask, transport: Transport) -> Map<String, Value> {
    let words = ask.messages.iter().rfind(|turn| turn.role == Role::User).map_or("", |turn| turn.text.as_str());
    let mut body = Map::new();
    if !ask.model.is_empty() {
        body.insert("bird".to_owned(), json!(ask.model));
    }
    body.insert("words".to_owned(), json!(words));
    if transport == Transport::Ndjson {
        body.insert("live".to_owned(), json!(true));
    }
    extra::merge(&mut body, &ask.params.extra);
    body
}

object_of! {
    /// A line, or a whole answer: `{"squawk": "…"}`, and at the end `{"perched": "bored", "heard": 3, "said": 3}`.
    Line {
        squawk: "squawk",
        perched: "perched",
        heard: "heard",
        said: "said",
    }
}

/// What must be remembered from line to line.
#[derive(Default)]
struct Squawks {
    refused: Option<u16>,
    perched: bool,
    failed: bool,
}

impl Decoder for Squawks {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        Source::with(payload.bytes(), |source| {
            if let Some(status) = self.refused {
                self.failed = true;
                return teller.tell(report::of_body(&source, status).delta());
            }
            let line: Line<'_> = json::object(source.text).unwrap_or_default();
            teller.text(DeltaKind::Text, &source, line.squawk);
            if let Some(why) = word(line.perched) {
                let usage = Usage { input_tokens: count(line.heard), output_tokens: count(line.said), ..Usage::default() };
                teller.tell(Delta { part: Part::Usage(usage), ..Delta::new(DeltaKind::Usage, "usage", 0..0) });
                teller.finish(&why, line.perched.map_or(0..0, |raw| source.place(raw)));
                teller.end("perched", 0..0);
                self.perched = true;
            }
            if teller.told() == 0 {
                self.failed |= strange::tell(&source, "a squawk", &mut teller);
            }
        });
    }

    // The end marker decides: an end of the stream without it is a cut.
    fn whole(&self) -> bool {
        self.perched && !self.failed
    }

    fn ended(&self) -> bool {
        self.perched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reply;
    use crate::tests::ask;

    #[test]
    fn what_is_asked_is_read_back() {
        let call = Parrot.call(&ask("hello"), Transport::Ndjson, "https://parrot.example", false, "").unwrap();
        assert_eq!(
            (call.url.as_str(), call.body.as_str()),
            ("https://parrot.example/v1/squawk", r#"{"bird":"m","words":"hello","live":true}"#)
        );
        let read = Parrot.read(r#"{"bird":"m","words":"hi","live":true,"volume":11}"#, "", Transport::Ndjson).unwrap();
        assert_eq!((read.messages[0].text.as_str(), &read.params.extra["volume"]), ("hi", &json!(11)));
    }

    #[test]
    fn what_is_said_is_decoded() {
        let mut decoder = Parrot.decoder(Transport::Ndjson);
        let mut reply = Reply::default();
        for line in [r#"{"squawk":"hel"}"#, r#"{"squawk":"lo"}"#, "nonsense", r#"{"perched":"bored","heard":1,"said":1}"#] {
            decoder.payload(Payload::Line(line.as_bytes()), &mut |delta| reply.push(&delta));
        }
        assert_eq!((reply.text.as_str(), reply.finish.unwrap().reason.as_str(), decoder.whole()), ("hello", "bored", true));
    }
}
