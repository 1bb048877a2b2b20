//! The only room that knows wgpu: devices, memory, pipelines, and the run of a plan.

mod device;
mod failure;
mod memory;
mod peak;
mod pipelines;
mod session;
mod timing;
mod trace;
mod tuning;
mod upload;

pub use device::{AdapterInfo, Backend, Gpu, GpuOptions};
pub use session::{Run, Session, Stats, Weights};
pub use timing::Timed;
pub use tuning::{Measured, Verdict};
