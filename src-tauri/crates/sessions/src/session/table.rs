//! The frame table of a session under a filter.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::{SEARCH, Session, lock};
use crate::analysis::RowId;
use crate::inspect::{self, Selection};
use crate::view::{ByteShares, FilterError, RowsPage};

/// Filters whose selections are kept at once.
const SELECTIONS: usize = 4;

impl Session {
    /// A page of the frame table under `filter`. One that reads payloads searches for a moment only: the page says how far it came,
    /// and the next question goes on from there.
    pub fn rows(&self, filter: &str, start: usize, count: usize) -> Result<RowsPage, FilterError> {
        let count = count.min(1000);
        // A row of a compressed body whose line is made from its bytes: the last of the page is the furthest in.
        let coded = self.with_selection(
            filter,
            |_| false,
            |selection| {
                let analysis = self.analysis();
                let fold = &analysis.fold;
                let coded = |id: &RowId| {
                    let row = inspect::row(fold, *id).filter(|row| row.block == 0);
                    row.is_some_and(|row| fold.streams.get(row.stream as usize).is_some_and(|stream| stream.coded))
                };
                (start..selection.len(fold).min(start + count)).rev().filter_map(|at| selection.id(fold, at)).find(coded)
            },
        )?;
        // What hinders it shows in the row.
        let waiting = coded.and_then(|id| self.decode(id).ok().flatten());
        let show = |selection: &mut Selection| selection.page(&self.analysis().fold, &self.bytes, start, count);
        let mut page = self.with_selection(filter, |_| false, show)?;
        if let Some(share) = waiting {
            page.searched = Some(page.searched.map_or(share, |searched| searched.min(share)));
        }
        Ok(page)
    }

    /// Where the bytes of the rows under `filter` go. A filter that reads payloads is searched for a moment only, as for [`Session::rows`].
    pub fn shares(&self, filter: &str) -> Result<ByteShares, FilterError> {
        self.with_selection(
            filter,
            |_| false,
            |selection| {
                let analysis = self.analysis();
                let shares = selection.shares(&analysis.fold);
                ByteShares {
                    bytes: shares.total(),
                    layers: shares.named(),
                    of: analysis.fold.wire,
                    tls: (analysis.phases.tls_overhead.0 > 0 && filter.trim().is_empty()).then_some(analysis.phases.tls_overhead.0),
                    searched: selection.searched(&analysis.fold),
                }
            },
        )
    }

    /// Position of a row under `filter`; `None` where it does not pass, or was not looked at yet.
    pub fn position(&self, filter: &str, row: u32) -> Result<Option<usize>, FilterError> {
        let find = |selection: &mut Selection| selection.position(&self.analysis().fold, RowId(row));
        self.with_selection(filter, |selection| selection.has_seen(RowId(row)), find)
    }

    /// Brings the selection of `filter` up to date, in steps: the wire waits for none that reads bytes. A search of payloads stops
    /// when it is `enough`, or its time is up.
    pub(crate) fn with_selection<T>(
        &self,
        filter: &str,
        enough: impl Fn(&Selection) -> bool,
        show: impl FnOnce(&mut Selection) -> T,
    ) -> Result<T, FilterError> {
        let selection = self.selection(filter)?;
        let mut selection = lock(&selection);
        let until = Instant::now() + SEARCH;
        loop {
            let step = selection.gather(&self.analysis().fold);
            let more = step.more;
            selection.settle(step, &self.bytes);
            if !more || (selection.reads_payload() && (enough(&selection) || Instant::now() >= until)) {
                break;
            }
            std::thread::yield_now();
        }
        Ok(show(&mut selection))
    }

    fn selection(&self, filter: &str) -> Result<Arc<Mutex<Selection>>, FilterError> {
        let mut selections = lock(&self.selections);
        // The one used last is the last to go.
        let used = match selections.iter().position(|(source, _)| source == filter) {
            Some(at) => selections.remove(at),
            None => {
                let made = Selection::new(inspect::parse(filter)?);
                if selections.len() == SELECTIONS {
                    selections.remove(0);
                }
                (filter.to_owned(), Arc::new(Mutex::new(made)))
            }
        };
        let selection = used.1.clone();
        selections.push(used);
        Ok(selection)
    }
}
