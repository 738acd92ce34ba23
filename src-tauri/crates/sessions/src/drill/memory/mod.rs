//! What a connection costs both of its ends: memory and CPU of the Lab and of a client, by the number of connections.
//!
//! The two run as processes of their own, so that they can be told apart: this program started again, with hidden arguments. A new pair
//! serves each kind, each way and each round, so that nothing an earlier one left behind is counted. A child ends with its standard input:
//! however its parent goes, it goes too.

mod child;
mod client;
mod kinds;
mod limit;
mod plan;
pub mod report;
mod runner;
mod usage;
mod view;

pub use child::Programs;
pub use client::main as client;
pub use kinds::{KindInfo, Way, kinds};
pub use limit::{fitting, raise as raise_file_limit};
pub use plan::{MOST_CONNECTIONS, MemoryDrill};
pub use runner::{Running, run};
pub use view::{MemoryCost, MemoryPoint, MemoryRow, MemoryView};
