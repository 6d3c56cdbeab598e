//! `visavis completions SHELL`

use super::Cli;
use clap::CommandFactory;
use visavis_core::domain::Result;

#[derive(clap::Args)]
pub(crate) struct CompletionsCommand {
    /// The shell
    shell: clap_complete::Shell,
}

impl CompletionsCommand {
    pub(crate) fn run(&self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "visavis", &mut script);
        super::output::say(String::from_utf8_lossy(&script).trim_end());
        Ok(())
    }
}
