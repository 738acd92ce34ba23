//! The real window, driven as a user drives it: the built program, WebKit, a real Secret Service, servers on loopback.
//!
//! One test at a time has the stage; each opens a window of its own on a desktop of its own. Pictures go to `out/e2e/`.
#![cfg(target_os = "linux")]

mod stage;
mod steps;

mod compare;
mod compose;
mod console;
mod conversation;
mod dialects;
mod drill;
mod errors;
mod fast;
mod first_run;
mod follow;
mod inspect;
mod keys;
mod lenses;
mod library;
mod providers;
mod scale;
mod shell;
mod sound;
mod stop;
mod tour;
mod transports;
