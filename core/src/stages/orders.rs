//! What a dispatcher says to the worker that it starts, of either program: the options of its command line.

use super::worker::{WorkerSettings, ends_with};
use crate::domain::Result;

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
    pub fn settings(&self, threads: usize) -> Result<Option<WorkerSettings>> {
        let Orders { run, device, slot, parent } = self;
        let settings = WorkerSettings { run: run.clone(), device: device.clone(), slot: *slot, threads };
        Ok(ends_with(*parent)?.then_some(settings))
    }
}
