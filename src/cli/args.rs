//! Options that several commands share.

use std::time::Duration;

use clap::{Args, ValueEnum};
use gradcam::{Backend, Device, Error, Gpu, GpuOptions, Method, Model, Result};

use super::remembered;

#[derive(Args)]
pub struct ModelArgs {
    /// The bundled model's name, or a .safetensors file
    #[arg(short, long, value_name = "NAME|FILE", default_value = gradcam::model::BUNDLED)]
    pub model: String,
    /// Architecture of the file, if it does not name its own
    #[arg(long, value_name = "NAME")]
    pub arch: Option<String>,
}

impl ModelArgs {
    pub fn open(&self) -> Result<Model> {
        if self.model == gradcam::model::BUNDLED && self.arch.is_some() {
            return Err(Error::Request("--arch is for files; the bundled model has its own".into()));
        }
        Model::open(&self.model, self.arch.as_deref())
    }
}

#[derive(Args)]
pub struct DeviceArgs {
    /// A number or a part of a name from `gradcam devices`, or "cpu" for plain loops without any driver
    #[arg(short, long, value_name = "NAME|INDEX|cpu")]
    pub device: Option<String>,
    /// Use only this graphics API
    #[arg(long, value_enum, env = BACKEND, hide_env_values = true, ignore_case = true)]
    pub backend: Option<BackendArg>,
    /// Kernel variant: "buffers" and "buffers-shared" suit GPUs, "textures" suits drivers on a CPU; if not given, the
    /// best one by a short measurement on the device
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// How weights are stored on the device; "f16" also rounds the operands of large products, on GPUs with matrix
    /// units. All sums are f32
    #[arg(long, value_enum, default_value = "f32")]
    pub precision: Precision,
    /// How long to wait for the device before it counts as hanging; two minutes if not given
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,
}

pub fn seconds(text: &str) -> Result<Duration, String> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|d| !d.is_zero()).ok_or_else(|| "not a number of seconds above 0".into())
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    F32,
    F16Weights,
    F16,
}

impl Precision {
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16Weights => "f16-weights",
            Self::F16 => "f16",
        }
    }
}

/// Names the graphics API for every program on wgpu.
pub const BACKEND: &str = "WGPU_BACKEND";

#[derive(Clone, Copy, ValueEnum)]
pub enum BackendArg {
    #[value(alias = "vk")]
    Vulkan,
    #[value(alias = "mtl")]
    Metal,
    #[value(alias = "d3d12")]
    Dx12,
    #[value(aliases = ["opengl", "gles"])]
    Gl,
}

impl From<BackendArg> for Backend {
    fn from(backend: BackendArg) -> Self {
        match backend {
            BackendArg::Vulkan => Self::Vulkan,
            BackendArg::Metal => Self::Metal,
            BackendArg::Dx12 => Self::Dx12,
            BackendArg::Gl => Self::Gl,
        }
    }
}

impl DeviceArgs {
    /// The options to open the GPU with.
    pub fn options(&self) -> Result<GpuOptions> {
        let options = GpuOptions::default()
            .backend(self.backend.map(Backend::from))
            .half_weights(self.precision != Precision::F32)
            .half_products(self.precision == Precision::F16)
            .timeout(self.timeout)
            .measured(remembered::load());
        let options = self.device.iter().fold(options, |options, name| options.adapter(name));
        self.variant.iter().try_fold(options, |options, name| options.variant(name))
    }

    pub fn open(&self) -> Result<Device> {
        Ok(self.gpu()?.map_or(Device::Cpu, Device::from))
    }

    /// Opens the GPU. `None` for `--device cpu`.
    pub fn gpu(&self) -> Result<Option<Gpu>> {
        if self.device.as_deref() == Some("cpu") {
            if self.precision != Precision::F32 {
                return Err(Error::Request("--precision is for graphics devices; leave it or --device cpu out".into()));
            }
            return Ok(None);
        }
        let options = self.options()?;
        let gpu = pollster::block_on(Gpu::open(&options))?;
        remembered::keep(&gpu, &options.measured);
        Ok(Some(gpu))
    }
}

/// The help of `--method`.
pub fn methods() -> String {
    format!("How activations and gradients become a map: {}", Method::ALL.map(Method::name).join(", "))
}
