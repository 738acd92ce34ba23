//! Runs a plan, folds its byte log into frames, deltas and figures, and keeps it.

pub mod view;
