//! The worker: networks here, everything else as `visavis work` does it.

use crate::{
    device, extraction,
    training::{self, TrainingPlace},
};
use signal_hook::consts::SIGTERM;
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tch::Device;
use visavis_core::{
    domain::{
        Fault, Key, Result,
        stage::{Input, Task, Work},
        study::{DeviceClass, Numerics},
    },
    stages::{self, CoreExecutor, Inputs, Listener, Outcome, StageExecutor, StageOutput, WorkerArguments},
    store::Workspace,
};

struct Networks {
    workspace: Workspace,
    device: Device,
    threads: usize,
    stop: Arc<AtomicBool>,
    idle: Arc<AtomicBool>,
}

/// Works tasks off until there are no more.
///
/// # Errors
/// As [`stages::serve`]; a device that is not here.
pub fn run(arguments: WorkerArguments) -> Result<()> {
    let Some((workspace, settings)) = arguments.begin()? else { return Ok(()) };
    // Who trains keeps what was learned before it ends; anything else ends at once.
    let (stop, idle) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
    let refused = |error| Fault::unexpected(format!("cannot listen for signals: {error}"));
    if settings.post.is_none() {
        signal_hook::flag::register_conditional_shutdown(SIGTERM, 143, Arc::clone(&idle)).map_err(refused)?;
    }
    signal_hook::flag::register(SIGTERM, Arc::clone(&stop)).map_err(refused)?;
    let device = device::open(&settings.device)?;
    let executor = Networks { workspace: workspace.clone(), device, threads: settings.threads, stop, idle };
    stages::serve(&workspace, &settings, &executor)
}

impl Networks {
    /// Threads decide libtorch's bits: those the study declares, else those of the settings.
    fn set(&self, numerics: &Numerics) -> usize {
        let threads = numerics.threads.unwrap_or(self.threads);
        tch::set_num_threads(threads as i32);
        threads
    }
}

impl StageExecutor for Networks {
    fn program(&self) -> &'static str {
        "visavis-torch"
    }

    fn carry_out(&self, task: &Task, read: &dyn Fn(&Input) -> Result<Vec<u8>>, listener: &dyn Listener) -> Outcome<StageOutput> {
        // What libtorch refuses comes as a panic, wherever it is asked.
        let carried = catch_unwind(AssertUnwindSafe(|| self.carry(task, read, listener)));
        self.idle.store(true, Ordering::SeqCst);
        carried.unwrap_or_else(|panic| match device::said(&*panic) {
            Some(said) => Err(device::refused(said)),
            None => resume_unwind(panic),
        })
    }

    fn published(&self, key: Key) {
        self.workspace.checkpoints().remove(key);
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn keeps_nothing(&self) -> Option<Arc<AtomicBool>> {
        Some(Arc::clone(&self.idle))
    }
}

impl Networks {
    fn carry(&self, task: &Task, read: &dyn Fn(&Input) -> Result<Vec<u8>>, listener: &dyn Listener) -> Outcome<StageOutput> {
        match &task.work {
            Work::Train(training) if training.pretended.is_none() => {
                self.idle.store(false, Ordering::SeqCst);
                let threads = self.set(&training.numerics);
                let checkpoints = self.workspace.checkpoints();
                let place = TrainingPlace { key: task.key(), device: self.device, threads, checkpoints, stop: &self.stop };
                training::train(training, &Inputs::new(task, read), &place, listener)
            }
            Work::Extract(of) if of.numerics.device != DeviceClass::Pretend => {
                let threads = self.set(&of.numerics);
                extraction::extract(of, &Inputs::new(task, read), self.device, threads, listener)
            }
            _ => CoreExecutor(&self.workspace).carry_out(task, read, listener),
        }
    }
}
