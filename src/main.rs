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
    let set = |name, value: &str| unsafe { std::env::set_var(name, value) };
    let is_set = |name| std::env::var_os(name).is_some();
    // Without a desktop session the Vulkan loader's device-select layer complains on stderr, where only this program
    // should write. Its choice of a default device has no effect here.
    if cfg!(target_os = "linux") && !is_set("XDG_RUNTIME_DIR") {
        set("NODEVICE_SELECT", "1");
    }
    // Mesa's software driver divides each dispatch into equal parts, one for each of its threads. By default it has as
    // many threads as cores. The system sometimes keeps two of them on one core while another core is idle. More
    // threads avoid that.
    if let (false, Ok(cores)) = (is_set("LP_NUM_THREADS"), std::thread::available_parallelism()) {
        set("LP_NUM_THREADS", &(2 * cores.get()).to_string());
    }
    // With AVX-512 that driver spills eight addresses as one vector for each number that it stores. The CPU cannot
    // forward a single address from there, so a store takes almost three times as long. This setting leaves the driver
    // everything up to AVX2.
    if cfg!(target_arch = "x86_64") && !is_set("GALLIUM_OVERRIDE_CPU_CAPS") {
        set("GALLIUM_OVERRIDE_CPU_CAPS", "avx");
    }
}
