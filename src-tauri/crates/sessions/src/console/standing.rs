//! How a console stands, from the marks of its log, and how it ended.

use weir_frames::Span;
use weir_transport::reconnect::End;
use weir_transport::{Error as WireError, Mark};

use crate::analysis::{Analysis, Fold, Kind, Layer, problem_of};
use crate::view::{ConsoleClose, ConsoleMode, ConsolePhase, ConsoleStanding, Outcome, OutcomeKind, Problem};

/// What the marks of a console's log tell.
pub struct Standing {
    mode: ConsoleMode,
    connections: u32,
    /// A connection is there or being made.
    live: bool,
    /// Until when it waits, nanoseconds.
    until: Option<u64>,
    last_event_id: String,
    /// Why the last connection failed.
    failed: Option<WireError>,
    over: Option<End>,
}

impl Standing {
    /// Of a log without entries.
    pub fn new(mode: ConsoleMode) -> Self {
        Self { mode, connections: 0, live: false, until: None, last_event_id: String::new(), failed: None, over: None }
    }

    /// The next mark; `streams` are those of its connection, received and sent. What the console did becomes a row.
    pub fn mark(&mut self, fold: &mut Fold, streams: (u16, u16), t: u64, mark: &Mark) {
        let (input, output) = streams;
        match mark {
            Mark::Open { url } => {
                self.connections = self.connections.saturating_add(1);
                (self.live, self.until, self.failed) = (true, None, None);
                // What the connection before was answered says nothing of this one.
                fold.status = None;
                fold.response.clear();
                let word = fold.word(url);
                fold.row(t, output, Span::new(0, 0), Layer::Http, Kind::Connection, word);
            }
            Mark::Failed(error) => {
                self.live = false;
                self.failed = Some(error.clone());
                let word = fold.word(&one_line(error));
                fold.row(t, input, Span::new(0, 0), Layer::Http, Kind::Error, word);
            }
            Mark::Closed | Mark::Cancelled => self.live = false,
            Mark::Waiting { ms, last_event_id } => {
                self.live = false;
                self.until = Some(t.saturating_add(ms.saturating_mul(1_000_000)));
                self.last_event_id.clone_from(last_event_id);
                let with = match last_event_id.as_str() {
                    "" => String::new(),
                    id if id.chars().any(char::is_control) => {
                        " without its last event id, which holds a control character that no field can".to_owned()
                    }
                    id => format!(" with Last-Event-ID {id}"),
                };
                let word = fold.word(&format!("Asks again in {}{with}", seconds(*ms)));
                fold.row(t, input, Span::new(0, 0), Layer::Http, Kind::Connection, word);
            }
            Mark::Over(end) => {
                (self.live, self.until) = (false, None);
                let (kind, words) = match end {
                    End::NoContent => (Kind::Connection, "204: the server says there is no more, so it is not asked again".to_owned()),
                    End::Stopped => (Kind::Connection, "You stopped it".to_owned()),
                    End::Ended { error: None, .. } => (Kind::Connection, "The stream ended, and is not to be asked for again".to_owned()),
                    End::Ended { error: Some(error), .. } => (Kind::Error, format!("Not asked again: {}", one_line(error))),
                    End::Refused(error) | End::Futile(error) => (Kind::Error, one_line(error)),
                };
                let word = fold.word(&words);
                fold.row(t, input, Span::new(0, 0), Layer::Http, kind, word);
                self.over = Some(end.clone());
            }
            _ => {}
        }
    }

    fn phase(&self, analysis: &Analysis) -> ConsolePhase {
        let open = match self.mode {
            ConsoleMode::Sse => analysis.fold.status.as_ref().is_some_and(|status| status.code == 200),
            ConsoleMode::Websocket => analysis.upgraded() && analysis.phases.sent.is_some(),
        };
        if analysis.is_over() || self.over.is_some() {
            ConsolePhase::Over
        } else if self.until.is_some() {
            ConsolePhase::Waiting
        } else if self.live && open {
            ConsolePhase::Open
        } else {
            ConsolePhase::Connecting
        }
    }

    /// As the page shows it; `resting` tells whether echo and rules do.
    pub fn view(&self, analysis: &Analysis, resting: bool) -> ConsoleStanding {
        let fold = &analysis.fold;
        let phase = self.phase(analysis);
        let answered = |name: &str| {
            let values = fold.response.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
            let all = values.collect::<Vec<_>>().join(", ");
            (!all.is_empty() && analysis.upgraded()).then_some(all)
        };
        let close = |frame: &(Option<u16>, String), ours: bool| ConsoleClose {
            code: frame.0,
            reason: frame.1.clone(),
            meaning: close_meaning(frame.0).to_owned(),
            ours,
        };
        ConsoleStanding {
            phase,
            connections: self.connections,
            next_at_ms: self.until.filter(|_| phase == ConsolePhase::Waiting).map(|t| t as f64 / 1e6),
            last_event_id: self.last_event_id.clone(),
            problem: self.failed.as_ref().filter(|_| phase == ConsolePhase::Waiting).map(problem_of),
            subprotocol: answered("sec-websocket-protocol"),
            extensions: answered("sec-websocket-extensions"),
            close: fold.farewell.as_ref().map(|frame| close(frame, true)).or_else(|| fold.close.as_ref().map(|frame| close(frame, false))),
            received: fold.kinds[Kind::Message as usize],
            sent: if self.mode == ConsoleMode::Websocket { fold.kinds[Kind::Request as usize] } else { 0 },
            resting,
        }
    }

