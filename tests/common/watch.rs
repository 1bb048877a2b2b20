//! Watches the memory of a process while it runs.

use std::process::{Child, ExitStatus};
use std::time::Duration;

/// Waits for a process, and returns what an entry of its status in /proc was meanwhile, in KiB: `VmRSS:`, or `VmHWM:` for peaks.
pub fn watched(mut child: Child, entry: &str, pause: Duration) -> (ExitStatus, Vec<u64>) {
    let (about, mut readings) = (format!("/proc/{}/status", child.id()), vec![]);
    loop {
        let text = std::fs::read_to_string(&about).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(entry));
        readings.extend(line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()));
        if let Some(status) = child.try_wait().unwrap() {
            return (status, readings);
        }
        std::thread::sleep(pause);
    }
}

/// Waits for a process, and returns the peak of its resident memory in KiB.
pub fn peak(child: Child) -> (ExitStatus, u64) {
    let (status, readings) = watched(child, "VmHWM:", Duration::from_millis(2));
    (status, readings.into_iter().max().unwrap_or(0))
}
