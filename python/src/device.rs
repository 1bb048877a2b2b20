//! Devices.

use std::ffi::CString;
use std::sync::Arc;
use std::time::Duration;

use gradcam::gpu::Verdicts;
use gradcam::{Backend, Error, Gpu, GpuOptions};
use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;

use crate::errors::{is_interrupted, raised};
use crate::once::{Once, closed};

/// An open device, or the CPU. It belongs to the process that opened it.
#[pyclass(frozen, module = "gradcam._engine")]
pub struct Device {
    inner: Once<gradcam::Device>,
    /// The adapter's name, "cpu" without one.
    #[pyo3(get)]
    name: String,
    /// What computes: backend, driver and kernel variant.
    #[pyo3(get)]
    about: String,
}

#[pymethods]
impl Device {
    #[new]
    #[pyo3(signature = (name=None, *, backend=None, variant=None, precision="f32", timeout=None))]
    fn open(
        py: Python<'_>,
        name: Option<String>,
        backend: Option<&str>,
        variant: Option<&str>,
        precision: &str,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        if name.as_deref() == Some("cpu") {
            if backend.is_some() || variant.is_some() || precision != "f32" {
                let reason = "backend, variant and precision are for graphics devices; leave them or \"cpu\" out";
                return Err(raised(Error::Request(reason.into())));
            }
            let inner = Once::new(gradcam::Device::Cpu);
            return Ok(Self { inner, name: "cpu".into(), about: "plain loops in f64".into() });
        }
        let wrong = |what: &str, value: &str, known: &str| {
            raised(Error::Request(format!("{what} is '{value}'; it is one of {known}")))
        };
        let backend = match backend.map(str::to_lowercase).as_deref() {
            None => None,
            Some("vulkan") => Some(Backend::Vulkan),
            Some("metal") => Some(Backend::Metal),
            Some("dx12") => Some(Backend::Dx12),
            Some("gl") => Some(Backend::Gl),
            Some(other) => return Err(wrong("backend", other, "vulkan, metal, dx12, gl")),
        };
        let timeout = match timeout.map(Duration::try_from_secs_f64) {
            None => None,
            Some(Ok(timeout)) if !timeout.is_zero() => Some(timeout),
            Some(_) => return Err(raised(Error::Request("timeout is not a number of seconds above 0".into()))),
        };
        if !["f32", "f16-weights", "f16"].contains(&precision) {
            return Err(wrong("precision", precision, "f32, f16-weights, f16"));
        }
        let options = GpuOptions::default()
            .backend(backend)
            .half_weights(precision != "f32")
            .half_products(precision == "f16")
            .timeout(timeout)
            .interrupt(is_interrupted)
            .measured(Verdicts::remembered());
        let options = name.into_iter().fold(options, GpuOptions::adapter);
        let options = match variant {
            Some(variant) => options.variant(variant).map_err(raised)?,
            None => options,
        };
        let gpu = py.detach(|| pollster::block_on(Gpu::open(&options))).map_err(raised)?;
        if let Err(error) = gpu.remember(&options.measured) {
            PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &CString::new(error.to_string())?, 1)?;
        }
        let info = gpu.info();
        let about = format!("{:?}, {}, variant {}", info.backend, info.driver, gpu.variant());
        Ok(Self { name: info.name.clone(), about, inner: Once::new(gradcam::Device::from(gpu)) })
    }

    /// Frees the device and all memory on it.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            if let Some(gradcam::Device::Gpu(gpu)) = self.inner.lock()?.take() {
                gpu.destroy();
            }
            Ok(())
        })
    }

    fn __repr__(&self) -> String {
        format!("<gradcam.Device {}: {}>", self.name, self.about)
    }
}

impl Device {
    /// The device for an explainer.
    pub fn get(&self) -> PyResult<gradcam::Device> {
        match &*self.inner.lock()? {
            None => Err(closed("device")),
            Some(gradcam::Device::Gpu(gpu)) => Ok(gradcam::Device::Gpu(Arc::clone(gpu))),
            Some(other) => Ok(other.clone()),
        }
    }
}
