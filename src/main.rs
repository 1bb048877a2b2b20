//! The command line's entry: parses, runs, and turns errors into one line and an exit code.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    quiet_drivers();
    match cli::Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(error) => cli::usage(&error),
    }
}

/// Without a desktop session the Vulkan loader's device-select layer complains on stderr, which belongs to
/// this program. Its choice of a default device plays no part here.
#[allow(unsafe_code)]
fn quiet_drivers() {
    if cfg!(target_os = "linux") && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}
