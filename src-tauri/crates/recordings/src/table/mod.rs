//! One file a table: what creates it, its row, its queries.

pub mod block;
pub mod draft;
pub mod extent;
pub mod search;
pub mod session;
pub mod setting;
pub mod tag;
pub mod text;
