//! Where to measure: adapters × variants × precisions.

use std::time::Duration;

use gradcam::{AdapterInfo, Backend, Device, Error, Gpu, GpuOptions, Result};

use crate::cli::args::{BackendArg, DeviceArgs, Precision, unique};

/// A device and the way to use it.
pub struct Place {
    args: DeviceArgs,
    pub backend: String,
    pub adapter: String,
    pub driver: String,
    pub software: bool,
    pub variant: String,
}

impl Place {
    /// # Errors
    /// As [`Gpu::open`].
    pub fn open(&self) -> Result<Device> {
        self.args.open()
    }

    pub fn precision(&self) -> &'static str {
        self.args.precision.name()
    }
}

/// Every requested place. `variants` are names, or "all" for those that the adapter can run. Without any, the one that
/// suits the adapter best is used. Each adapter is opened once here, so that invalid requests fail before any
/// measurement.
///
/// # Errors
/// As [`Gpu::open`]; [`Error::Unknown`] if there is no such variant.
pub fn places(
    devices: &[Option<String>],
    backend: Option<BackendArg>,
    variants: &[String],
    precisions: &[Precision],
    timeout: Option<Duration>,
) -> Result<Vec<Place>> {
    let named: Vec<&str> = variants.iter().map(String::as_str).filter(|name| *name != ALL).collect();
    named.iter().try_for_each(|name| GpuOptions::default().variant(name).map(drop))?;
    let mut places = vec![];
    for device in devices {
        let args = |variant: Option<&str>, precision| DeviceArgs {
            device: device.clone(),
            backend,
            variant: variant.map(str::to_owned),
            precision,
            timeout,
        };
        // With named variants there is no need to measure which one suits best.
        let first = Some("buffers").filter(|_| !variants.is_empty() && device.as_deref() != Some("cpu"));
        match args(first, Precision::F32).gpu()? {
            None => {
                for &precision in precisions {
                    args(None, precision).open()?;
                    places.push(Place {
                        args: args(None, precision),
                        backend: "cpu".into(),
                        adapter: "cpu".into(),
                        driver: String::new(),
                        software: true,
                        variant: "f64 loops".into(),
                    });
                }
            }
            Some(gpu) => {
                let all = if named.len() < variants.len() { gpu.variants() } else { vec![] };
                let chosen =
                    if variants.is_empty() { vec![gpu.variant()] } else { unique(named.iter().copied().chain(all)) };
                for variant in chosen {
                    for &precision in precisions {
                        places.push(on(gpu.info(), args(Some(variant), precision), variant));
                    }
                }
            }
        }
    }
    Ok(places)
}

/// The name that stands for every variant.
pub const ALL: &str = "all";

fn on(info: &AdapterInfo, args: DeviceArgs, variant: &str) -> Place {
    Place {
        args,
        backend: format!("{:?}", info.backend).to_lowercase(),
        adapter: info.name.clone(),
        driver: info.driver.clone(),
        software: info.software,
        variant: variant.to_owned(),
    }
}

/// The indices of all adapters of a graphics API, or of all APIs.
///
/// # Errors
/// [`Error::NoAdapter`] if there is none.
pub fn all_adapters(backend: Option<BackendArg>) -> Result<Vec<Option<String>>> {
    let backend = backend.map(Backend::from);
    let adapters = pollster::block_on(Gpu::adapters(backend)).len();
    if adapters == 0 {
        return Err(Error::NoAdapter(backend.map_or("any backend".into(), |b| format!("{b:?}"))));
    }
    Ok((0..adapters).map(|i| Some(i.to_string())).collect())
}
