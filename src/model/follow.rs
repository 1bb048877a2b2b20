//! Entries of a config that change what a network computes, though its tensors stay the same: followed, or refused by
//! name.

use serde_json::Value;

use super::facts::Facts;
use super::weights::{Ending, fail};
use crate::error::{Error, Result};
use crate::graph::GlobalPool;

/// timm's constructor arguments that do not change what a trained network computes: they are for training, for
/// initial values, or the tensors tell the same.
const HARMLESS: [&str; 17] = [
    "num_classes",
    "in_chans",
    "drop_rate",
    "drop_path_rate",
    "drop_block_rate",
    "head_drop_rate",
    "zero_init_last",
    "head_init_scale",
    "checkpoint_path",
    "pretrained",
    "pretrained_cfg",
    "pretrained_cfg_overlay",
    "scriptable",
    "exportable",
    "no_jit",
    "device",
    "dtype",
];

/// What the facts about the model `what` say of its end and its strides.
///
/// # Errors
/// [`crate::Error::Weights`] for an entry that is not followed.
pub fn ending(what: &str, facts: &Facts) -> Result<Ending> {
    let refuse = |name: &str, value: &Value| refuse(what, name, value);
    let mut ending = Ending::default();
    let mut follow = |name: &str, value: &Value| -> Result<()> {
        match (name, value.as_str(), value.as_u64()) {
            ("global_pool", Some("avg" | "fast"), _) | ("output_stride", _, Some(32)) => {}
            ("global_pool", Some("max"), _) => ending.pool = GlobalPool::Max,
            ("global_pool", Some("avgmax"), _) => ending.pool = GlobalPool::AverageMax,
            ("global_pool", Some("catavgmax"), _) => ending.pool = GlobalPool::Both,
            ("output_stride", _, Some(stride @ (8 | 16))) => ending.output_stride = Some(stride as usize),
            _ if value.is_null() || HARMLESS.contains(&name) => {}
            _ => return Err(refuse(name, value)),
        }
        Ok(())
    };
    facts.get("global_pool").map_or(Ok(()), |(value, _)| follow("global_pool", value))?;
    // Arguments of the constructor come last: timm passes them on to it.
    match facts.get("model_args").map(|(value, _)| value) {
        None => {}
        Some(Value::Object(arguments)) => arguments.iter().try_for_each(|(name, value)| follow(name, value))?,
        Some(other) => return Err(refuse("model_args", other)),
    }
    Ok(ending)
}

/// Fails if an entry says something else than what is needed.
///
/// # Errors
/// [`crate::Error::Weights`] for an entry that is not followed.
pub fn need(what: &str, facts: &Facts, needs: &[(&str, &str)]) -> Result<()> {
    needs.iter().try_for_each(|(name, needed)| match facts.get(name) {
        Some((value, _)) if value.to_string().trim_matches('"') != *needed => Err(refuse(what, name, value)),
        _ => Ok(()),
    })
}

fn refuse(what: &str, name: &str, value: &Value) -> Error {
    let remedy = "remove it from config.json if the weights were trained without it";
    fail(what, format!("config.json's '{name}' is {value}, which is not supported; {remedy}"))
}
