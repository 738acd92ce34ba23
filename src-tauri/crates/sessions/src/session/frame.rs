//! One frame of a session, opened, and what of its bodies has to be decoded for it.

use std::time::Instant;

use super::{SEARCH, Session, lock};
use crate::Error;
use crate::analysis::RowId;
use crate::inspect;
use crate::view::{self, FrameDetail};

impl Session {
    /// Opens a frame.
    pub fn frame(&self, row: u32) -> Result<FrameDetail, Error> {
        if let Some(share) = self.decode(RowId(row))? {
            return inspect::carried(&self.analysis().fold, &self.bytes, RowId(row), share);
        }
        inspect::open(&self.analysis().fold, &self.bytes, RowId(row))
    }

    /// An event stream, or NDJSON, as other clients would have seen it: the body that `row` is of, or the first of the session; `None` where there is
    /// none. An answer comes after a moment and tells how far it read; the next question goes on from there.
    pub fn lenses(&self, row: Option<u32>) -> Result<Option<view::Lenses>, Error> {
        let mut run = lock(&self.lenses);
        let Some((stream, format)) = inspect::body_of(&self.analysis().fold, row.map(RowId)) else { return Ok(None) };
        if run.as_ref().is_none_or(|run| run.stream() != stream) {
            *run = inspect::Run::new(&self.analysis().fold, stream, format);
        }
        let Some(run) = run.as_mut() else { return Ok(None) };
        run.step(self)?;
        Ok(Some(run.view()))
    }

    /// Decodes the compressed body that a row is part of up to its end, for a moment: the share (0–1) that is done, if it is not all.
    /// The wire does not wait for it.
    pub(super) fn decode(&self, id: RowId) -> Result<Option<f64>, Error> {
        let until = Instant::now() + SEARCH;
        let _one = lock(&self.decoding);
        loop {
            let step = {
                let analysis = self.analysis();
                let Some(row) = inspect::row(&analysis.fold, id) else { return Ok(None) };
                let Some(stream) = analysis.fold.streams.get(row.stream as usize).filter(|stream| stream.coded) else { return Ok(None) };
                lock(&self.bytes.kept).step(row.stream, stream, inspect::shown(row))
            };
            let Some(mut step) = step else { return Ok(None) };
            step.run(&self.bytes)?;
            let share = step.share();
            if !lock(&self.bytes.kept).keep(step) {
                return Ok(None);
            }
            if Instant::now() >= until && share < 1.0 {
                return Ok(Some(share));
            }
        }
    }
}
