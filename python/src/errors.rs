//! Errors as exceptions of `gradcam.errors`, and interrupts.

use std::cell::RefCell;

use gradcam::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

thread_local! {
    /// What interrupted this thread's wait.
    static INTERRUPT: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Whether Python wants this thread to stop, as after Ctrl-C. Python tells only its main thread.
pub fn is_interrupted() -> bool {
    let signal = Python::attach(|py| py.check_signals());
    let is_due = signal.is_err();
    INTERRUPT.set(signal.err());
    is_due
}

/// The exception for an error.
pub fn raised(error: Error) -> PyErr {
    let class = match &error {
        Error::Interrupted => {
            return INTERRUPT.take().unwrap_or_else(|| PyRuntimeError::new_err("interrupted"));
        }
        Error::Read { .. } => "ReadError",
        Error::Write { .. } => "WriteError",
        Error::Picture { .. } => "PictureError",
        Error::Weights { .. } => "WeightsError",
        Error::Unknown { .. } => "UnknownNameError",
        Error::Graph(_) => "GraphError",
        Error::NoAdapter(_) => "NoAdapterError",
        Error::Device { .. } => "DeviceError",
        Error::DeviceLost { .. } => "DeviceLostError",
        Error::TimedOut { .. } => "TimedOutError",
        Error::NonFinite { .. } => "NonFiniteError",
        Error::OutOfMemory { .. } => "DeviceMemoryError",
        Error::Memory { .. } => "MemoryLimitError",
        _ => "RequestError",
    };
    named(class, &error.to_string())
}

/// An exception of `gradcam.errors`.
pub fn named(class: &str, text: &str) -> PyErr {
    Python::attach(|py| {
        let of_class = py.import("gradcam.errors").and_then(|errors| errors.getattr(class)?.call1((spoken(text),)));
        of_class.map_or_else(|e| e, PyErr::from_value)
    })
}

/// Options that are called otherwise than on the command line.
const OPTIONS: [(&str, &str); 5] = [
    (" --device cpu", " device=\"cpu\""),
    (" --target", " score"),
    (" --layer", " target_layers"),
    (" --save-tensors", " raw"),
    (" --with", " together_with"),
];

/// A text with parameters in place of the command line's options.
pub fn spoken(text: &str) -> String {
    let text = OPTIONS.iter().fold(text.to_owned(), |text, (option, parameter)| text.replace(option, parameter));
    // Names of files may hold dashes too, but hardly at the begin of a word.
    let word = |word: &str| match word.strip_prefix("--") {
        Some(option) => {
            let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
            let (name, rest) = option.split_at(option.find(|c| !is_name(c)).unwrap_or(option.len()));
            name.replace('-', "_") + rest
        }
        None => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
