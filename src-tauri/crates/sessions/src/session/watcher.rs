//! What is new of a session, told to one view.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use weir_dialects::{ToolCall, limits};

use super::Session;
use crate::analysis::{Analysis, KINDS, ReplyBlock, utf16_len};
use crate::view::{self, Block, KindCount, State, Update};

/// What one view of a session has seen of its reply.
#[derive(Clone, Copy, Default)]
struct Seen {
    bytes: usize,
    utf16: u32,
    deltas: u32,
    rewrites: u32,
}

/// Text in one update, in bytes: more would keep a page from answering while it takes it in, and what the page's engine sets aside for one
/// large message it never gives back.
const SLICE: usize = 128 << 10;

/// Follows a session for one view: each update holds what is new since the last one, so its cost does not grow with the session.
pub struct Watcher {
    session: Arc<Session>,
    changed: watch::Receiver<u64>,
    seen: Vec<Seen>,
    figures_at: Option<Instant>,
    /// Text is there that the last update had no room for.
    more: bool,
    over: bool,
}

impl Watcher {
    pub(super) fn new(session: Arc<Session>) -> Self {
        let changed = session.changed.subscribe();
        Self { session, changed, seen: Vec::new(), figures_at: None, more: false, over: false }
    }

    /// Waits until something is new (or a quarter of a second, so that clocks move on), then tells it, long texts in slices of 128 KiB.
    /// `None` once the end and all of the reply have been told.
    pub async fn next(&mut self) -> Option<Update> {
        if self.over {
            return None;
        }
        if self.figures_at.is_some() && !self.more {
            // A quiet stream still has a running clock and a growing gap to show.
            let _ = tokio::time::timeout(Duration::from_millis(250), self.changed.changed()).await;
        }
        Some(self.update(SLICE))
    }

    /// What is new by now, all of it and without waiting; `None` after the update that told the end.
    pub fn now(&mut self) -> Option<Update> {
        (!self.over).then(|| self.update(usize::MAX))
    }

    /// The session that is followed.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    fn update(&mut self, most: usize) -> Update {
        self.changed.mark_unchanged();
        let session = self.session.clone();
        let outcome = session.outcome();
        let over = outcome.is_some();
        let due = self.figures_at.is_none_or(|at| at.elapsed() >= Duration::from_millis(250)) || over;
        let analysis = session.analysis();
        let fold = &analysis.fold;
        let blocks = self.blocks(&fold.folded.blocks, most);
        if due {
            self.figures_at = Some(Instant::now());
        }
        self.over = over && !self.more;
        Update {
            session: session.id.clone(),
            state: match analysis.state() {
                State::Streaming if session.plan.keeps_open() && analysis.ended() => State::Open,
                state => state,
            },
            elapsed_ms: session.elapsed(&analysis) as f64 / 1e6,
            rows: fold.rows.len() as u32,
            blocks,
            metrics: due.then(|| analysis.metrics()),
            kinds: due.then(|| {
                let counts = KINDS.iter().map(|kind| KindCount { kind: kind.name().into(), count: fold.kinds[*kind as usize] });
                counts.filter(|k| k.count > 0).collect()
            }),
            usage: fold.folded.facts.usage.clone().filter(|_| due),
            finish: fold.folded.facts.finish.as_ref().map(|f| f.reason.clone()),
            reply_id: fold.folded.facts.id.clone(),
            signature: fold.folded.facts.signature.clone(),
            request_id: limits::request_id(&fold.response).map(str::to_owned),
            limits: due.then(|| limits::rate_limits(&fold.response, session.answered_at_ms(&analysis))),
            status: fold.status.as_ref().map(|s| s.code),
            http: analysis.http().map(str::to_owned),
            connection: connection(&analysis),
            console: analysis.standing().map(|standing| standing.view(&analysis, session.reflexes.rest())),
            outcome,
        }
    }

    fn blocks(&mut self, blocks: &[ReplyBlock], mut most: usize) -> Vec<Block> {
        self.seen.resize(blocks.len().max(self.seen.len()), Seen { deltas: u32::MAX, ..Seen::default() });
        let mut news = Vec::new();
        self.more = false;
        for (index, (block, seen)) in blocks.iter().zip(&mut self.seen).enumerate() {
            if seen.deltas == block.deltas() && seen.rewrites == block.rewrites && seen.bytes == block.text.len() {
                continue;
            }
            if most == 0 {
                self.more = true;
                break;
            }
            let from = if seen.rewrites == block.rewrites { *seen } else { Seen::default() };
            let mut end = block.text.len().min(from.bytes.saturating_add(most));
            while !block.text.is_char_boundary(end) {
                end -= 1;
            }
            let text = block.text.get(from.bytes..end).unwrap_or_default().to_owned();
            most = if end < block.text.len() { 0 } else { most - text.len() };
            self.more |= end < block.text.len();
            let utf16 = if end < block.text.len() { from.utf16 + utf16_len(&text) } else { block.utf16 };
            let (first_row, last_row) = block.rows();
            news.push(Block {
                index: index as u32,
                kind: block.kind,
                first_row,
                last_row,
                start_ms: block.times.0 as f64 / 1e6,
                end_ms: block.times.1 as f64 / 1e6,
                deltas: block.deltas(),
                offset: from.utf16,
                text,
                tool: block.tool.as_ref().map(|tool| ToolCall { arguments: String::new(), ..tool.clone() }),
                media: block.media.as_ref().map(|m| view::Media { media_type: m.media_type.clone(), bytes: m.bytes, ms: m.ms }),
            });
            *seen = Seen { bytes: end, utf16, deltas: block.deltas(), rewrites: block.rewrites };
        }
        news
    }
}

fn connection(analysis: &Analysis) -> Option<(String, String)> {
    let peer = analysis.phases.peer.clone()?;
    let tls = match &analysis.phases.tls_facts {
        Some((version, _, true)) => format!("{version}, certificate not checked"),
        Some((version, _, false)) => version.clone(),
        None => "no TLS".into(),
    };
    Some((tls, peer))
}
