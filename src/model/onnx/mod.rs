//! Imports ONNX files: the graph in the file, whatever program wrote it, becomes the engine's graph.
//!
//! [`file`] reads it, [`fold`] computes what depends on constants only, [`lower`] and [`ops`] turn the rest into operations, over
//! [`view`]s that reshapes and transpositions change without moving a number. [`names`] and [`target`] find the layers.

mod export;
mod extents;
mod file;
mod fold;
mod grid;
mod lower;
mod names;
mod ops;
mod parameters;
mod region;
mod target;
mod tensor;
mod view;
mod wire;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde_json::json;

use super::blueprint::{Appended, Blueprint};
use super::facts::{Facts, Origin};
use super::labels::Labels;
use super::options::ModelOptions;
use super::weights::{Tensor, fail};
use super::zoo::Library;
use crate::error::{Error, Result};
use crate::graph::{Graph, Kind, NodeId, Op};
use file::{File, Node, Port};
use lower::{Lowering, Operand, Value};
use view::View;

/// A network from an ONNX file.
pub struct Imported {
    what: String,
    name: String,
    file: File,
    /// The operators that the class scores need, in their order.
    order: Vec<usize>,
    /// Operators at the end that make probabilities of scores. Scores are explained, so they are left out.
    last: HashSet<usize>,
    input: Input,
    output: String,
    grid: Option<[usize; 2]>,
    region: Option<[f64; 4]>,
    default_layer: String,
    classes: usize,
}

/// The network's input.
struct Input {
    name: String,
    channels: usize,
    /// Height and width, as far as the file fixes them.
    fixed: [Option<usize>; 2],
    /// Whether channels come last.
    channels_last: bool,
}

/// Height and width where nobody says them.
const USUAL: usize = 224;

impl Imported {
    /// The network in a file's bytes. Large tensors may lie in files in `folder`. Also notes what the file says of photos and
    /// scores, and returns its labels.
    ///
    /// # Errors
    /// [`Error::Weights`] with what is wrong or not supported.
    pub fn open(
        what: &str,
        bytes: &[u8],
        folder: Option<&Path>,
        options: &ModelOptions,
        facts: &mut Facts,
    ) -> Result<(Self, Labels)> {
        let file = File::read(bytes, folder).map_err(|reason| fail(what, reason))?;
        let inner = |file: File| {
            let output = chosen("output", "--score", &file.outputs, options.score.as_deref())?.name.clone();
            let order = order(&file, &output)?;
            supported(&file, &order)?;
            let input = Input::of(&file, &order, options.input.as_deref())?;
            let (last, scores) = last(&file, &output);
            Ok::<_, String>((
                Self {
                    what: what.to_owned(),
                    name: named(&file),
                    order,
                    last,
                    input,
                    output,
                    grid: options.grid,
                    region: options.region,
                    file,
                    default_layer: String::new(),
                    classes: 0,
                },
                scores,
            ))
        };
        let (mut network, scores) = inner(file).map_err(|reason| fail(what, reason))?;
        let labels = network.note(scores, facts);
        let [h, w] =
            facts.get("input_size").and_then(|(size, _)| super::preprocess::sides(size)).unwrap_or(network.size());
        let mut graph = Graph::default();
        let images = graph.input(Kind::Plain, [1, network.input.channels, h, w]);
        let x = graph.push(Op::Pack, &[images])?;
        let appended = network.append(graph, x)?;
        network.classes = appended.graph.shape(appended.logits)[1];
        network.default_layer = target::default_layer(&appended);
        Ok((network, labels))
    }

    /// Notes what the file says, and returns the labels.
    fn note(&self, scores: Option<&str>, facts: &mut Facts) -> Labels {
        let mut note = |name: &str, value| facts.note(name, value, Origin::File);
        if let [Some(h), Some(w)] = self.input.fixed {
            note("input_size", json!([h, w]));
        }
        if let Some(scores) = scores {
            note("scores", json!(scores));
        }
        let metadata = &self.file.metadata;
        let python = |text: &String| serde_json::from_str(&text.replace('\'', "\"")).unwrap_or(serde_json::Value::Null);
        // Ultralytics' classifiers see photos without normalisation.
        if metadata.get("task").is_some_and(|task| task == "classify") {
            if let Some(size) = metadata.get("imgsz") {
                note("input_size", python(size));
            }
            note("mean", json!(0.0));
            note("std", json!(1.0));
        }
        let keyed = |text: &String| {
            // Python's dict of numbers and names.
            let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
            let pairs = inner.split(", ").map(|pair| pair.split_once(": "));
            pairs
                .map(|pair| pair.map(|(_, name)| name.trim_matches(['\'', '"']).to_owned()))
                .collect::<Option<Vec<_>>>()
        };
        let lines = |text: &String| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let labels = metadata.get("names").and_then(keyed).or_else(|| metadata.get("character").map(lines));
        Labels::new(labels.unwrap_or_default())
    }

