//! Output of the program: errors as one line on stderr, values as JSON on stdout.

use std::fmt::Display;
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

/// Characters of a name that is printed, and of a line of stderr.
const NAME: usize = 200;
const LINE: usize = 2000;

/// Prints one line on stderr.
pub fn say(text: &str) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    drop(writeln!(std::io::stderr(), "gradcam: {}", harmless(&line, LINE)));
}

/// A text that may come from a file, such as a label or a path, as a terminal may print it.
pub fn plain(text: impl Display) -> String {
    harmless(&text.to_string(), NAME)
}

/// The text without what terminals obey or reorder: a file's names must not clear the reader's screen, nor hide what they
/// are. Longer texts are cut.
fn harmless(text: &str, most: usize) -> String {
    let obeyed = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let cut = text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end]);
    escaped(cut, obeyed, |c| c.escape_unicode().to_string()) + if cut.len() < text.len() { "…" } else { "" }
}

/// The text with some characters written in another way.
fn escaped(text: &str, is_escaped: impl Fn(char) -> bool, escape: impl Fn(char) -> String) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_escaped(c) { shown += &escape(c) } else { shown.push(c) }
    }
    shown
}

/// Prints `value` as one line of JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(value).map_err(|e| Error::Request(e.to_string()))?;
    // JSON escapes the first 32 control characters only, and terminals obey others too.
    let line = escaped(&line, char::is_control, |c| format!("\\u{:04x}", c as u32));
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
