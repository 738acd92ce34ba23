//! The engine from the socket to what a view shows.

mod accents;
mod bad_input;
mod captures;
mod codings;
mod compare;
mod dialects;
mod growth;
mod hostile;
mod index;
mod killed;
mod lab;
mod lenses;
mod oracles;
mod ownership;
mod raw_body;
mod refusals;
mod reopened;
mod secrets;
mod stop;
mod turns;
