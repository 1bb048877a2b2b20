//! Parsing of JSON, within the budget of memory.

use serde_json::Value;

use crate::error::Result;
use crate::memory;

/// Bytes that a value takes for each byte of its text, at most: short numbers in a list.
const LARGER: u64 = 32;

/// Parses a text; `what` names it in errors.
///
/// # Errors
/// [`crate::Error::Memory`]. What is wrong with the text is within.
pub fn json(what: &str, text: &[u8]) -> Result<serde_json::Result<Value>> {
    let _room = memory::take(what, LARGER * text.len() as u64)?;
    Ok(serde_json::from_slice(text))
}
