//! `narthex completion`.

use super::{Context, Exit, Failure};
use clap::{Args, Command};
use clap_complete::{Shell, generate};

/// Print a completion script for a shell
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex completion bash > ~/.local/share/bash-completion/completions/narthex
  narthex completion zsh > ~/.zfunc/_narthex
  narthex completion fish > ~/.config/fish/completions/narthex.fish")]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self, command: &mut Command, context: &Context<'_>) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        generate(self.shell, command, "narthex", &mut script);
        context.output.text(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Accepted)
    }
}
