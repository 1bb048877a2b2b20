//! `gradcam devices`.

use std::collections::BTreeMap;
use std::io::{Write, stdout};

use clap::Args;
use gradcam::gpu::{Verdict, Verdicts};
use gradcam::{AdapterInfo, Backend, Error, Gpu, GpuOptions, Result};
use serde::Serialize;

use super::args::{BACKEND, BackendArg, remember};
use super::bench::number;
use super::say::{Failure, complain, print_json};

/// List the adapters that can compute, best first, with their limits and the kernel variants that suit them
///
/// The best variant is measured when an adapter is first used, and remembered. The measurement runs three convolutions
/// and takes milliseconds.
#[derive(Args)]
pub struct Devices {
    /// Use only this graphics API
    #[arg(long, value_enum, env = BACKEND, hide_env_values = true, ignore_case = true)]
    backend: Option<BackendArg>,
    /// Measure now which variant suits each adapter, and remember it
    #[arg(long)]
    probe: bool,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Adapter {
    #[serde(flatten)]
    info: AdapterInfo,
    /// The variant that suits it best, if this was measured.
    variant: Option<String>,
    /// Milliseconds of the probe for each variant that was tried.
    probe_ms: BTreeMap<String, f64>,
    /// For each variant, the number of product shapes whose tiles `gradcam tune` measured.
    tuned: BTreeMap<String, usize>,
}

impl Adapter {
    fn new(info: AdapterInfo, verdict: Option<Verdict>) -> Self {
        let Verdict { profile, probed, tuned } = verdict.unwrap_or_default();
        Self {
            info,
            variant: Some(profile).filter(|profile| !profile.is_empty()),
            probe_ms: probed.into_iter().map(|(name, seconds)| (name, seconds * 1e3)).collect(),
            tuned: tuned.into_iter().map(|(name, tuned)| (name, tuned.0.len())).collect(),
        }
    }

    /// Its limits and features.
    fn limits(&self) -> String {
        let info = &self.info;
        let [buffers, textures] = info.storage_bindings;
        let subgroups = info.subgroup_sizes.map(|[least, most]| match least == most {
            true => format!("subgroups of {least}"),
            false => format!("subgroups of {least} to {most}"),
        });
        let matrices = format!("cooperative matrices {}", info.cooperative_matrices.join(", "));
        let limits = [
            Some(format!("bindings of {}, {buffers} buffers, {textures} textures", bytes(info.max_binding))),
            Some(format!(
                "workgroups of {}, {} shared",
                info.workgroup_invocations,
                bytes(info.workgroup_bytes.into())
            )),
            subgroups,
            info.timestamps.then(|| "timestamps".into()),
            info.f16.then(|| "f16".into()),
            Some(matrices).filter(|_| !info.cooperative_matrices.is_empty()),
        ];
        limits.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// The variant that suits it, and the measurements behind the choice.
    fn choice(&self) -> String {
        let Some(variant) = &self.variant else {
            return "variant not measured yet: its first use does, or --probe".into();
        };
        let mut probed: Vec<(&String, &f64)> = self.probe_ms.iter().collect();
        probed.sort_unstable_by(|a, b| a.1.total_cmp(b.1));
        let figures: Vec<String> = probed.iter().map(|(name, ms)| format!("{name} {}", number(**ms))).collect();
        let why =
            if figures.is_empty() { String::new() } else { format!(", by the probe (ms): {}", figures.join(", ")) };
        let tuned = self.tuned.iter().map(|(name, shapes)| format!("; {shapes} shapes tuned for {name}"));
        format!("variant {variant}{why}{}", tuned.collect::<String>())
    }
}

impl Devices {
    pub fn run(self) -> Result<(), Failure> {
        let backend = self.backend.map(Into::into);
        let known = Verdicts::remembered();
        let mut adapters = vec![];
        let mut failed = false;
        for (at, info) in pollster::block_on(Gpu::adapters(backend)).into_iter().enumerate() {
            let measured = if self.probe { self.measure(at, &known).map(Some) } else { Ok(known.of(&info).cloned()) };
            let verdict = measured.unwrap_or_else(|error| {
                complain(&error);
                failed = true;
                None
            });
            adapters.push(Adapter::new(info, verdict));
        }
        self.print(&adapters)?;
        if failed { Err(Failure::Reported(1)) } else { Ok(()) }
    }

    /// Measures the adapter with this index.
    fn measure(&self, adapter: usize, known: &Verdicts) -> Result<Verdict, Error> {
        let backend = self.backend.map(Backend::from);
        let options = GpuOptions::default().backend(backend).adapter(adapter.to_string()).measured(known.clone());
        // With a named variant, opening the device does not measure too.
        let options = options.variant("buffers")?;
        let mut gpu = pollster::block_on(Gpu::open(&options))?;
        pollster::block_on(gpu.measure_profiles())?;
        remember(&gpu, known);
        Ok(gpu.verdict().clone())
    }

    fn print(&self, adapters: &[Adapter]) -> Result<(), Failure> {
        if self.json {
            return print_json(&adapters);
        }
        let mut out = stdout().lock();
        for (i, adapter) in adapters.iter().enumerate() {
            let AdapterInfo { name, backend, driver, software, .. } = &adapter.info;
            let software = if *software { ", software" } else { "" };
            writeln!(out, "{i:>3}  {name} ({backend:?}{software}; {driver})")?;
            writeln!(out, "     {}\n     {}", adapter.choice(), adapter.limits())?;
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

/// Formats bytes in the unit that needs few digits.
fn bytes(count: u64) -> String {
    match count {
        0..0x10_0000 => format!("{} KiB", count >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", count >> 20),
        _ => format!("{} GiB", count >> 30),
    }
}
