//! Faults of drivers that are known: shown as such, never hidden.

use crate::gpu::{AdapterInfo, Backend};

/// A driver's fault.
struct Fault {
    /// Part of the adapter's or the driver's name, in small letters.
    driver: &'static str,
    /// The interface.
    backend: Backend,
    /// Part of the shaders at fault, or of the device's reason where no shader is.
    kernel: &'static str,
    /// What is wrong, in a sentence.
    what: &'static str,
    /// Where more is said.
    link: &'static str,
}

/// All of them; `docs/verify.md` shows the same.
const FAULTS: &[Fault] = &[];

/// The known fault of this adapter that explains a failure in `suspect`, with its link.
pub fn known(info: &AdapterInfo, suspect: &str) -> Option<String> {
    explained(FAULTS, &format!("{} {}", info.name, info.driver), info.backend, suspect)
}

fn explained(faults: &[Fault], names: &str, backend: Backend, suspect: &str) -> Option<String> {
    let names = names.to_lowercase();
    let explains = |f: &&Fault| f.backend == backend && names.contains(f.driver) && suspect.contains(f.kernel);
    faults.iter().find(explains).map(|fault| format!("{} ({})", fault.what, fault.link))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_its_drivers_alone() {
        let fault = Fault {
            driver: "tiler 3",
            backend: Backend::Gl,
            kernel: "conv",
            what: "loses barriers",
            link: "https://example.org/1",
        };
        let faults = [fault];
        let told = |names, backend, suspect| explained(&faults, names, backend, suspect);
        let sentence = "loses barriers (https://example.org/1)";
        assert_eq!(told("A Tiler 3.1", Backend::Gl, "conv_shared").as_deref(), Some(sentence));
        assert_eq!(told("A Tiler 3.1", Backend::Vulkan, "conv_shared"), None);
        assert_eq!(told("A Tiler 4.0", Backend::Gl, "conv_shared"), None);
        assert_eq!(told("A Tiler 3.1", Backend::Gl, "gate"), None);
    }
}
