//! The command line as a script sees it: the real program, loopback sockets, exit codes.

mod connect;
mod dissect;
mod drill;
mod keys;
mod lab;
mod library;
mod listen;
mod memory;
mod program;
mod send;
mod server;
mod signals;