    /// What the graph says that is not followed.
    pub fn remark(&self) -> Option<String> {
        let ops = self.order.iter().map(|at| &*self.file.nodes[*at].op);
        let count = ops.filter(|op| *op == "QuantizeLinear").count();
        (count > 0).then(|| format!("QuantizeLinear ({count}×) is left out: activations are computed as f32"))
    }

    fn fail(&self, reason: String) -> Error {
        fail(&self.what, reason)
    }
}

impl Blueprint for Imported {
    fn architecture(&self) -> &str {
        &self.name
    }

    fn library(&self) -> Option<Library> {
        None
    }

    fn default_layer(&self) -> &str {
        &self.default_layer
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn channels(&self) -> usize {
        self.input.channels
    }

    fn has_region(&self) -> bool {
        self.region.is_some()
    }

    fn size(&self) -> [usize; 2] {
        self.input.fixed.map(|side| side.unwrap_or(USUAL))
    }

    fn tensors(&self) -> Vec<Tensor> {
        export::tensors(&self.file, &self.order)
    }

    fn append(&self, graph: Graph, x: NodeId) -> Result<Appended> {
        let [_, c, h, w] = graph.shape(x);
        if self.input.fixed.iter().zip([h, w]).any(|(fixed, side)| fixed.is_some_and(|fixed| fixed != side)) {
            let [fixed_h, fixed_w] = self.size();
            return Err(self.fail(format!("was exported for {fixed_h}×{fixed_w}, not for {h}×{w}")));
        }
        let view = match self.input.channels_last {
            false => View::map([c, h, w]),
            true => View::new(&[1, h, w, c], [&[3], &[1], &[2]]),
        };
        let value = Value { node: x, view };
        let mut lowering = Lowering::new(graph, self.file.opset, &self.input.name, value, &self.file.constants);
        let mut made = vec![];
        for &at in &self.order {
            let node = &self.file.nodes[at];
            let lower = if self.last.contains(&at) { Some(ops::same()) } else { ops::find(&node.op) };
            lowering.lower(node, lower).map_err(|reason| {
                self.fail(format!("{} '{}' {reason} (opset {})", node.op, node.called(), self.file.opset))
            })?;
            if let Some(Operand::Value(value)) = node.outputs.first().and_then(|name| lowering.value(name)) {
                made.push((at, value.clone()));
            }
        }
        let Some(Operand::Value(scores)) = lowering.value(&self.output).cloned() else {
            return Err(self.fail(format!("its output '{}' does not depend on the image", self.output)));
        };
        let dims = scores.view.dims();
        if self.region.is_none() && dims.iter().filter(|extent| **extent > 1).count() > 1 {
            let is_map = matches!(dims[..], [1, _, h, w] if h * w > 1);
            let remedy =
                if is_map { "--box takes their mean over a part of the image" } else { "--score names another" };
            return Err(
                self.fail(format!("its output '{}' is {dims:?}, not one score for each class; {remedy}", self.output))
            );
        }
        let all: Vec<usize> = (0..dims.len()).collect();
        let logits = match self.region {
            Some(region) => region::mean(&mut lowering, &scores, region)
                .map_err(|reason| self.fail(format!("its output '{}' {reason}", self.output)))?,
            None => lowering.laid_out(&scores, [&all, &[], &[]]).map_err(|reason| self.fail(reason))?.node,
        };
        let names::Names { mut modules, others: mut aliases } = names::names(&self.file, &made);
        let needed = lowering.graph.needed(&[logits]);
        let is_needed = |(_, value): &(String, &Value)| needed[value.node] && value.node != x;
        modules.retain(is_needed);
        aliases.retain(is_needed);
        let grid = |(name, value): &(String, &Value)| {
            grid::grid(&lowering.graph, self.grid, value).map(|moves| (name.clone(), moves))
        };
        let grids = modules.iter().chain(&aliases).filter_map(grid).collect();
        let nodes = |names: Vec<(String, &Value)>| names.into_iter().map(|(name, value)| (name, value.node)).collect();
        let (modules, aliases) = (nodes(modules), nodes(aliases));
        Ok(Appended { graph: lowering.graph, logits, modules, aliases, grids })
    }
}

impl Input {
    fn of(file: &File, order: &[usize], named: Option<&str>) -> Result<Self, String> {
        let port = chosen("input", "--input", &file.inputs, named)?;
        let Port { name, dims } = port;
        let [images, a, b, c] = dims[..] else {
            return Err(format!("its input '{name}' has {} axes; images have four", dims.len()));
        };
        if images.is_some_and(|images| images != 1) {
            let count = images.unwrap_or_default();
            return Err(format!("was exported for batches of {count}; export it for one image, or for any number"));
        }
        let readers = || order.iter().map(|at| &file.nodes[*at]);
        let turns = readers().any(|node| {
            node.op == "Transpose" && node.inputs.first() == Some(name) && node.ints("perm") == Some(&[0, 3, 1, 2])
        });
        let few = |extent: Option<usize>| extent.is_some_and(|extent| extent <= 4);
        let channels_last = turns || (few(c) && !few(a));
        let (channels, fixed) = if channels_last { (c, [a, b]) } else { (a, [b, c]) };
        let of_conv = || {
            let conv = readers().find(|node| node.op == "Conv")?;
            let weight = file.constants.get(conv.inputs.get(1)?)?;
            Some(weight.dims.get(1)? * usize::try_from(conv.int("group", 1)).ok()?)
        };
        let channels = channels.or_else(of_conv).unwrap_or(3);
        Ok(Self { name: name.clone(), channels, fixed, channels_last })
    }
}

/// The input or output that the caller names, or else the first.
fn chosen<'a>(kind: &str, option: &str, ports: &'a [Port], named: Option<&str>) -> Result<&'a Port, String> {
    let names = || ports.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ");
    match (named, ports) {
        (Some(named), ports) => ports
            .iter()
            .find(|port| port.name == named)
            .ok_or_else(|| format!("has no {kind} '{named}'; it has {}", names())),
        (None, [one]) => Ok(one),
        (None, [first, ..]) if kind == "output" => Ok(first),
        (None, []) => Err(format!("has no {kind}")),
        (None, _) => Err(format!("has several {kind}s: {}; {option} names one", names())),
    }
}

