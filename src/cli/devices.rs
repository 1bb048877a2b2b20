//! `gradcam devices`.

use std::io::{Write, stdout};

use clap::Args;
use gradcam::Gpu;

use super::{BackendArg, Failure, print_json};

/// List the adapters that can compute, the best first
#[derive(Args)]
pub struct Devices {
    /// Only this graphics interface
    #[arg(long, value_enum)]
    backend: Option<BackendArg>,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
}

impl Devices {
    pub fn run(self) -> Result<(), Failure> {
        let adapters = pollster::block_on(Gpu::adapters(self.backend.map(Into::into)));
        if self.json {
            return print_json(&adapters);
        }
        let mut out = stdout().lock();
        for (i, a) in adapters.iter().enumerate() {
            let software = if a.software { ", software" } else { "" };
            writeln!(out, "{i:>3}  {} ({:?}{software}; {})", a.name, a.backend, a.driver)?;
        }
        if adapters.is_empty() {
            writeln!(
                out,
                "     no graphics adapter; a driver is missing (Debian: apt-get install mesa-vulkan-drivers)"
            )?;
        }
        Ok(writeln!(out, "cpu  plain f64 loops, without any driver")?)
    }
}
