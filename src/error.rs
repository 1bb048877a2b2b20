//! All errors. Each is one line that says what failed, where, and what to do.

use std::path::PathBuf;
use std::time::Duration;

use crate::graph::GraphError;

/// Remedies: on a command line, on a page, and in a program that embeds the library.
struct Remedies {
    no_adapter: &'static str,
    lost: &'static str,
    slow: &'static str,
    not_finite: &'static str,
    device_memory: &'static str,
    memory: &'static str,
}

const REMEDIES: Remedies = if cfg!(feature = "cli") {
    Remedies {
        no_adapter: "install a driver (Debian: apt-get install mesa-vulkan-drivers) or use --device cpu",
        lost: "start again, with a smaller batch, another driver or --device cpu if it happens again",
        slow: "use a smaller batch or a longer --timeout, or, if the driver hangs, another one or --device cpu",
        not_finite: "check its weights, do without --precision f16, or use --device cpu, which computes in f64",
        device_memory: "use a smaller --batch, fewer classes, or --device cpu",
        memory: "free some, lower --batch, or raise --memory-limit if it is set",
    }
} else if cfg!(target_arch = "wasm32") {
    Remedies {
        no_adapter: "switch graphics acceleration on in the browser's settings, or use another browser",
        lost: "load the page again, and use another browser if it happens again",
        slow: "use another browser",
        not_finite: "check its weights",
        device_memory: "explain fewer classes or a smaller model",
        memory: "use a smaller picture or model",
    }
} else {
    Remedies {
        no_adapter: "install a driver (Debian: apt-get install mesa-vulkan-drivers) or use the device \"cpu\"",
        lost: "open another device, and use a smaller batch, another driver or the device \"cpu\" if it happens again",
        slow: "use a smaller batch or a longer timeout, or, if the driver hangs, another one or the device \"cpu\"",
        not_finite: "check its weights, or use the device \"cpu\", which computes in f64",
        device_memory: "use a smaller batch, fewer classes, or the device \"cpu\"",
        memory: "free some, use a smaller batch, or raise the limit if one is set",
    }
};

/// The error type of the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("{}: cannot be written: {source}; choose another place", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A picture is damaged, too large, or of an unsupported kind.
    #[error("{what}: {reason}")]
    Picture {
        /// The picture's name.
        what: String,
        /// What is wrong with it, and the remedy.
        reason: String,
    },
    /// A weights file is damaged or does not fit its architecture.
    #[error("{what}: {reason}")]
    Weights {
        /// The file's name.
        what: String,
        /// What is wrong with it, and the remedy.
        reason: String,
    },
    /// No layer, class, model or device has the name that was asked for.
    #[error("unknown {kind} '{name}'{}", hint(suggestions, list))]
    Unknown {
        /// What kind of name it is.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// Similar names, best first.
        suggestions: Vec<String>,
        /// The command or place that lists all names.
        list: &'static str,
    },
    /// A request contradicts itself or the model.
    #[error("{0}")]
    Request(String),
    /// The network cannot be built for this input.
    #[error("the network cannot take this input: {0}")]
    Graph(#[from] GraphError),
    /// No graphics adapter was found.
    #[error("no graphics adapter found for {0}; {remedy}", remedy = REMEDIES.no_adapter)]
    NoAdapter(String),
    /// The adapter refused to work.
    #[error("{adapter}: {reason}")]
    Device {
        /// The adapter's name.
        adapter: String,
        /// The reason.
        reason: String,
    },
    /// The device is gone: its driver gave up, it was removed, or [`crate::Gpu::destroy`] was called. It cannot compute
    /// any more.
    #[error("{adapter}: the device was lost: {reason}; {}", REMEDIES.lost)]
    DeviceLost {
        /// The adapter's name.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// The device did not answer in time. It may hang, so no more work is submitted to it.
    #[error("{adapter}: no answer within {} s; {}", limit.as_secs_f64(), REMEDIES.slow)]
    TimedOut {
        /// The adapter's name.
        adapter: String,
        /// How long the caller waited.
        limit: Duration,
    },
    /// The caller stopped waiting, see [`crate::GpuOptions::interrupt`].
    #[error("interrupted")]
    Interrupted,
    /// The scores or the map of an image contain infinities or NaNs.
    #[error(
        "{what}: the scores or the map are not finite: the network leaves the range of f32; {}",
        REMEDIES.not_finite
    )]
    NonFinite {
        /// The image, or the picture that was to be written.
        what: String,
    },
    /// The device has too little memory.
    #[error("{adapter}: {needed} MiB needed, but {reason}; {}", REMEDIES.device_memory)]
    OutOfMemory {
        /// The adapter's name.
        adapter: String,
        /// Mebibytes that the run needs.
        needed: u64,
        /// What the device said or allows.
        reason: String,
    },
    /// The system, or the limit that was set, leaves too little memory, see [`crate::memory`].
    #[error("{what}: {needed} MiB of memory needed, but {free} MiB are free; {}", REMEDIES.memory)]
    Memory {
        /// What needs it: a file, a picture, or the device.
        what: String,
        /// Mebibytes that it needs.
        needed: u64,
        /// Mebibytes that are left.
        free: u64,
    },
}

impl Error {
    /// Whether the machine is the cause, rather than the request or a file.
    pub fn is_machine(&self) -> bool {
        use Error::{Device, DeviceLost, Memory, NoAdapter, NonFinite, OutOfMemory, TimedOut};
        matches!(
            self,
            NoAdapter(_)
                | Device { .. }
                | DeviceLost { .. }
                | TimedOut { .. }
                | OutOfMemory { .. }
                | Memory { .. }
                | NonFinite { .. }
        ) || self.is_full()
    }

    /// Whether memory is missing, so that a smaller batch may succeed.
    pub fn is_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory { .. } | Self::Memory { .. })
    }

    /// Whether other files cannot be written either: the disk is full, or read-only.
    pub fn is_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let full = |e: &std::io::Error| matches!(e.kind(), QuotaExceeded | ReadOnlyFilesystem | StorageFull);
        matches!(self, Self::Write { source, .. } if full(source))
    }

    /// Whether the device can no longer be used, so that another one has to be opened.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::DeviceLost { .. } | Self::TimedOut { .. })
    }

    /// The error for an unknown name, with the most similar names of `known`.
    pub(crate) fn unknown<'a>(
        kind: &'static str,
        name: &str,
        list: &'static str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let wanted = name.to_lowercase();
        let mut near: Vec<(f64, &str)> = known
            .into_iter()
            .map(|k| {
                let k_lower = k.to_lowercase();
                let contains = !wanted.is_empty() && k_lower.contains(&wanted);
                (strsim::jaro_winkler(&wanted, &k_lower) + f64::from(u8::from(contains)), k)
            })
            .filter(|(score, _)| *score > 0.7)
            .collect();
        near.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let suggestions = near.into_iter().take(3).map(|(_, k)| k.to_owned()).collect();
        Self::Unknown { kind, name: name.to_owned(), suggestions, list }
    }
}

fn hint(suggestions: &[String], list: &str) -> String {
    let has_commands = cfg!(feature = "cli");
    match (suggestions, has_commands) {
        ([], true) => format!("; {list} lists them"),
        ([], false) => String::new(),
        (near, true) => format!("; did you mean {}? {list} lists them all", near.join(", ")),
        (near, false) => format!("; did you mean {}?", near.join(", ")),
    }
}

/// The result type of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;
