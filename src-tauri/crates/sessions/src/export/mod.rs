//! A session as other programs read it. Keys were replaced in the log before anything was kept; exports name them as a variable.

mod curl;

pub use curl::curl;
