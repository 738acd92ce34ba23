//! Shared by the integration tests, the window tests and the benchmark.
