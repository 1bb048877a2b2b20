//! What drivers read from the environment.

/// Environment variables that suit this library's work, but for those that the user has set. A program that sets them does so
/// before it opens a device, and before it starts threads.
pub fn driver_settings() -> Vec<(&'static str, String)> {
    let mut settings: Vec<(&'static str, String)> = vec![];
    let is_set = |name| std::env::var_os(name).is_some();
    // Without a desktop session the Vulkan loader's device-select layer complains on stderr, where only the program
    // should write. Its choice of a default device has no effect here.
    if cfg!(target_os = "linux") && !is_set("XDG_RUNTIME_DIR") {
        settings.push(("NODEVICE_SELECT", "1".into()));
    }
    // Mesa's software driver divides each dispatch into equal parts, one for each of its threads. By default it has as
    // many threads as cores. The system sometimes keeps two of them on one core while another core is idle. More
    // threads avoid that.
    if let (false, Ok(cores)) = (is_set("LP_NUM_THREADS"), std::thread::available_parallelism()) {
        settings.push(("LP_NUM_THREADS", (2 * cores.get()).to_string()));
    }
    // With AVX-512 that driver spills eight addresses as one vector for each number that it stores. The CPU cannot
    // forward a single address from there, so a store takes almost three times as long. This setting leaves the driver
    // everything up to AVX2.
    if cfg!(target_arch = "x86_64") && !is_set("GALLIUM_OVERRIDE_CPU_CAPS") {
        settings.push(("GALLIUM_OVERRIDE_CPU_CAPS", "avx".into()));
    }
    settings
}
