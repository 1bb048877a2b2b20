//! The command line: one file a command, no engine code.

mod bench;
mod devices;
mod explain;
mod layers;
mod models;
mod output;
mod remembered;
mod tensors;
mod tune;
mod verify;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gradcam::kernels::Profile;
use gradcam::{Backend, Device, Error, Gpu, GpuOptions, Model, Result};

/// See why a CNN decided: Grad-CAM heat maps on any GPU.
#[derive(Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 all done, 1 something failed while running, 2 the request or a file was wrong."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Explain(Box<explain::Explain>),
    Bench(Box<bench::Bench>),
    Tune(tune::Tune),
    Verify(verify::Verify),
    Layers(layers::Layers),
    Models(models::Models),
    Devices(devices::Devices),
}

impl Cli {
    /// Runs the command, and says on stderr what went wrong.
    pub fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Explain(explain) => explain.run(),
            Command::Bench(bench) => bench.run(),
            Command::Tune(tune) => tune.run(),
            Command::Verify(verify) => verify.run(),
            Command::Layers(layers) => layers.run(),
            Command::Models(models) => models.run(),
            Command::Devices(devices) => devices.run(),
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure::Here(error)) => {
                complain(&error);
                ExitCode::from(if error.is_machine() { 1 } else { 2 })
            }
            Err(Failure::Reported(code)) => ExitCode::from(code),
            // Whoever read the output has seen enough.
            Err(Failure::Pipe) => ExitCode::SUCCESS,
        }
    }
}

/// Help and version as they are; a wrong usage as one line.
pub fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        drop(error.print());
        return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
    }
    let text = error.to_string();
    let told = text.lines().take_while(|l| !l.starts_with("Usage:") && !l.starts_with("For more"));
    let told = told.map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; ");
    say(&format!("{}; see --help", told.trim_start_matches("error: ")));
    ExitCode::from(2)
}

/// Why a command ended early.
enum Failure {
    /// An error yet to be shown.
    Here(Error),
    /// Errors that were shown when they happened; the worst one's exit code.
    Reported(u8),
    /// Nobody reads stdout any more.
    Pipe,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Here(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::Here(Error::Write { path: "standard output".into(), source: error }),
        }
    }
}

/// What nobody expects, of this program or in a driver's name, as one line: the release build would only abort.
pub fn broke(panic: &std::panic::PanicHookInfo) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref().copied());
    let what = text.unwrap_or("no reason given");
    let at = panic.location().map_or(String::new(), |at| format!(" ({at})"));
    say(&format!("the driver or this program broke down: {what}{at}; try another --device or --backend, or report it"));
    std::process::exit(1);
}

/// One line on stderr.
fn complain(error: &Error) {
    say(&error.to_string());
}

fn say(text: &str) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    drop(writeln!(std::io::stderr(), "gradcam: {line}"));
}

/// Prints `value` as one line of JSON.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(value).map_err(|e| Error::Request(e.to_string()))?;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

#[derive(Args)]
struct ModelArgs {
    /// The bundled model's name, or a .safetensors file
    #[arg(long, value_name = "NAME|FILE", default_value = gradcam::model::BUNDLED)]
    model: String,
    /// Architecture of the file, if it does not name its own
    #[arg(long, value_name = "NAME")]
    arch: Option<String>,
}

impl ModelArgs {
    fn open(&self) -> Result<Model> {
        if self.model == gradcam::model::BUNDLED && self.arch.is_some() {
            return Err(Error::Request("--arch is for files; the bundled model has its own".into()));
        }
        Model::open(&self.model, self.arch.as_deref())
    }
}

#[derive(Args)]
struct DeviceArgs {
    /// A number or a part of a name from `gradcam devices`, or "cpu" for plain loops without any driver
    #[arg(long, value_name = "NAME|INDEX|cpu")]
    device: Option<String>,
    /// Only this graphics interface
    #[arg(long, value_enum)]
    backend: Option<BackendArg>,
    /// Kernel variants: "buffers" and "buffers-shared" suit graphics cards, "textures" drivers on a processor; if not
    /// given, what a short measurement on the device found best
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// How weights are stored on the device; "f16" also rounds what large products multiply, on cards with units for it.
    /// All sums are f32
    #[arg(long, value_enum, default_value = "f32")]
    precision: Precision,
    /// How long to wait for the device before it is taken for hanging; two minutes if not given
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|d| !d.is_zero()).ok_or_else(|| "not a number of seconds above 0".into())
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Precision {
    F32,
    F16Weights,
    F16,
}

impl Precision {
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16Weights => "f16-weights",
            Self::F16 => "f16",
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum BackendArg {
    Vulkan,
    Metal,
    Dx12,
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
    fn open(&self) -> Result<Device> {
        if self.device.as_deref() == Some("cpu") {
            if self.precision != Precision::F32 {
                return Err(Error::Request("--precision is for graphics devices; leave it or --device cpu out".into()));
            }
            return Ok(Device::Cpu);
        }
        let profile = self.variant.as_deref().map(Profile::named).transpose()?;
        let options = GpuOptions {
            backend: self.backend.map(Backend::from),
            adapter: self.device.clone(),
            profile,
            half_weights: self.precision != Precision::F32,
            half_products: self.precision == Precision::F16,
            timeout: self.timeout,
            measured: remembered::load(),
            ..GpuOptions::default()
        };
        let gpu = pollster::block_on(Gpu::open(&options))?;
        remembered::keep(&gpu);
        Ok(Device::Gpu(Box::new(gpu)))
    }
}
