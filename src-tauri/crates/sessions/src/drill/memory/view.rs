//! What is shown of a memory drill.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use weir_stats::Line;

use super::{MemoryDrill, Way};
use crate::drill::DrillState;
use crate::view::Problem;

/// One measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MemoryPoint {
    /// The round, from 1.
    pub round: u32,
    /// Connections, or streams where they share one.
    pub connections: u32,
    /// Sockets they are on.
    pub sockets: u32,
    /// Resident bytes of the Lab.
    #[ts(type = "number")]
    pub lab_bytes: u64,
    /// Resident bytes of the client.
    #[ts(type = "number")]
    pub client_bytes: u64,
    /// CPU time of the Lab, ms a second.
    pub lab_cpu: f64,
    /// CPU time of the client, ms a second.
    pub client_cpu: f64,
}

/// What connections cost one end: what there is without any, and what one more adds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MemoryCost {
    /// Resident bytes.
    pub bytes: Option<Line>,
    /// CPU time, ms a second.
    pub cpu: Option<Line>,
}

/// A kind, one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MemoryRow {
    /// Id of the kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What stands behind a connection.
    pub what: String,
    /// Idle or streaming.
    pub way: Way,
    /// Measurements so far.
    pub points: Vec<MemoryPoint>,
    /// The Lab's end.
    pub lab: MemoryCost,
    /// The client's end.
    pub client: MemoryCost,
    /// Why it has fewer measurements than it should.
    pub problem: Option<String>,
}

/// A memory drill as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MemoryView {
    /// What is measured.
    pub drill: MemoryDrill,
    /// When it began, Unix time in milliseconds.
    pub started_at_ms: f64,
    /// Where it stands.
    pub state: DrillState,
    /// For how long it has run.
    pub elapsed_ms: f64,
    /// Measurements that are made.
    pub done: u32,
    /// Measurements in all.
    pub of: u32,
    /// What is under way, in words.
    pub doing: String,
    /// Kinds by ways.
    pub rows: Vec<MemoryRow>,
    /// Why it could not go on.
    pub problem: Option<Problem>,
}

impl MemoryRow {
    /// Reckons the costs anew.
    pub(super) fn reckon(&mut self) {
        let line = |of: &dyn Fn(&MemoryPoint) -> f64| {
            weir_stats::line(&self.points.iter().map(|point| (f64::from(point.connections), of(point))).collect::<Vec<_>>())
        };
        self.lab = MemoryCost { bytes: line(&|point| point.lab_bytes as f64), cpu: line(&|point| point.lab_cpu) };
        self.client = MemoryCost { bytes: line(&|point| point.client_bytes as f64), cpu: line(&|point| point.client_cpu) };
    }
}
