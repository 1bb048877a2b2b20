//! ONNX files, written part by part.

use crate::protobuf::{field, varint};

/// A message of fields that are bytes or numbers.
pub enum Part<'a> {
    Bytes(usize, &'a [u8]),
    Number(usize, usize),
}

/// The fields one after another.
pub fn message(parts: &[Part]) -> Vec<u8> {
    let part = |part: &Part| match part {
        Part::Bytes(number, bytes) => field(*number, bytes),
        Part::Number(number, value) => [varint(number << 3), varint(*value)].concat(),
    };
    parts.iter().flat_map(part).collect()
}

/// An operator with operands and results.
pub fn operator(op: &str, inputs: &[&str], output: &str, more: &[u8]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| field(1, name.as_bytes()));
    [
        inputs.collect(),
        field(2, output.as_bytes()),
        field(3, format!("the {op}").as_bytes()),
        field(4, op.as_bytes()),
        more.to_vec(),
    ]
    .concat()
}

/// An attribute of several whole numbers.
pub fn attribute(name: &str, values: &[usize]) -> Vec<u8> {
    let values = values.iter().flat_map(|value| [varint(8 << 3), varint(*value)].concat());
    field(5, &[field(1, name.as_bytes()), values.collect(), message(&[Part::Number(20, 7)])].concat())
}

/// An attribute of one whole number.
pub fn number(name: &str, value: usize) -> Vec<u8> {
    field(5, &message(&[Part::Bytes(1, name.as_bytes()), Part::Number(3, value), Part::Number(20, 2)]))
}

/// A trained tensor of f32.
pub fn tensor(name: &str, dims: &[usize], values: &[f32]) -> Vec<u8> {
    let dims = dims.iter().flat_map(|extent| [varint(1 << 3), varint(*extent)].concat());
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    [dims.collect(), message(&[Part::Number(2, 1), Part::Bytes(8, name.as_bytes()), Part::Bytes(9, &bytes)])].concat()
}

/// An input or output. An extent of 0 is not fixed.
pub fn port(name: &str, dims: &[usize]) -> Vec<u8> {
    let dims = dims
        .iter()
        .flat_map(|extent| field(1, &if *extent > 0 { message(&[Part::Number(1, *extent)]) } else { vec![] }));
    let shape = field(2, &dims.collect::<Vec<u8>>());
    [field(1, name.as_bytes()), field(2, &field(1, &shape))].concat()
}

/// A file of these parts of a graph: operators (1), tensors (5), inputs (11) and outputs (12).
pub fn file(opset: usize, parts: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let graph: Vec<u8> = parts.iter().flat_map(|(number, part)| field(*number, part)).collect();
    let opset = message(&[Part::Bytes(1, b""), Part::Number(2, opset)]);
    message(&[Part::Number(1, 3), Part::Bytes(2, b"a test"), Part::Bytes(7, &graph), Part::Bytes(8, &opset)])
}
