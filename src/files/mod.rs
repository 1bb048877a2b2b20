//! Files: read up to a bound, whatever they say of themselves, and written completely or not at all.

mod json;
mod read;
mod write;

pub(crate) use json::json;
pub use read::{Content, Kind, read, read_from};
pub(crate) use read::{open, read_by};
pub use write::{Unfinished, abandon, write_atomically};
