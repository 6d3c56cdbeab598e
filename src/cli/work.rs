//! `visavis work`: a worker for torch-free stages, started by the dispatcher.

use super::Context;
use crate::{domain::Result, stages};

pub fn work(context: &Context) -> Result<()> {
    // A panic becomes the task's answer; the dispatcher shows it.
    std::panic::set_hook(Box::new(|_| {}));
    stages::work(&context.workspace, context.threads, std::io::stdin().lock(), std::io::stdout())
}
