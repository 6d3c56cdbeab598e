//! `visavis work`: a worker for torch-free stages, started by the dispatcher.

use super::Context;
use visavis_core::{
    domain::Result,
    stages::{self, CoreExecutor, Orders},
};

#[derive(clap::Args)]
pub(crate) struct WorkCommand {
    #[command(flatten)]
    orders: Orders,
}

impl WorkCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let Some(settings) = self.orders.settings(context.threads)? else { return Ok(()) };
        stages::serve(&context.workspace, &settings, &CoreExecutor(&context.workspace))
    }
}
