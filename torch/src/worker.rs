//! The worker: networks here, everything else as `visavis work` does it.

use crate::{
    device, extraction,
    training::{self, Place},
};
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};
use tch::Device;
use visavis::{
    domain::{
        Fault, Result,
        stage::{Input, Task, Work as Stage},
        study::Numerics,
    },
    stages::{self, Hands, Inputs, Listener, Made, Outcome, Plain, Post},
    store::Workspace,
};

#[derive(clap::Args)]
pub struct Work {
    #[arg(long)]
    workspace: PathBuf,
    #[arg(long, default_value_t = 1)]
    threads: usize,
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

struct Networks {
    workspace: Workspace,
    device: Device,
    threads: usize,
    stop: Arc<AtomicBool>,
}

impl Work {
    pub fn run(self) -> Result<()> {
        if !stages::ends_with(self.parent)? {
            return Ok(());
        }
        let stop = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop))
            .map_err(|error| Fault::unexpected(format!("cannot listen for signals: {error}")))?;
        let workspace = Workspace::new(self.workspace, None)?;
        let post = Post { run: self.run, device: self.device, slot: self.slot, threads: self.threads };
        let device = device::open(&post.device)?;
        let hands = Networks { workspace: workspace.clone(), device, threads: post.threads, stop };
        stages::work(&workspace, &post, &hands, std::io::stdin().lock(), std::io::stdout())
    }
}

impl Networks {
    /// Threads decide libtorch's bits: those the study declares, else those of the post.
    fn set(&self, numerics: &Numerics) -> usize {
        let threads = numerics.threads.unwrap_or(self.threads);
        tch::set_num_threads(threads as i32);
        threads
    }
}

impl Hands for Networks {
    fn carry_out(&self, task: &Task, read: &dyn Fn(&Input) -> Result<Vec<u8>>, listener: &dyn Listener) -> Outcome<Made> {
        match &task.work {
            Stage::Train(training) if training.pretended.is_none() => {
                let threads = self.set(&training.numerics);
                let checkpoints = self.workspace.checkpoints();
                let place = Place { key: task.key(), device: self.device, threads, checkpoints, stop: &self.stop };
                training::train(training, &Inputs::new(task, read), &place, listener)
            }
            Stage::Extract(of) if of.numerics.device != "pretend" => {
                let threads = self.set(&of.numerics);
                extraction::extract(of, &Inputs::new(task, read), self.device, threads, listener)
            }
            _ => Plain.carry_out(task, read, listener),
        }
    }
}
