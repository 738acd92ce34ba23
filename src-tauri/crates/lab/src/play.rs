//! Plays a script: renders it step by step, waits for each step's moment, does the damage the faults ask for and hands the bytes
//! to an [`Outlet`]. It knows neither sockets nor HTTP, so its timing is tested on a stopped clock.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::connections::Exchange;
use crate::dialects::{Event, Render};
use crate::fault::{Deploy, Faults};
use crate::pace::Pace;
use crate::script::Script;

/// The client is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// How one message is to leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Break it in two before this byte of the payload.
    pub split: Option<usize>,
    /// Write byte by byte, with this pause after each.
    pub drip: Option<Duration>,
}

/// Where events go: a response body or a WebSocket.
pub(crate) trait Outlet: Send {
    /// Sends one event in one write, with `payload` in place of its data. Waits while the client does not read.
    fn send(&mut self, event: &Event, payload: Vec<u8>, manner: Manner) -> impl Future<Output = Result<(), Gone>> + Send;

    /// Sends one message of `before`, `length` bytes of padding and `after`, without holding it in memory.
    fn pad(&mut self, before: &str, length: u64, after: &str) -> impl Future<Output = Result<(), Gone>> + Send;

    /// Sends what ends a whole reply, after its last event.
    fn finish(&mut self) -> impl Future<Output = Result<(), Gone>> + Send {
        async { Ok(()) }
    }

    /// Sends so many pings: keep-alive comments in an event stream. Nothing where there are none.
    fn ping(&mut self, _count: u32) -> impl Future<Output = Result<(), Gone>> + Send {
        async { Ok(()) }
    }

    /// Tells the client, where the protocol can, that the connection will not be there for long; with `retry`, when to come back.
    fn announce(&mut self, _retry: Option<Duration>) -> impl Future<Output = Result<(), Gone>> + Send {
        async { Ok(()) }
    }

    /// How a reply that was let end in peace leaves a connection that was announced to go.
    fn drained(&self) -> Ending {
        Ending::Complete
    }

    /// The event sent last ends so many tokens.
    fn said(&mut self, _tokens: usize) {}

    /// Ready when the client has gone.
    fn gone(&self) -> impl Future<Output = ()> + Send;
}

/// How a reply came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All was sent that was to be sent.
    Complete,
    /// The client went away.
    Gone,
    /// The socket is to be reset now.
    Reset,
    /// The socket is to be closed now, in the middle of the body.
    Cut,
    /// The WebSocket is to be closed with this code.
    Close(u16),
    /// A deploy takes the connection: by FIN, or with close code 1012, and who comes back at once finds nobody.
    Restart,
}

/// Says `script` in the rhythm of `pace`, counted from `start`.
pub(crate) async fn play<O: Outlet>(
    script: &Script,
    render: &mut dyn Render,
    pace: &Pace,
    faults: &Faults,
    start: Instant,
    exchange: &Exchange,
    outlet: &mut O,
) -> Ending {
    let mut damage = Damage { faults, events: 0, since_split: 0 };
    match run(script, render, pace, start, exchange, outlet, &mut damage).await {
        Ok(ending) => ending,
        Err(Gone) => Ending::Gone,
    }
}

