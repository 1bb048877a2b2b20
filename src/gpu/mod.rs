//! Devices, memory, pipelines, and the execution of plans. Only this module uses wgpu.

#[cfg(target_arch = "wasm32")]
mod browser;
mod clock;
mod device;
#[cfg(not(target_arch = "wasm32"))]
mod drivers;
mod failure;
mod handle;
mod info;
mod interrupt;
mod memory;
mod open;
mod owned;
mod parts;
mod peak;
mod pipelines;
#[cfg(feature = "remember")]
mod remembered;
mod session;
mod timing;
mod trace;
mod tuning;
mod upload;
mod verdict;
mod watch;
mod weights;

pub use device::{Gpu, GpuOptions};
#[cfg(not(target_arch = "wasm32"))]
pub use drivers::driver_settings;
pub use info::{AdapterInfo, Backend};
pub use interrupt::Interrupt;
pub use session::Stats;
#[doc(hidden)] // for the tests and benches
pub use session::{Given, Run, Session};
#[doc(hidden)]
pub use timing::Timed;
pub use tuning::Measured;
pub use verdict::{Verdict, Verdicts};
#[doc(hidden)] // for the tests and benches
pub use weights::Weights;
