//! The command line: one file or folder per command, no engine code.

mod args;
mod bench;
mod completions;
mod devices;
mod explain;
mod layers;
mod manual;
mod models;
mod say;
mod signals;
mod synthetic;
mod tune;
mod verify;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use say::broke;

use say::{Failure, complain, say};

/// Sets the same as the option.
const MEMORY_LIMIT: &str = "GRADCAM_MEMORY_LIMIT";

/// Variables that options read. If they are empty, they count as unset.
pub const VARIABLES: [&str; 2] = [args::BACKEND, MEMORY_LIMIT];

/// See why a CNN decided: Grad-CAM heat maps on any GPU.
#[derive(Parser)]
#[command(
    version,
    arg_required_else_help = true,
    override_usage = "gradcam <COMMAND>\n       gradcam <IMAGE|DIR>...  is gradcam explain <IMAGE|DIR>...",
    after_help = "Exit codes: 0 all done, 1 something failed while running, 2 the request or a file was wrong."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Most memory for photos, models, the CPU and software drivers, such as 2G; all that is free if not given
    #[arg(long, value_name = "SIZE", global = true, env = MEMORY_LIMIT, hide_env_values = true, value_parser = size)]
    #[arg(help_heading = "Device")]
    memory_limit: Option<u64>,
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
    Completions(completions::Completions),
    Man(manual::Manual),
}

impl Cli {
    /// Parses the arguments of the process. If they begin with a photo or an option, the command is `explain`.
    pub fn of_process() -> Result<Self, clap::Error> {
        let mut arguments: Vec<OsString> = std::env::args_os().collect();
        let mut known = Self::command();
        known.build();
        let own = ["-h", "--help", "-V", "--version"];
        let of_explain = |text: &OsString| text.as_encoded_bytes().starts_with(b"-") && own.iter().all(|o| text != o);
        if let Some(first) = arguments.get(1)
            && known.find_subcommand(first).is_none()
            && (of_explain(first) || Path::new(first).exists())
        {
            arguments.insert(1, "explain".into());
        }
        Self::try_parse_from(arguments)
    }

    /// Runs the command and prints its error on stderr.
    pub fn run(self) -> ExitCode {
        gradcam::memory::set_limit(self.memory_limit);
        signals::watch();
        let outcome = match self.command {
            Command::Explain(explain) => explain.run(),
            Command::Bench(bench) => bench.run(),
            Command::Tune(tune) => tune.run(),
            Command::Verify(verify) => verify.run(),
            Command::Layers(layers) => layers.run(),
            Command::Models(models) => models.run(),
            Command::Devices(devices) => devices.run(),
            Command::Completions(completions) => completions.run(Self::command()),
            Command::Man(manual) => manual.run(Self::command()),
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure::Here(error)) => {
                complain(&error);
                ExitCode::from(if error.is_machine() { 1 } else { 2 })
            }
            Err(Failure::Reported(code)) => ExitCode::from(code),
            // The reader closed the pipe because it has read enough.
            Err(Failure::Pipe) => ExitCode::SUCCESS,
        }
    }
}

/// A number of bytes, such as 2G.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
        "" => Some(0),
        "K" => Some(10),
        "M" => Some(20),
        "G" => Some(30),
        "T" => Some(40),
        _ => None,
    };
    let bytes = |shift: u32| Some(digits.parse::<u64>().ok()?.checked_mul(1 << shift)?).filter(|bytes| *bytes > 0);
    shift.and_then(bytes).ok_or_else(|| "not a size such as 512M or 2G".into())
}

/// Prints help and version unchanged, and a usage error as one line.
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
