//! Known faults of drivers. They are reported as such, and never hidden.

use crate::gpu::{AdapterInfo, Backend};

/// A fault of a driver.
struct Fault {
    /// Part of the adapter's or the driver's name, in lower case.
    driver: &'static str,
    /// The graphics API.
    backend: Backend,
    /// Part of the name of the shader at fault, or of the device's error if no shader is.
    kernel: &'static str,
    /// A short description of the fault.
    what: &'static str,
    /// A link to more information.
    link: &'static str,
}

/// All known faults. `docs/verify.md` lists the same.
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
