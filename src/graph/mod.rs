//! The intermediate representation: a list of operations in the order of execution.
//!
//! Forward pass, backward pass and Grad-CAM tail share one graph, so that the GPU plan and the CPU reference run the
//! same operations. This module depends on no other module of the crate.

mod activation;
mod builder;
mod error;
mod fold;
mod grad;
mod head;
mod nodes;
mod noise;
mod op;
mod param;
mod rearrange;
mod replay;
mod rule;
mod shape;
mod simplify;
mod source;
mod value;
mod window;

pub use activation::Activation;
pub use builder::Builder;
pub use error::GraphError;
pub use fold::fold;
pub use grad::gradients;
pub use nodes::{Graph, Node};
pub use noise::{hash, key};
pub use op::{
    Arithmetic, CELLS, ClassWeights, Contract, Conv2d, Form, Interpolation, LayerNorm, Linear, Mask, Omission, Op,
    Overlay, Pool2d, PoolKind, SAMPLE, Scaling, Term, Weighing,
};
pub use param::Param;
pub use rearrange::{Digit, MAX_DIGITS, Rearrange, Side};
pub use replay::replay;
pub use rule::Rule;
pub use shape::{COLOURS, MOST_ROWS, infer};
pub use simplify::gradient_mean;
pub use source::{Dense, GlobalPool, ParamSource};
pub use value::{Kind, NodeId, ParamId, Shape, Type};
pub use window::Window;
