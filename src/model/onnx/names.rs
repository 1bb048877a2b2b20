//! What users call a network's values: module paths, as far as the exporter kept them, and names of operators.

use std::collections::{HashMap, HashSet};

use super::file::{File, Node};
use super::lower::Value;

/// Names with the values that they stand for.
#[derive(Default)]
pub struct Names<'a> {
    /// Modules before those inside them; or, if the exporter kept none, all operators.
    pub modules: Vec<(String, &'a Value)>,
    /// Further names: of operators and of their results.
    pub others: Vec<(String, &'a Value)>,
}

/// The names in a file. `made` gives the operators with their results.
pub fn names<'a>(file: &File, made: &'a [(usize, Value)]) -> Names<'a> {
    let mut names = Names::default();
    let paths: Vec<Option<String>> = made.iter().map(|(at, _)| path(&file.nodes[*at])).collect();
    let known: HashSet<&str> = paths.iter().flatten().flat_map(|path| outer(path)).collect();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for ((at, value), path) in made.iter().zip(&paths) {
        let operator = &file.nodes[*at];
        for name in [&operator.name, &operator.outputs[0]] {
            if !name.is_empty() && names.others.last().is_none_or(|(last, _)| last != name) {
                names.others.push((name.clone(), value));
            }
        }
        let Some(path) = path else { continue };
        // A module that is called again has a number behind its name.
        let again =
            path.rsplit_once('_').filter(|(first, number)| number.parse::<u32>().is_ok() && known.contains(first));
        // A module's value is that of its last operator.
        for outer in outer(again.map_or(path, |(first, _)| first)) {
            let place = *places.entry(outer).or_insert(names.modules.len());
            match names.modules.get_mut(place) {
                Some(module) => module.1 = value,
                None => names.modules.push((outer.to_owned(), value)),
            }
        }
    }
    if names.modules.is_empty() {
        // Each operator by its own name, or by its result's.
        let called: HashSet<&str> = made.iter().map(|(at, _)| file.nodes[*at].called()).collect();
        let (own, results) =
            std::mem::take(&mut names.others).into_iter().partition(|(name, _)| called.contains(name.as_str()));
        (names.modules, names.others) = (own, results);
    }
    names
}

/// A path with those of the modules around it, the outermost first.
fn outer(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('.').map(|(end, _)| end).chain([path.len()]);
    ends.filter(|end| *end > 0).map(|end| &path[..end])
}

/// The path of the module that an operator belongs to, if PyTorch wrote it.
pub fn path(node: &Node) -> Option<String> {
    if let Some(scopes) = node.metadata.get("pkg.torch.onnx.name_scopes") {
        // A list as Python prints it: the modules from the outermost to the innermost, then the operator.
        let scopes: Vec<&str> =
            scopes.trim_matches(['[', ']']).split(", ").map(|s| s.trim_matches(['\'', '"'])).collect();
        let inner = scopes.len().checked_sub(2).map(|at| scopes[at])?;
        return Some(inner.to_owned()).filter(|path| !path.is_empty());
    }
    let name = node.name.strip_prefix('/')?;
    let (modules, _) = name.rsplit_once('/')?;
    let mut path = String::new();
    let mut last = "";
    for part in modules.split('/') {
        // `layer4/layer4.1` is one module inside the other, not a path of three.
        let inner = part.strip_prefix(last).and_then(|rest| rest.strip_prefix('.')).filter(|_| !last.is_empty());
        let name = inner.unwrap_or(part);
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        last = part;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let named = |name: &str| {
            let mut node = Node::default();
            node.name = name.into();
            path(&node)
        };
        assert_eq!(named("/layer4/layer4.1/conv2/Conv").unwrap(), "layer4.1.conv2");
        assert_eq!(named("/features/features.0/features.0.1/block/block.0/Add").unwrap(), "features.0.1.block.0");
        assert_eq!(named("/encoder/layers/encoder_layer_11/ln_1/Add").unwrap(), "encoder.layers.encoder_layer_11.ln_1");
        assert_eq!((named("/Flatten"), named("Conv_0")), (None, None));
        let mut node = Node::default();
        let scopes = "['', 'layer4', 'layer4.1', 'layer4.1.conv2', 'conv2d_19']";
        node.metadata.insert("pkg.torch.onnx.name_scopes".into(), scopes.into());
        assert_eq!(path(&node).unwrap(), "layer4.1.conv2");
    }
}
