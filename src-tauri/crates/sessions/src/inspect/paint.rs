//! Which layer owns which bytes of a window: nodes painted in order, inner over outer.

use weir_frames::Span;

use crate::view::Owner;

/// A window to paint on. One byte a byte: windows are bounded.
pub struct Canvas {
    start: u64,
    cells: Vec<u8>,
    layers: Vec<&'static str>,
}

impl Canvas {
    /// A window whose bytes belong to `layer` until something is painted over them.
    pub fn new(window: Span, layer: &'static str) -> Self {
        Self { start: window.start, cells: vec![0; window.len() as usize], layers: vec![layer] }
    }

    /// Gives the connection's bytes `spans` to `layer`.
    pub fn paint(&mut self, spans: &[Span], layer: &'static str) {
        let ink = self.layers.iter().position(|l| *l == layer).unwrap_or_else(|| {
            self.layers.push(layer);
            self.layers.len() - 1
        }) as u8;
        for span in spans {
            let from = (span.start.saturating_sub(self.start) as usize).min(self.cells.len());
            let to = (span.end.saturating_sub(self.start) as usize).min(self.cells.len());
            self.cells[from..to].fill(ink);
        }
    }

    /// Runs of one owner, in order, without holes.
    pub fn owners(&self) -> Vec<Owner> {
        let mut owners = Vec::new();
        let mut at = 0;
        for run in self.cells.chunk_by(|a, b| a == b) {
            owners.push(Owner { start: at, end: at + run.len() as u64, layer: self.layers[run[0] as usize].into() });
            at += run.len() as u64;
        }
        owners
    }
}
