//! The same prompt in several lanes, on one clock: runs, figures, and what may be said of them.
//!
//! Every run is an ordinary session of the library, tagged `compare:ID`, so that every point leads to its bytes. Beside them the library
//! keeps each run's figures, from which a comparison is reopened without folding any session anew.

mod answer;
mod clock;
mod cost;
mod figures;
mod notes;
mod plan;
mod presets;
mod replay;
pub mod report;
mod run;
mod runner;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod threshold;
mod view;
mod watch;

pub use clock::{Clock, Reading, SystemClock};
pub use cost::cost;
pub use figures::{FIGURES, FigureKind, RunFigures, Unit};
pub use plan::{Comparison, Connection, LANES, Lane, Order, RUNS, WARMUPS, letter};
pub use presets::{PROMPT, presets};
pub use replay::replay;
pub use run::{Failure, Run};
pub use runner::{Running, run, run_on};
pub use store::{delete, list, open};
pub use table::{Cell, LaneHead, Paired, Row, Statistic, Table};
pub use threshold::{Hit, Threshold};
pub use view::{
    ComparisonCost, ComparisonSummary, ComparisonUpdate, ComparisonView, LaneCost, LaneReplay, LaneUpdate, Preset, Progress, ReportFormat,
    State,
};
pub use watch::Watcher;

pub(crate) use runner::unix_ms;
