//! `weir-cli compare`: the same prompt in several lanes, with figures that serve in scripts.

mod lane;
mod printer;

use std::path::PathBuf;

use clap::ArgAction;
use weir_sessions::compare::{self, Comparison, Order, ReportFormat, Running, Threshold, report};
use weir_sessions::{Engine, Error, KeyChoice};

use crate::home;
use crate::out::{self, Exit};
use crate::send::{lab_ready, no_threads};
use crate::stop::Stop;

/// Put the same prompt to several lanes, again and again, and tell their figures with 95 % intervals.
///
/// Exit code 1 where a threshold is met, or a lane has no run that counts.
#[derive(clap::Args)]
pub struct Args {
    /// A lane, two to six times: name=A,provider=lab,model=M,dialect=D,transport=sse,http=2,coding=gzip,reuse,deflate.
    #[arg(long = "lane", value_name = "SPEC", action = ArgAction::Append)]
    lanes: Vec<String>,
    /// A comparison that is there already: protocols, providers, versions, gzip, deflate, reuse. protocols where no lane is given.
    #[arg(long, value_name = "NAME", conflicts_with = "lanes")]
    preset: Option<String>,
    /// Provider of lanes that name none.
    #[arg(long, value_name = "ID", default_value = "lab")]
    provider: String,
    /// The second provider of the preset providers.
    #[arg(long, value_name = "ID", default_value = "")]
    other: String,
    /// Model of lanes that name none; the provider's first where absent.
    #[arg(long, value_name = "M", default_value = "")]
    model: String,
    /// Prompt of lanes that have none.
    #[arg(long, value_name = "P", default_value = compare::PROMPT, hide_default_value = true)]
    prompt: String,
    /// Title, for the report and the library.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Runs of each lane that count.
    #[arg(long, value_name = "N", default_value_t = 30)]
    runs: u32,
    /// Runs of each lane before that, which are dropped.
    #[arg(long, value_name = "N", default_value_t = 2)]
    warmups: u32,
    /// All lanes at once, in place of one after another in random order.
    #[arg(long)]
    parallel: bool,
    /// Fixes the order and the bootstrap's draws.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=1 << 53))]
    seed: u64,
    /// Milliseconds between two runs.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pause: u32,
    /// One object a line: every run as it ends, the table last.
    #[arg(long)]
    json: bool,
    /// Write a report, in the format of the file's extension; again for another.
    #[arg(long = "report", value_name = "FILE.html|.md|.csv|.json", action = ArgAction::Append)]
    reports: Vec<PathBuf>,
    /// Fail where a lane's figure is so: 'ttft_p95>2s', 'B.total_median>1500ms', 'tokens_per_s_mean<30', 'failed>0'.
    #[arg(long = "fail-if", value_name = "THRESHOLD", action = ArgAction::Append)]
    thresholds: Vec<String>,
}

/// Runs it and tells the figures.
pub fn run(args: &Args) -> Exit {
    // What the command line gets wrong is told before anything is sent.
    let thresholds = match args.thresholds.iter().map(|text| text.parse()).collect::<Result<Vec<Threshold>, String>>() {
        Ok(thresholds) => thresholds,
        Err(why) => return out::usage(why),
    };
    let mut reports = Vec::new();
    for path in &args.reports {
        match report::format_of(path) {
            Some(format) => reports.push((path, format)),
            None => return out::usage(format!("{}: a report is .html, .md, .csv or .json", path.display())),
        }
    }
    match go(args, &thresholds, &reports) {
        Ok(exit) => exit,
        Err(error) => out::refuse(&error),
    }
}

impl Args {
    fn comparison(&self, engine: &Engine) -> Result<Comparison, Error> {
        let (title, lanes) = if self.lanes.is_empty() {
            self.preset(engine)?
        } else {
            let common = lane::Common { prompt: &self.prompt, provider: &self.provider, model: &self.model };
            let lanes = self.lanes.iter().map(|spec| lane::read(spec, &common, engine)).collect::<Result<_, _>>()?;
            (String::new(), lanes)
        };
        Ok(Comparison {
            id: String::new(),
            title: self.title.clone().unwrap_or(title),
            lanes,
            runs: self.runs,
            warmups: self.warmups,
            order: if self.parallel { Order::Parallel } else { Order::Interleaved },
            seed: self.seed,
            pause_ms: self.pause,
        })
    }

