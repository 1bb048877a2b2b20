//! The entry of the command line. It parses, runs, and turns errors into one line and an exit code.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    prepare_drivers();
    std::panic::set_hook(Box::new(cli::broke));
    match cli::Cli::of_process() {
        Ok(cli) => cli.run(),
        Err(error) => cli::usage(&error),
    }
}

/// Sets environment variables that drivers read, unless the user has set them.
#[allow(unsafe_code)]
fn prepare_drivers() {
    // SAFETY: no other thread runs yet.
    unsafe {
        for name in cli::VARIABLES.into_iter().filter(|name| std::env::var_os(name).is_some_and(|v| v.is_empty())) {
            std::env::remove_var(name);
        }
        for (name, value) in gradcam::gpu::driver_settings() {
            std::env::set_var(name, value);
        }
    }
}