async fn run<O: Outlet>(
    script: &Script,
    render: &mut dyn Render,
    pace: &Pace,
    mut start: Instant,
    exchange: &Exchange,
    outlet: &mut O,
    damage: &mut Damage<'_>,
) -> Result<Ending, Gone> {
    let faults = damage.faults;
    for event in render.opening(script) {
        damage.send(event, outlet).await?;
    }
    if let Some(length) = faults.huge_line.or(faults.oversized) {
        let (before, after) = render.padding(script);
        outlet.pad(&before, length.saturating_sub((before.len() + after.len()) as u64), &after).await?;
    }
    let mut stall = faults.stall;
    let mut leaving = Leaving::of(faults);
    let mut said = 0;
    let mut schedule = moments(script, pace);
    for (step, tokens) in script.steps(pace.tokens_per_event as usize) {
        if let Some(stall) = stall.take_if(|s| said >= s.after as usize) {
            wait(Instant::now() + stall.time, outlet).await?;
            // The rest follows in the old rhythm, later by the stall.
            start += stall.time;
        }
        if let Some(ending) = broken_off(faults, said) {
            return Ok(ending);
        }
        if leaving.is_due(said) {
            for event in render.leaving(faults) {
                damage.send(event, outlet).await?;
            }
        }
        leaving.said(said, outlet).await?;
        let at = start + schedule.at(tokens);
        if leaving.dropped(at, outlet).await? {
            return Ok(Ending::Restart);
        }
        wait(at, outlet).await?;
        for event in render.step(script, step) {
            damage.send(event, outlet).await?;
        }
        said += tokens;
        outlet.said(tokens);
        exchange.said(tokens);
        if step == crate::script::Step::Fail {
            outlet.finish().await?;
            return Ok(Ending::Complete);
        }
    }
    if let Some(stall) = stall.take_if(|s| said >= s.after as usize) {
        wait(Instant::now() + stall.time, outlet).await?;
    }
    if let Some(ending) = broken_off(faults, said) {
        return Ok(ending);
    }
    leaving.said(said, outlet).await?;
    if leaving.dropped(start, outlet).await? {
        return Ok(Ending::Restart);
    }
    for event in render.closing(script) {
        damage.send(event, outlet).await?;
    }
    if !faults.no_end_marker {
        outlet.finish().await?;
    }
    Ok(if leaving.drained { outlet.drained() } else { Ending::Complete })
}

/// What is left of the announcements of a reply.
pub(crate) struct Leaving {
    deploy: Option<Deploy>,
    goaway: Option<u32>,
    /// When a deploy drops the connection.
    drop: Option<Instant>,
    /// A deploy was announced that waits for the reply's end.
    drained: bool,
}

impl Leaving {
    pub(crate) fn of(faults: &Faults) -> Leaving {
        Leaving { deploy: faults.deploy, goaway: faults.goaway, drop: None, drained: false }
    }

