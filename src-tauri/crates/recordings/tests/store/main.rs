//! The store across processes: a second one beside the first, and one that is killed.

mod processes;
