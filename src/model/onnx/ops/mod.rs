//! The operators, each with what lowers it.

pub mod attention;
pub mod convolution;
pub mod elementwise;
pub mod linear;
pub mod norm;
pub mod reduce;
pub mod resize;
pub mod shape;

use super::lower::Lower;
use crate::graph::Activation;

/// The operators by name.
const TABLE: &[(&str, Lower)] = &[
    ("Abs", |l, _, x| elementwise::activate(l, x, Activation::Abs)),
    ("Add", elementwise::add),
    ("AveragePool", convolution::pool),
    ("BatchNormalization", norm::batch),
    ("Cast", shape::same),
    ("CastLike", shape::same),
    ("Clip", elementwise::clip),
    ("Concat", shape::concat),
    ("Conv", convolution::conv),
    ("ConvTranspose", convolution::transposed),
    ("DepthToSpace", shape::depth_to_space),
    ("DequantizeLinear", shape::same),
    ("Div", elementwise::divide),
    ("Dropout", shape::same),
    ("Einsum", attention::einsum),
    ("Elu", elementwise::elu),
    ("Erf", |l, _, x| elementwise::activate(l, x, Activation::Erf)),
    ("Exp", |l, _, x| elementwise::activate(l, x, Activation::Exp)),
    ("Expand", shape::expand),
    ("Flatten", shape::flatten),
    ("Gather", shape::gather),
    ("Gelu", elementwise::gelu),
    ("Gemm", linear::gemm),
    ("GlobalAveragePool", reduce::global_average),
    ("GlobalLpPool", reduce::global_norm),
    ("GlobalMaxPool", reduce::global_max),
    ("GroupNormalization", norm::group),
    ("HardSigmoid", elementwise::hard_sigmoid),
    ("HardSwish", |l, _, x| elementwise::activate(l, x, Activation::HardSwish)),
    ("Identity", shape::same),
    ("InstanceNormalization", norm::instance),
    ("LRN", norm::local_response),
    ("LayerNormalization", norm::layer),
    ("LeakyRelu", elementwise::leaky_relu),
    ("Log", |l, _, x| elementwise::activate(l, x, Activation::Log)),
    ("LpPool", convolution::pool),
    ("MatMul", linear::matmul),
    ("Max", elementwise::max),
    ("MaxPool", convolution::pool),
    ("Min", elementwise::min),
    ("Mish", |l, _, x| elementwise::activate(l, x, Activation::Mish)),
    ("Mul", elementwise::multiply),
    ("Neg", |l, _, x| elementwise::scale(l, x, -1.0)),
    ("PRelu", elementwise::prelu),
    ("Pad", shape::pad),
    ("Pow", elementwise::pow),
    ("QuantizeLinear", shape::same),
    ("Reciprocal", |l, _, x| elementwise::activate(l, x, Activation::Reciprocal)),
    ("ReduceL1", reduce::reduce),
    ("ReduceL2", reduce::reduce),
    ("ReduceMax", reduce::reduce),
    ("ReduceMean", reduce::reduce),
    ("ReduceMin", reduce::reduce),
    ("ReduceSum", reduce::reduce),
    ("ReduceSumSquare", reduce::reduce),
    ("Relu", |l, _, x| elementwise::activate(l, x, Activation::Relu)),
    ("Reshape", shape::reshape),
    ("Resize", resize::resize),
    ("Selu", elementwise::selu),
    ("Sigmoid", |l, _, x| elementwise::activate(l, x, Activation::Sigmoid)),
    ("Slice", shape::slice),
    ("Softmax", attention::softmax),
    ("Softplus", |l, _, x| elementwise::activate(l, x, Activation::Softplus)),
    ("SpaceToDepth", shape::space_to_depth),
    ("Split", shape::split),
    ("Sqrt", |l, _, x| elementwise::activate(l, x, Activation::Sqrt)),
    ("Squeeze", shape::squeeze),
    ("Sub", elementwise::subtract),
    ("Sum", elementwise::add),
    ("Tanh", |l, _, x| elementwise::activate(l, x, Activation::Tanh)),
    ("Tile", shape::tile),
    ("Transpose", shape::transpose),
    ("Unsqueeze", shape::unsqueeze),
    ("Upsample", resize::resize),
];

/// What lowers an operator, if it is known.
pub fn find(op: &str) -> Option<Lower> {
    TABLE.iter().find(|(name, _)| *name == op).map(|(_, lower)| *lower)
}

/// What leaves an operator out.
pub fn same() -> Lower {
    shape::same
}
