//! What a fault costs: the same words over every way a stream can be resumed, and over those that cannot, under one of the Lab's faults.
//!
//! A lane asks the Lab for a reply whose every word is a number that occurs once, so that a word that is lost and one that comes again are
//! known by themselves, whatever a protocol's ids say. What a lane does after a break is what its API's documents allow: it resumes where it
//! can, and it never sends a POST again. Each lane is an ordinary session of the library, tagged `drill:ID`.
//! The drills themselves are kept too, the newest of them.

mod driver;
mod lane;
mod lanes;
pub mod memory;
mod plan;
mod protocol;
pub mod report;
mod runner;
mod store;
mod tally;
mod view;

pub use lanes::{LANES, LaneInfo, lanes};
pub use plan::{Drill, MOST_TOKENS, Repeat};
pub use runner::{Running, Watcher, run};
pub use store::{DrillKind, DrillSummary, KEPT, delete, list, open, open_memory};
pub use view::{DrillState, DrillUpdate, DrillView, LaneReport, LaneState, LaneUpdate, LaneView, Moment, MomentKind, Tick};
