//! `gradcam completions`.

use std::io::{Write, stdout};

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use super::say::Failure;

/// Print a script for a shell that completes commands and options
#[derive(Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self, mut program: Command) -> Result<(), Failure> {
        // The generator panics if it cannot write, for instance to a closed pipe.
        let mut script = vec![];
        generate(self.shell, &mut program, "gradcam", &mut script);
        Ok(stdout().write_all(&script)?)
    }
}
