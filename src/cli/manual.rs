//! `gradcam man`.

use std::io::{Write, stdout};

use clap::{Args, Command};
use clap_mangen::Man;
use gradcam::Error;

use super::say::Failure;

/// Print a manual page, for `man -l`
#[derive(Args)]
pub struct Manual {
    /// The page of a command, rather than of the program
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

impl Manual {
    pub fn run(self, mut program: Command) -> Result<(), Failure> {
        program.build();
        let unknown = |name: &String| Error::Request(format!("unknown command '{name}'; gradcam --help lists them"));
        let page = match &self.command {
            Some(name) => program.find_subcommand(name).ok_or_else(|| unknown(name))?.clone(),
            None => program,
        };
        let mut text = vec![];
        Man::new(page).render(&mut text)?;
        Ok(stdout().write_all(&text)?)
    }
}
