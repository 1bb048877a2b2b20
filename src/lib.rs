pub mod error;
pub mod gpu;
pub mod graph;
pub mod kernels;
pub mod plan;
pub mod reference;
