//! Shared by the integration tests, the window tests and the benchmark: loopback peers whose every byte is known.

pub mod desk;
pub mod flood;
pub mod peer;
#[cfg(target_os = "linux")]
pub mod window;
