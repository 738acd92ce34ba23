//! Integration tests: one binary, modules by topic. Everything runs on loopback.

mod engine;
mod sdk;
