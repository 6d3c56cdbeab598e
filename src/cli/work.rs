//! `visavis work`: a worker for torch-free stages, started by the dispatcher.

use super::Context;
use crate::{
    domain::Result,
    stages::{self, Plain, Post},
};

/// What a dispatcher tells the worker it starts, of either program.
#[derive(clap::Args)]
pub struct Orders {
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

impl Orders {
    /// Where the worker is put to work; `None` when its dispatcher has gone already.
    ///
    /// # Errors
    /// A kernel that cannot end it with its dispatcher.
    pub fn post(&self, threads: usize) -> Result<Option<Post>> {
        let Orders { run, device, slot, parent } = self;
        let post = Post { run: run.clone(), device: device.clone(), slot: *slot, threads };
        Ok(stages::ends_with(*parent)?.then_some(post))
    }
}

#[derive(clap::Args)]
pub struct Work {
    #[command(flatten)]
    orders: Orders,
}

impl Work {
    pub fn run(&self, context: &Context) -> Result<()> {
        let Some(post) = self.orders.post(context.threads)? else { return Ok(()) };
        stages::work(&context.workspace, &post, &Plain(&context.workspace), std::io::stdin().lock(), std::io::stdout())
    }
}