    fn preset(&self, engine: &Engine) -> Result<(String, Vec<compare::Lane>), Error> {
        let wanted = self.preset.as_deref().unwrap_or("protocols");
        let all = compare::presets(engine, &self.provider, &self.model, &self.prompt, &self.other);
        let ids = all.iter().map(|preset| preset.id.as_str()).collect::<Vec<_>>().join(", ");
        let wrong = |why: String| {
            Error::new("user", "preset", why, "Nothing was sent.", format!("there are: {ids}"), "Choose another, or give lanes.")
        };
        let preset = all.iter().find(|preset| preset.id == wanted).ok_or_else(|| wrong(format!("There is no preset «{wanted}».")))?;
        let comparison = preset.comparison.clone().ok_or_else(|| wrong(preset.why.clone()))?;
        Ok((comparison.title, comparison.lanes))
    }
}

fn go(args: &Args, thresholds: &[Threshold], reports: &[(&PathBuf, ReportFormat)]) -> Result<Exit, Error> {
    let engine = home::open()?;
    let comparison = args.comparison(&engine)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| no_threads(&error))?;
    let exit = runtime.block_on(async {
        // Held until the last run is over: a Lab of this program's own ends with it.
        let mut lab = None;
        for lane in &comparison.lanes {
            if lab.is_none() {
                lab = lab_ready(&engine, &lane.draft).await?;
            }
        }
        let cost = compare::cost(&engine, &comparison);
        out::note(&printer::cost(&cost, &comparison));
        let mut stop = Stop::new()?;
        let running = compare::run(&engine, comparison, KeyChoice::Stored)?;
        let heard = follow(&running, args.json, &mut stop).await;
        let exit = conclude(&running, args, thresholds, reports)?;
        if let Some(lab) = lab {
            lab.stop().await;
        }
        Ok::<_, Error>(heard.unwrap_or(exit))
    })?;
    // Closing the library waits for its last write.
    drop(runtime);
    let library = engine.library().clone();
    library.close()?;
    Ok(exit)
}

/// Tells runs as they end; the first signal stops the comparison, and what is there is told. Some exit where nobody listens any more.
async fn follow(running: &Running, json: bool, stop: &mut Stop) -> Option<Exit> {
    let mut watcher = running.watch();
    let mut told = printer::Progress::default();
    loop {
        let update = watcher.next().await?;
        for run in update.runs.iter().filter(|_| json) {
            if let Err(error) = out::json(&printer::run(run)) {
                running.stop();
                running.ended().await;
                return Some(out::unwritten(&error));
            }
        }
        told.tell(&update.progress);
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_millis(100)) => {}
            () = stop.asked() => running.stop(),
        }
    }
}

fn conclude(running: &Running, args: &Args, thresholds: &[Threshold], reports: &[(&PathBuf, ReportFormat)]) -> Result<Exit, Error> {
    if let Some(error) = running.problem() {
        return Err(error);
    }
    let view = running.view();
    for (path, format) in reports {
        report::write(&view, *format, path)?;
    }
    let hits: Vec<_> = thresholds.iter().flat_map(|threshold| threshold.hits(&view.comparison, &view.runs)).collect();
    let written =
        if args.json { out::json(&printer::table(&view, &hits)) } else { out::text(&report::render(&view, ReportFormat::Markdown)) };
    if let Err(error) = written {
        return Ok(out::unwritten(&error));
    }
    hits.iter().for_each(|hit| out::note(&hit.message));
    let empty: Vec<_> = view.table.lanes.iter().filter(|lane| lane.n == 0).collect();
    for lane in &empty {
        out::note(&format!("Lane {} ({}) has no run that counts.", lane.letter, lane.name));
    }
    Ok(if hits.is_empty() && empty.is_empty() { Exit::Done } else { Exit::Failed })
}