    /// Whether a deploy drops the connection before `next`, the moment something is due; that drop's moment has come then.
    pub(crate) async fn dropped<O: Outlet>(&self, next: Instant, outlet: &O) -> Result<bool, Gone> {
        match self.drop.filter(|drop| *drop <= next.max(Instant::now())) {
            Some(drop) => wait(drop, outlet).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Ready when a deploy drops the connection; never without one.
    pub(crate) async fn down(&self) {
        match self.drop {
            Some(drop) => sleep_until(drop).await,
            None => std::future::pending().await,
        }
    }

    /// Whether a deploy or a retiring connection is to be announced after so many tokens.
    fn is_due(&self, said: usize) -> bool {
        self.goaway.is_some_and(|after| said >= after as usize) || self.deploy.is_some_and(|deploy| said >= deploy.after as usize)
    }

    /// Announces what is due once so many tokens are said.
    pub(crate) async fn said<O: Outlet>(&mut self, said: usize, outlet: &mut O) -> Result<(), Gone> {
        if self.goaway.take_if(|after| said >= *after as usize).is_some() {
            outlet.announce(None).await?;
        }
        if let Some(deploy) = self.deploy.take_if(|deploy| said >= deploy.after as usize) {
            outlet.announce(Some(deploy.retry)).await?;
            if deploy.drain {
                self.drained = true;
            } else {
                self.drop = Some(Instant::now() + deploy.notice);
            }
        }
        Ok(())
    }
}

/// The moments of a script's steps: a step leaves when its first token is due.
struct Moments<I> {
    offsets: I,
    last: Duration,
}

fn moments(script: &Script, pace: &Pace) -> Moments<impl Iterator<Item = Duration> + Send + use<>> {
    Moments { offsets: pace.schedule(script.tokens()), last: Duration::from_millis(pace.ttft_ms.into()) }
}

impl<I: Iterator<Item = Duration>> Moments<I> {
    /// The moment of the next step, which takes `tokens`; a step without a token shares the moment of the next one.
    fn at(&mut self, tokens: usize) -> Duration {
        if tokens > 0 {
            self.last = self.offsets.next().unwrap_or(self.last);
            for _ in 1..tokens {
                self.offsets.next();
            }
        }
        self.last
    }
}

/// When the last step of a script is due: how long a reply takes that is sent as a whole.
pub(crate) fn length(script: &Script, pace: &Pace) -> Duration {
    let mut moments = moments(script, pace);
    script.steps(pace.tokens_per_event as usize).map(|(_, tokens)| moments.at(tokens)).last().unwrap_or(moments.last)
}

pub(crate) fn broken_off(faults: &Faults, said: usize) -> Option<Ending> {
    let due = |after: u32| said >= after as usize;
    if faults.drop_after.is_some_and(due) {
        return Some(Ending::Reset);
    }
    if faults.cut_after.is_some_and(due) {
        return Some(Ending::Cut);
    }
    faults.close.filter(|c| due(c.after)).map(|c| Ending::Close(c.code))
}

/// Waits for a moment, or for the client to go.
pub(crate) async fn wait<O: Outlet>(until: Instant, outlet: &O) -> Result<(), Gone> {
    if until <= Instant::now() {
        return Ok(());
    }
    tokio::select! {
        () = sleep_until(until) => Ok(()),
        () = outlet.gone() => Err(Gone),
    }
}

/// What is done to single events.
pub(crate) struct Damage<'a> {
    pub faults: &'a Faults,
    /// Events sent, the end marker apart.
    pub events: u32,
    pub since_split: u32,
}

impl Damage<'_> {
    pub(crate) async fn send<O: Outlet>(&mut self, mut event: Event, outlet: &mut O) -> Result<(), Gone> {
        if event.is_end && self.faults.no_end_marker {
            return Ok(());
        }
        if event.is_comment() {
            let manner = Manner { split: None, drip: self.faults.slow_drip };
            return outlet.send(&event, Vec::new(), manner).await;
        }
        let (payload, manner) = self.done_to(event.data.clone());
        let due = |every: Option<u32>| every.is_some_and(|every| self.events.is_multiple_of(every));
        if self.faults.duplicate.or(self.faults.lose).is_some() {
            // Without a number nobody could tell.
            event.id.get_or_insert_with(|| self.events.to_string());
        }
        if due(self.faults.lose) && !event.is_end {
            return Ok(());
        }
        if let Some(count) = self.faults.ping_flood {
            outlet.ping(count).await?;
        }
        if due(self.faults.duplicate) {
            outlet.send(&event, payload.clone(), manner).await?;
        }
        outlet.send(&event, payload, manner).await
    }

    /// The payload as it is to be sent, and how.
    pub(crate) fn done_to(&mut self, data: String) -> (Vec<u8>, Manner) {
        self.events += 1;
        self.since_split += 1;
        let mut manner = Manner { split: None, drip: self.faults.slow_drip };
        if let Some(every) = self.faults.split_utf8
            && self.since_split >= every
            && let Some(inside) = inside_a_character(&data)
        {
            manner.split = Some(inside);
            self.since_split = 0;
        }
        let mut payload = data.into_bytes();
        if self.faults.malformed_json == Some(self.events) {
            payload.pop();
        }
        if self.faults.invalid_utf8 == Some(self.events) {
            // 0xFF occurs in no UTF-8 text; inside the last string, so that the JSON around it stays whole.
            let at = payload.iter().rposition(|b| *b == b'"').unwrap_or(payload.len());
            payload.insert(at, 0xFF);
        }
        (payload, manner)
    }
}

/// The second byte of the first character that has one.
fn inside_a_character(text: &str) -> Option<usize> {
    text.char_indices().find(|(_, c)| c.len_utf8() > 1).map(|(at, _)| at + 1)
}

/// Pauses between two halves of what would otherwise leave in one write.
pub(crate) async fn breathe() {
    sleep(Duration::from_millis(2)).await;
}

#[cfg(test)]
mod tests;
