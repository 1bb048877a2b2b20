//! Faults of drivers that are known: shown as such, never hidden.

use crate::gpu::{AdapterInfo, Backend};

/// A driver's fault.
pub struct Fault {
    /// Part of the adapter's or driver's name, in small letters.
    driver: &'static str,
    /// The interface.
    backend: Backend,
    /// Part of the shaders at fault, or of the reason why nothing ran.
    kernel: &'static str,
    /// What is wrong, in a sentence.
    pub what: &'static str,
    /// Where more is said.
    pub link: &'static str,
}

/// All of them; `docs/verify.md` shows the same.
const FAULTS: &[Fault] = &[];

/// The known fault of this adapter that explains a failure in `kernel`.
pub fn known(info: &AdapterInfo, kernel: &str) -> Option<&'static Fault> {
    let names = format!("{} {}", info.name, info.driver).to_lowercase();
    FAULTS.iter().find(|f| f.backend == info.backend && names.contains(f.driver) && kernel.contains(f.kernel))
}
