//! An ONNX file: its graph, as it is written there.

use std::collections::HashMap;
use std::path::Path;

use super::tensor::{self, Constant};
use super::wire::{Broken, Field, Fields, pair};

/// A file's model.
#[derive(Default)]
pub struct File {
    pub nodes: Vec<Node>,
    pub constants: HashMap<String, Constant>,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    /// Version of the operators.
    pub opset: i64,
    /// The program that wrote it.
    pub producer: String,
    pub metadata: HashMap<String, String>,
}

/// An operator with its operands.
#[derive(Default)]
pub struct Node {
    pub name: String,
    pub op: String,
    pub domain: String,
    /// An operand that is left out has an empty name.
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    attributes: Vec<(String, Attribute)>,
    pub metadata: HashMap<String, String>,
}

/// An input or an output.
pub struct Port {
    pub name: String,
    /// None where an extent is not fixed.
    pub dims: Vec<Option<usize>>,
}

#[derive(Clone)]
enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Tensor(Constant),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    /// Of a kind that no supported operator has, such as a graph.
    Other,
}

/// The most operators.
const MOST_NODES: usize = 1 << 17;

impl File {
    /// Reads a file's bytes. Large tensors may lie in files in `folder`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8], folder: Option<&Path>) -> Result<Self, String> {
        let mut file = Self::default();
        let mut graphs = vec![];
        let mut functions = false;
        let damaged = |Broken| "is damaged, or no ONNX file".to_owned();
        for field in Fields(bytes) {
            match field.map_err(damaged)? {
                (2, field) => file.producer = field.text().map_err(damaged)?,
                (7, field) => graphs.push(field.bytes().map_err(damaged)?),
                (8, field) => file.note_opset(field).map_err(damaged)?,
                (14, field) => file.metadata.extend([pair(field.bytes().map_err(damaged)?).map_err(damaged)?]),
                (25, _) => functions = true,
                _ => {}
            }
        }
        let [graph] = graphs[..] else { return Err(format!("holds {} graphs; a file of one is needed", graphs.len())) };
        if functions {
            return Err("defines functions of its own, which are not supported; export it without them".into());
        }
        for field in Fields(graph) {
            let (number, field) = field.map_err(damaged)?;
            match number {
                1 => file.nodes.push(Node::read(field.bytes().map_err(damaged)?, folder)?),
                5 => {
                    let constant = tensor::read(field.bytes().map_err(damaged)?, folder)?;
                    let name = constant.name.as_deref().ok_or("holds a tensor without a name")?.to_owned();
                    file.constants.insert(name, constant);
                }
                11 => file.inputs.push(Port::read(field).map_err(damaged)?),
                12 => file.outputs.push(Port::read(field).map_err(damaged)?),
                15 => return Err("holds sparse tensors, which are not supported".into()),
                _ => {}
            }
            if file.nodes.len() > MOST_NODES {
                return Err(format!("has over {MOST_NODES} operators"));
            }
        }
        // Older files list their tensors among the inputs.
        file.inputs.retain(|port| !file.constants.contains_key(&port.name));
        Ok(file)
    }

    fn note_opset(&mut self, field: Field) -> Result<(), Broken> {
        let (mut domain, mut version) = (String::new(), 0);
        for field in Fields(field.bytes()?) {
            match field? {
                (1, field) => domain = field.text()?,
                (2, field) => version = field.int()?,
                _ => {}
            }
        }
        if domain.is_empty() || domain == "ai.onnx" {
            self.opset = version;
        }
        Ok(())
    }
}

impl Node {
    fn read(bytes: &[u8], folder: Option<&Path>) -> Result<Self, String> {
        let mut node = Self::default();
        let damaged = |Broken| "has a damaged operator".to_owned();
        for field in Fields(bytes) {
            let (number, field) = field.map_err(damaged)?;
            match number {
                1 => node.inputs.push(field.text().map_err(damaged)?),
                2 => node.outputs.push(field.text().map_err(damaged)?),
                3 => node.name = field.text().map_err(damaged)?,
                4 => node.op = field.text().map_err(damaged)?,
                5 => node.attributes.push(Attribute::read(field.bytes().map_err(damaged)?, folder)?),
                7 => node.domain = field.text().map_err(damaged)?,
                9 => node.metadata.extend([pair(field.bytes().map_err(damaged)?).map_err(damaged)?]),
                _ => {}
            }
        }
        Ok(node)
    }

    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// A whole number, or its default.
    pub fn int(&self, name: &str, default: i64) -> i64 {
        if let Some(Attribute::Int(value)) = self.attribute(name) { *value } else { default }
    }

