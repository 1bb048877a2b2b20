//! Looks up module paths.

use crate::error::{Error, Result};
use crate::graph::NodeId;

/// A module's path with the node of its output. A negative component counts from the end: `blocks.-1`. The path may be written as in
/// Python, `model.blocks[-1]`.
///
/// # Errors
/// [`Error::Unknown`] with similar paths.
pub fn resolve<'a>(modules: &'a [(String, NodeId)], path: &str) -> Result<&'a (String, NodeId)> {
    let plain = path.trim().replace('[', ".").replace(']', "");
    let without_variable = plain.split_once('.').filter(|(first, _)| ["model", "net", "self"].contains(first));
    let inner = without_variable.and_then(|(_, inner)| find(modules, inner));
    find(modules, &plain)
        .or(inner)
        .ok_or_else(|| Error::unknown("layer", path, "gradcam layers", modules.iter().map(|(p, _)| p.as_str())))
}

fn find<'a>(modules: &'a [(String, NodeId)], path: &str) -> Option<&'a (String, NodeId)> {
    let mut full = String::new();
    for part in path.split('.') {
        let prefix = if full.is_empty() { String::new() } else { format!("{full}.") };
        let from_end = part.parse::<isize>().ok().filter(|i| *i < 0).map(isize::unsigned_abs);
        let part = from_end.map_or(Some(part.to_owned()), |back| {
            let children = modules.iter().filter_map(|(p, _)| p.strip_prefix(&prefix)?.parse::<usize>().ok());
            children.count().checked_sub(back).map(|i| i.to_string())
        });
        full = format!("{prefix}{}", part.unwrap_or_default());
    }
    modules.iter().find(|(p, _)| *p == full)
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn paths() {
        let modules = ["conv", "blocks", "blocks.0", "blocks.0.conv", "blocks.1", "blocks.1.conv"];
        let modules: Vec<_> = modules.into_iter().map(str::to_owned).zip(0..).collect();
        assert_eq!(resolve(&modules, "blocks.1.conv").unwrap().1, 5);
        assert_eq!(resolve(&modules, "blocks.-1").unwrap().1, 4);
        assert_eq!(resolve(&modules, "blocks.-2.conv").unwrap().1, 3);
        assert_eq!(resolve(&modules, " model.blocks[-2].conv ").unwrap().1, 3);
        assert_eq!(resolve(&modules, "blocks[1]").unwrap().1, 4);
        for wrong in ["blocks.-3", "other.blocks", "block.0", "", "."] {
            assert!(resolve(&modules, wrong).is_err(), "{wrong}");
        }
        let error = resolve(&modules, "blocks.1.con").unwrap_err().to_string();
        assert!(error.contains("blocks.1.conv"), "{error}");
    }
}