    /// How a console that is over ended.
    pub fn outcome(&self, analysis: &Analysis) -> Outcome {
        match self.mode {
            ConsoleMode::Sse => self.stream_outcome(analysis),
            ConsoleMode::Websocket => self.socket_outcome(analysis),
        }
    }

    fn stream_outcome(&self, analysis: &Analysis) -> Outcome {
        let kept = kept(analysis, "event");
        match &self.over {
            Some(End::NoContent | End::Ended { error: None, .. }) => complete(),
            Some(End::Stopped) => stopped(kept),
            Some(End::Refused(error) | End::Futile(error) | End::Ended { error: Some(error), .. }) => failed(error, kept),
            None => cut(kept),
        }
    }

    fn socket_outcome(&self, analysis: &Analysis) -> Outcome {
        let kept = kept(analysis, "message");
        let fold = &analysis.fold;
        // A close of the user's ends well whatever its code is.
        let well = fold.farewell.is_some() || matches!(fold.close, Some((None | Some(1000 | 1001), _)));
        if analysis.phases.cancelled && !well {
            return stopped(kept);
        }
        if let Some(error) = self.failed.as_ref().filter(|error| !(well && matches!(error.code.as_str(), "cut" | "reset"))) {
            return if error.code == "cancelled" { stopped(kept) } else { failed(error, kept) };
        }
        match &fold.close {
            _ if well => complete(),
            Some((code, reason)) => {
                let code = code.unwrap_or(1005);
                Outcome {
                    kind: OutcomeKind::Failed,
                    problem: Some(Problem {
                        code: format!("close-{code}"),
                        blame: "peer".into(),
                        message: format!("The server closed the WebSocket with {code}: {}.", close_meaning(Some(code))),
                        consequence: kept,
                        evidence: format!("close {code} {reason}"),
                        next: "Its reason says what it objects to; connect again once that is settled.".into(),
                    }),
                }
            }
            None => cut(kept),
        }
    }
}

fn complete() -> Outcome {
    Outcome { kind: OutcomeKind::Complete, problem: None }
}

fn stopped(kept: String) -> Outcome {
    let problem = Problem {
        code: "cancelled".into(),
        blame: "user".into(),
        message: "You stopped it.".into(),
        consequence: kept,
        evidence: String::new(),
        next: "Connect again to go on.".into(),
    };
    Outcome { kind: OutcomeKind::Cancelled, problem: Some(problem) }
}

fn failed(error: &WireError, kept: String) -> Outcome {
    let kind = match error.code.as_str() {
        "cut" => OutcomeKind::Cut,
        _ => OutcomeKind::Failed,
    };
    let problem = problem_of(error);
    // No model answers here: what a failure means for tokens is of no interest.
    Outcome { kind, problem: Some(Problem { consequence: kept, ..problem }) }
}

fn cut(kept: String) -> Outcome {
    let problem = Problem {
        code: "cut".into(),
        blame: "local".into(),
        message: "The recording ends in the middle.".into(),
        consequence: kept,
        evidence: "The log has no end.".into(),
        next: "Weir ended before the connection did; connect again.".into(),
    };
    Outcome { kind: OutcomeKind::Cut, problem: Some(problem) }
}

fn kept(analysis: &Analysis, what: &str) -> String {
    match analysis.fold.kinds[Kind::Message as usize] {
        0 => format!("No {what} had come."),
        1 => format!("The one {what} that came is kept."),
        n => format!("The {n} {what}s that came are kept."),
    }
}

fn one_line(error: &WireError) -> String {
    let evidence = error.evidence.lines().next().unwrap_or_default();
    if evidence.is_empty() { error.message.clone() } else { format!("{} ({evidence})", error.message.trim_end_matches('.')) }
}

fn seconds(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{:.2} s", ms as f64 / 1000.0) }
}

/// What a close code means (RFC 6455 §7.4.1 and the registry that it founds, §11.7).
pub fn close_meaning(code: Option<u16>) -> &'static str {
    match code {
        None => "no code given",
        Some(1000) => "normal closure",
        Some(1001) => "going away: the server shuts down, or the page is left",
        Some(1002) => "protocol error",
        Some(1003) => "data of a kind it cannot take",
        Some(1005) => "no code given",
        Some(1006) => "closed without a close frame",
        Some(1007) => "a message whose content does not fit its type, such as text that is not UTF-8",
        Some(1008) => "a policy was violated",
        Some(1009) => "a message was too big",
        Some(1010) => "an extension that was needed was not agreed",
        Some(1011) => "an unexpected condition at the server",
        Some(1012) => "the service restarts",
        Some(1013) => "try again later",
        Some(1014) => "a gateway got a bad answer",
        Some(1015) => "TLS failed",
        Some(3000) => "unauthorised",
        Some(3003) => "forbidden",
        Some(3008) => "timeout",
        Some(3000..=3999) => "a code that a library or framework registered",
        Some(4000..=4999) => "a code of the application's own",
        Some(_) => "a code that is not used",
    }
}
