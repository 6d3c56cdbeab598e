//! `visavis work`: a worker for torch-free stages, started by the dispatcher.

use super::Context;
use crate::{
    domain::{Fault, Result},
    stages::{self, Post},
};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

#[derive(clap::Args)]
pub struct Work {
    /// The journal of the run it works for
    #[arg(long, default_value = "")]
    run: String,
    #[arg(long, default_value = "cpu")]
    device: String,
    #[arg(long, default_value_t = 0)]
    slot: usize,
    /// The dispatcher's process: without it, there is nothing to do
    #[arg(long)]
    parent: Option<u32>,
}

impl Work {
    pub fn run(&self, context: &Context) -> Result<()> {
        if let Some(parent) = self.parent {
            set_parent_process_death_signal(Some(Signal::KILL))
                .map_err(|error| Fault::unexpected(format!("cannot end with the dispatcher: {error}")))?;
            // It may have gone before that was asked.
            if getppid().map(|pid| pid.as_raw_nonzero().get() as u32) != Some(parent) {
                return Ok(());
            }
        }
        let post = Post { run: self.run.clone(), device: self.device.clone(), slot: self.slot, threads: context.threads };
        stages::work(&context.workspace, &post, std::io::stdin().lock(), std::io::stdout())
    }
}