/// The operators that an output needs, each after those that it reads.
fn order(file: &File, output: &str) -> Result<Vec<usize>, String> {
    let mut makers: HashMap<&str, usize> = HashMap::new();
    for (at, node) in file.nodes.iter().enumerate() {
        makers.extend(node.outputs.iter().filter(|name| !name.is_empty()).map(|name| (name.as_str(), at)));
    }
    // Each operator is entered, then its operands, then it is left; one that is entered again before that is its own operand.
    let (mut order, mut state) = (vec![], vec![0_u8; file.nodes.len()]);
    let mut stack: Vec<usize> = makers.get(output).copied().into_iter().collect();
    while let Some(&at) = stack.last() {
        if state[at] == 2 {
            stack.pop();
            continue;
        }
        let inputs = file.nodes[at].inputs.iter().filter_map(|name| makers.get(name.as_str()).copied());
        let missing: Vec<usize> = inputs.filter(|input| state[*input] != 2).collect();
        if missing.is_empty() {
            state[at] = 2;
            order.push(at);
            stack.pop();
        } else if state[at] == 1 {
            return Err(format!("runs in a circle at '{}'", file.nodes[at].called()));
        } else {
            state[at] = 1;
            stack.extend(missing);
        }
    }
    Ok(order)
}

/// Fails if operators are not known at all, and names all of them.
fn supported(file: &File, order: &[usize]) -> Result<(), String> {
    // Before opset 7, operators named the axis from which their second operand's axes count.
    let counts = |node: &&Node| node.int("broadcast", 0) != 0 && node.int("axis", -1) >= 0;
    if file.opset < 7
        && let Some(node) = order.iter().map(|at| &file.nodes[*at]).find(counts)
    {
        return Err(format!(
            "{} '{}' is of an opset before 7; export the network with a newer one",
            node.op,
            node.called()
        ));
    }
    let mut missing: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for node in order.iter().map(|at| &file.nodes[*at]) {
        let is_own = matches!(&*node.domain, "" | "ai.onnx");
        if !is_own || (ops::find(&node.op).is_none() && !fold::knows(&node.op)) {
            let name = if is_own { node.op.clone() } else { format!("{}.{}", node.domain, node.op) };
            missing.entry(name).or_insert((0, node.called())).0 += 1;
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.iter().map(|(op, (count, first))| format!("{op} ({count}×, first at '{first}')"));
    let list = list.collect::<Vec<_>>().join(", ");
    let kinds = if missing.len() == 1 { "an operator is".into() } else { format!("{} operators are", missing.len()) };
    Err(format!("{kinds} not supported in opset {}: {list}", file.opset))
}

/// The operators at the end that make probabilities, and what scores then mean.
fn last(file: &File, output: &str) -> (HashSet<usize>, Option<&'static str>) {
    let mut name = output;
    loop {
        let maker = file.nodes.iter().position(|node| node.outputs.first().is_some_and(|made| made == name));
        let Some(at) = maker else { return (HashSet::new(), None) };
        let node = &file.nodes[at];
        match &*node.op {
            "Softmax" | "LogSoftmax" => return ([at].into(), Some("softmax")),
            "Sigmoid" => return ([at].into(), Some("sigmoid")),
            "Identity" | "Cast" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => match node.inputs.first() {
                Some(input) => name = input,
                None => return (HashSet::new(), None),
            },
            _ => return (HashSet::new(), None),
        }
    }
}

/// What to call the network: by the program that wrote it.
fn named(file: &File) -> String {
    if file.producer.is_empty() { "ONNX".into() } else { format!("ONNX ({})", file.producer) }
}
