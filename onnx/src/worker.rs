//! The worker: ONNX models here, everything else that needs no libtorch as `visavis work` does it.

use crate::extraction;
use visavis_core::{
    domain::{
        Result,
        model::ModelFormat,
        stage::{Input, Task, Work},
        study::DeviceClass,
    },
    stages::{self, CoreExecutor, Inputs, Listener, Outcome, StageExecutor, StageOutput, WorkerArguments, because},
    store::Workspace,
};

struct Models {
    workspace: Workspace,
    threads: usize,
}

/// Works tasks off until there are no more.
///
/// # Errors
/// As [`stages::serve`].
pub fn run(arguments: WorkerArguments) -> Result<()> {
    let Some((workspace, settings)) = arguments.begin()? else { return Ok(()) };
    let executor = Models { workspace: workspace.clone(), threads: settings.threads };
    stages::serve(&workspace, &settings, &executor)
}

impl StageExecutor for Models {
    fn program(&self) -> &'static str {
        "visavis-onnx"
    }

    fn carry_out(&self, task: &Task, read: &dyn Fn(&Input) -> Result<Vec<u8>>, listener: &dyn Listener) -> Outcome<StageOutput> {
        match &task.work {
            Work::Extract(of)
                if of.numerics.device != DeviceClass::Pretend
                    && of.whole.as_ref().is_some_and(|whole| whole.format == ModelFormat::Onnx) =>
            {
                let threads = of.numerics.threads.unwrap_or(self.threads);
                extraction::extract(of, &Inputs::new(task, read), threads, listener).map_err(because)
            }
            _ => CoreExecutor(&self.workspace).carry_out(task, read, listener),
        }
    }
}
