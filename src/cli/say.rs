//! Output of the program: errors as one line on stderr, values as JSON on stdout.

use std::io::Write;

use gradcam::Error;

/// Why a command ended early.
pub enum Failure {
    /// An error that was not printed yet.
    Here(Error),
    /// Errors that were printed when they occurred. Holds the worst exit code.
    Reported(u8),
    /// Stdout was closed.
    Pipe,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Here(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::Here(Error::Write { path: "standard output".into(), source: error }),
        }
    }
}

/// Prints a panic, of this program or of a driver, as one line. Without this the release build would only abort.
pub fn broke(panic: &std::panic::PanicHookInfo) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref().copied());
    let what = text.unwrap_or("no reason given");
    let at = panic.location().map_or(String::new(), |at| format!(" ({at})"));
    say(&format!("the driver or this program broke down: {what}{at}; try another --device or --backend, or report it"));
    std::process::exit(1);
}

/// Prints an error as one line on stderr.
pub fn complain(error: &Error) {
    say(&error.to_string());
}

pub fn say(text: &str) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    drop(writeln!(std::io::stderr(), "gradcam: {line}"));
}

/// Prints `value` as one line of JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(value).map_err(|e| Error::Request(e.to_string()))?;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
