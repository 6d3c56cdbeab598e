//! `visavis work`: a worker for torch-free stages, started by the dispatcher.

use super::Context;
use crate::{
    domain::Result,
    stages::{self, Plain, Post},
};

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
        let post = Post { run: self.run.clone(), device: self.device.clone(), slot: self.slot, threads: context.threads };
        if !stages::ends_with(self.parent)? {
            return Ok(());
        }
        stages::work(&context.workspace, &post, &Plain, std::io::stdin().lock(), std::io::stdout())
    }
}
