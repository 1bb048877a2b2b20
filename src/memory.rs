//! One budget of memory for what a request can make large: files, pictures, networks on the CPU, and what a software
//! driver keeps for its device. Who wants much takes a share first, and what does not fit is refused with the figures.
//!
//! The budget is the limit that was set, and what the system has left: on Linux, also within a container or under
//! `ulimit -v`. Other systems do not say what is left, so there only the limit counts.

use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// What is taken.
struct Budget {
    limit: Option<u64>,
    /// Bytes of all shares.
    taken: u64,
    /// Those of shares whose memory is not in use yet, so that the system still counts it as free.
    promised: u64,
}

static BUDGET: Mutex<Budget> = Mutex::new(Budget { limit: None, taken: 0, promised: 0 });

/// Changes the budget.
fn with<T>(change: impl FnOnce(&mut Budget) -> T) -> T {
    change(&mut BUDGET.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Limits the memory that requests of this process may take, to so many bytes. `None` removes the limit.
///
/// It counts files while they are read, weights, pictures, networks on the CPU, and a software driver's memory. What
/// the program needs by itself comes on top.
///
/// ```
/// gradcam::memory::set_limit(1 << 30);
/// assert_eq!(gradcam::memory::limit(), Some(1 << 30));
/// # gradcam::memory::set_limit(None);
/// ```
pub fn set_limit(bytes: impl Into<Option<u64>>) {
    let limit = bytes.into();
    with(|budget| budget.limit = limit);
}

/// The limit that was set, in bytes.
pub fn limit() -> Option<u64> {
    with(|budget| budget.limit)
}

/// Bytes that may still be taken, where this is known.
pub fn free() -> Option<u64> {
    let left = system();
    with(|budget| budget.free(left))
}

impl Budget {
    /// With so much `left` in the system.
    fn free(&self, left: Option<u64>) -> Option<u64> {
        let own = self.limit.map(|limit| limit.saturating_sub(self.taken));
        own.into_iter().chain(left.map(|left| left.saturating_sub(self.promised))).min()
    }
}

/// A part of the budget, given back when it is dropped.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Share {
    bytes: u64,
    promised: bool,
}

/// Takes a share of so many bytes; `what` names in errors what needs them.
///
/// # Errors
/// [`Error::Memory`] if so many are not free.
pub(crate) fn take(what: &str, bytes: u64) -> Result<Share> {
    let left = system();
    with(|budget| match budget.free(left).filter(|free| bytes > *free) {
        Some(free) => Err(Error::Memory { what: what.to_owned(), needed: bytes >> 20, free: free >> 20 }),
        None => {
            budget.taken += bytes;
            budget.promised += bytes;
            Ok(Share { bytes, promised: true })
        }
    })
}

impl Share {
    /// A share of memory that is in use already, whether it fits or not.
    pub fn of(bytes: u64) -> Self {
        with(|budget| budget.taken += bytes);
        Self { bytes, promised: false }
    }

    /// Its memory is in use, and so much it is.
    pub fn is_used(&mut self, bytes: u64) {
        *self = Self::of(bytes);
    }

    /// Its bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Clone for Share {
    fn clone(&self) -> Self {
        Self::of(self.bytes)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        with(|budget| {
            budget.taken -= self.bytes;
            budget.promised -= if self.promised { self.bytes } else { 0 };
        });
    }
}

/// Who grants shares of memory to a reader of files.
pub(crate) trait Grants {
    /// A share of so many bytes for `what`.
    ///
    /// # Errors
    /// [`Error::Memory`] if there is no room for it.
    fn take(&self, what: &str, bytes: u64) -> Result<Share>;

    /// No more will be asked for.
    fn is_all(&self) {}
}

/// Grants what is free.
pub(crate) struct AtOnce;

impl Grants for AtOnce {
    fn take(&self, what: &str, bytes: u64) -> Result<Share> {
        take(what, bytes)
    }
}

/// Bytes that the system can still give to this process, where it says so.
fn system() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let entry = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().find_map(|word| word.parse::<u64>().ok())
    };
    let machine = || Some(entry(&read("/proc/meminfo")?, "MemAvailable:")? << 10);
    // Memory that only holds parts of files is free too.
    let container = || {
        let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
        let limit = number("/sys/fs/cgroup/memory.max")?;
        let files = entry(&read("/sys/fs/cgroup/memory.stat")?, "inactive_file")?;
        Some(limit.saturating_sub(number("/sys/fs/cgroup/memory.current")?.saturating_sub(files)))
    };
    // Half of them: allocators reserve more than they use, and threads have stacks.
    let addresses = || {
        let limit = entry(&read("/proc/self/limits")?, "Max address space")?;
        Some(limit.saturating_sub(entry(&read("/proc/self/status")?, "VmSize:")? << 10) / 2)
    };
    [machine(), container(), addresses()].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_promised_counts_twice_against_nobody() {
        let mut budget = Budget { limit: Some(1000), taken: 0, promised: 0 };
        assert_eq!((budget.free(None), budget.free(Some(400))), (Some(1000), Some(400)));
        budget.taken = 300;
        // Not in use yet, so that the system does not know of it.
        budget.promised = 300;
        assert_eq!(
            (budget.free(None), budget.free(Some(400)), budget.free(Some(1100))),
            (Some(700), Some(100), Some(700))
        );
        budget.promised = 0;
        assert_eq!(budget.free(Some(400)), Some(400));
        budget.taken = 2000;
        assert_eq!(budget.free(None), Some(0));
    }

    #[test]
    fn shares_and_refusals() {
        let mut share = take("a test", 1 << 20).unwrap();
        let copy = share.clone();
        share.is_used(1 << 10);
        assert!(with(|budget| budget.taken) >= (1 << 20) + (1 << 10) && copy.bytes() == 1 << 20);
        let error = take("a test", 1 << 60).unwrap_err().to_string();
        assert!(error.starts_with("a test: 1099511627776 MiB of memory needed, but "), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_says_what_is_left() {
        assert!(system().is_some_and(|left| left > 1 << 20));
    }
}
