//! Why a start was slow.

use std::env::var_os;
use std::path::PathBuf;
use std::time::Duration;

use gradcam::Device;

use crate::cli::say::say;

/// What a start with compiled shaders does not take, on two cores.
const SLOW: Duration = Duration::from_secs(5);

/// Says so if shaders had to be compiled that a driver on the CPU cannot keep.
pub fn remark(start: Duration, device: &Device) {
    let Device::Gpu(gpu) = device else { return };
    if start < SLOW || !gpu.info().software || !cfg!(target_os = "linux") {
        return;
    }
    let why = match cache() {
        _ if is_off() => "MESA_SHADER_CACHE_DISABLE is set; unset it".to_owned(),
        Some(folder) if tempfile::tempfile_in(&folder).is_ok() => return,
        folder => {
            let place = folder.map_or("no folder".into(), |folder| folder.display().to_string());
            format!("Mesa cannot keep its shaders in {place}; set MESA_SHADER_CACHE_DIR to a folder of your own")
        }
    };
    say(&format!("the start took {:.0} s, because {why}", start.as_secs_f64()));
}

fn is_off() -> bool {
    var_os("MESA_SHADER_CACHE_DISABLE").is_some_and(|off| ["1", "true", "yes"].iter().any(|yes| off == *yes))
}

/// The folder in which Mesa keeps shaders, or the one in which it would make it.
fn cache() -> Option<PathBuf> {
    let folder = |name| var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || dirs::home_dir().map(|home| home.join(".cache"));
    let whole = folder("MESA_SHADER_CACHE_DIR").or_else(|| folder("XDG_CACHE_HOME")).or_else(home);
    let exists = |folder: PathBuf| folder.ancestors().find(|folder| folder.exists()).map(PathBuf::from);
    whole.and_then(exists)
}
