//! What ends the program from outside: Ctrl-C, and requests to terminate.

/// From now on a signal removes unfinished files before it ends the process as usual, so that a shell sees what happened.
/// Signals that the parent wants ignored, as `nohup` does, stay so.
#[cfg(unix)]
pub fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let ignored = ignored().unwrap_or(0);
    let watched = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    // Without the watch, signals end the process too, and the next run removes what is left.
    let Ok(mut signals) = signal_hook::iterator::Signals::new(watched) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            gradcam::files::abandon();
            drop(signal_hook::low_level::emulate_default_handler(signal));
        }
    });
}

/// The ignored signals, a bit for each, where the system says so.
#[cfg(unix)]
fn ignored() -> Option<u64> {
    let about = std::fs::read_to_string("/proc/self/status").ok()?;
    u64::from_str_radix(about.lines().find_map(|line| line.strip_prefix("SigIgn:"))?.trim(), 16).ok()
}

#[cfg(not(unix))]
pub fn watch() {}