    /// A number, or its default.
    pub fn float(&self, name: &str, default: f32) -> f32 {
        if let Some(Attribute::Float(value)) = self.attribute(name) { *value } else { default }
    }

    /// A word. Empty if there is none.
    pub fn text(&self, name: &str) -> &str {
        if let Some(Attribute::Text(value)) = self.attribute(name) { value } else { "" }
    }

    /// A list of whole numbers.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        if let Some(Attribute::Ints(value)) = self.attribute(name) { Some(value) } else { None }
    }

    /// Numbers of any form.
    pub fn constant(&self, name: &str) -> Option<Constant> {
        Some(match self.attribute(name)? {
            Attribute::Tensor(tensor) => tensor.clone(),
            Attribute::Float(value) => Constant::scalar(*value),
            Attribute::Int(value) => Constant::ints(vec![], [*value]),
            Attribute::Floats(values) => Constant::floats(vec![values.len()], values.as_slice()),
            Attribute::Ints(values) => Constant::list(values),
            Attribute::Text(_) | Attribute::Other => return None,
        })
    }

    /// Its name, or that of its output, for messages.
    pub fn called(&self) -> &str {
        if self.name.is_empty() { self.outputs.first().map_or("", String::as_str) } else { &self.name }
    }
}

impl Attribute {
    fn read(bytes: &[u8], folder: Option<&Path>) -> Result<(String, Self), String> {
        let damaged = |Broken| "has a damaged attribute".to_owned();
        let (mut name, mut value, mut floats, mut ints) = (String::new(), Self::Other, vec![], vec![]);
        let mut kind = 0;
        for field in Fields(bytes) {
            let (number, field) = field.map_err(damaged)?;
            match number {
                1 => name = field.text().map_err(damaged)?,
                2 => value = Self::Float(field.float().map_err(damaged)?),
                3 => value = Self::Int(field.int().map_err(damaged)?),
                4 => value = Self::Text(String::from_utf8_lossy(field.bytes().map_err(damaged)?).into()),
                5 => value = Self::Tensor(tensor::read(field.bytes().map_err(damaged)?, folder)?),
                7 => field.floats(&mut floats).map_err(damaged)?,
                8 => field.ints(&mut ints).map_err(damaged)?,
                20 => kind = field.int().map_err(damaged)?,
                _ => {}
            }
        }
        // Zeros and empty lists may be left out, and the kind by old programs.
        let value = match (kind, value) {
            (1, Self::Other) => Self::Float(0.0),
            (2, Self::Other) => Self::Int(0),
            (_, Self::Other) if kind == 7 || !ints.is_empty() => Self::Ints(ints),
            (_, Self::Other) if kind == 6 || !floats.is_empty() => Self::Floats(floats),
            (_, value) => value,
        };
        Ok((name, value))
    }
}

impl Port {
    fn read(field: Field) -> Result<Self, Broken> {
        let mut port = Self { name: String::new(), dims: vec![] };
        for field in Fields(field.bytes()?) {
            match field? {
                (1, field) => port.name = field.text()?,
                (2, field) => {
                    for shape in inner(field, 1)? {
                        for dims in inner(Field::Bytes(shape), 2)? {
                            for dim in inner(Field::Bytes(dims), 1)? {
                                port.dims.push(extent(dim)?);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(port)
    }
}

/// The messages in a message's fields of this number.
fn inner(field: Field<'_>, number: u64) -> Result<Vec<&[u8]>, Broken> {
    let mut found = vec![];
    for field in Fields(field.bytes()?) {
        if let (n, Field::Bytes(bytes)) = field?
            && n == number
        {
            found.push(bytes);
        }
    }
    Ok(found)
}

fn extent(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    let mut extent = None;
    for field in Fields(bytes) {
        if let (1, field) = field? {
            extent = usize::try_from(field.int()?).ok().filter(|extent| *extent > 0);
        }
    }
    Ok(extent)
}
