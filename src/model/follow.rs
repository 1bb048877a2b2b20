//! Entries of a config that change what a network computes, though its tensors stay the same: followed, or refused by
//! name.

use serde_json::Value;

use super::facts::Facts;
use super::weights::{Ending, fail};
use crate::error::{Error, Result};
use crate::graph::GlobalPool;

/// Constructor arguments of timm and torchvision that do not change what a trained network computes: they are for
/// training, for initial values, or the tensors tell the same.
const HARMLESS: [&str; 26] = [
    "aux_logits",
    "checkpoint_path",
    "device",
    "drop_block_rate",
    "drop_path_rate",
    "drop_rate",
    "dropout",
    "dropout_aux",
    "dtype",
    "exportable",
    "head_drop_rate",
    "head_init_scale",
    "in_chans",
    "init_weights",
    "memory_efficient",
    "no_jit",
    "num_classes",
    "pretrained",
    "pretrained_cfg",
    "pretrained_cfg_overlay",
    "proj_drop_rate",
    "scriptable",
    "stochastic_depth_prob",
    "transform_input", // followed with the preprocessing
    "zero_init_last",
    "zero_init_residual",
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::Config;
    use crate::model::facts::Origin;
    use crate::model::recognise::needs;
    use crate::model::zoo::architectures;

    fn of(name: &str, value: Value) -> Result<Ending> {
        let mut facts = Facts::default();
        facts.note("model_args", json!({ name: value }), Origin::Config);
        ending("model", &facts)
    }

    /// Each argument of the libraries' constructors is followed, does not matter, or is refused by name.
    #[test]
    fn no_argument_passes_in_silence() {
        let arguments = include_str!("../../tests/data/constructor_arguments.txt").lines();
        let mut refused = 0;
        for name in arguments.filter(|name| !HARMLESS.contains(name)) {
            let error = of(name, json!("strange")).err().unwrap_or_else(|| panic!("{name} is ignored")).to_string();
            assert!(error.contains(&format!("'{name}' is \"strange\"")), "{error}");
            refused += 1;
        }
        assert!(refused > 60, "{refused}");
        for pool in ["avg", "max", "avgmax", "catavgmax"] {
            assert_eq!(of("global_pool", json!(pool)).unwrap().pool == GlobalPool::Average, pool == "avg", "{pool}");
        }
        assert_eq!(of("output_stride", json!(8)).unwrap().output_stride, Some(8));
        assert!(of("output_stride", json!(4)).is_err());
    }

    /// Each entry that a row or a dialect needs is read from a config, and refused if it says something else.
    #[test]
    fn what_is_needed_is_read() {
        for (name, needed) in needs() {
            for (said, is_right) in
                [(serde_json::from_str(needed).unwrap_or(json!(needed)), true), (json!("strange"), false)]
            {
                let folder = tempfile::tempdir().unwrap();
                std::fs::write(folder.path().join("config.json"), json!({ name: said }).to_string()).unwrap();
                let mut facts = Facts::default();
                Config::read(&[], Some(folder.path()), &mut facts);
                assert_eq!(facts.get(name).unwrap().0, &said, "{name}");
                assert_eq!(need("model", &facts, &[(name, needed)]).is_ok(), is_right, "{name}");
            }
        }
    }

    /// Only those families dilate that ask for it.
    #[test]
    fn who_dilates() {
        for architecture in architectures() {
            let is_resnet = architecture.default_layer == "layer4" && architecture.size == 224;
            assert_eq!(architecture.dilates, is_resnet, "{}", architecture.name);
        }
    }
}
