//! What a dispatcher says to the worker that it starts, of any program: the options of its command line.

use super::{
    post::Post,
    worker::{WorkerSettings, ends_with},
};
use crate::{domain::Result, store::Workspace};
use std::path::PathBuf;

/// What a dispatcher tells the worker it starts, of any program.
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
    /// The folder where its tasks and answers are letters
    #[arg(long, requires = "identity")]
    post: Option<PathBuf>,
    /// The random name of the workspace that the run is in
    #[arg(long)]
    identity: Option<String>,
    /// Which build each program is to be: NAME=BUILD
    #[arg(long = "build", value_name = "NAME=BUILD", value_parser = pair)]
    builds: Vec<(String, String)>,
    /// A program that it may go on as: NAME=PATH
    #[arg(long = "program", value_name = "NAME=PATH", value_parser = pair)]
    programs: Vec<(String, String)>,
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    let pair = text.split_once('=').ok_or_else(|| format!("expected NAME=VALUE, found {text}"))?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

impl Orders {
    /// Where the worker is put to work; `None` when its dispatcher has gone already.
    ///
    /// # Errors
    /// A kernel that cannot end it with its dispatcher.
    pub fn settings(&self, threads: usize) -> Result<Option<WorkerSettings>> {
        let Orders { run, device, slot, parent, post, identity, builds, programs } = self;
        let post = post.clone().zip(identity.clone()).map(|(folder, identity)| Post {
            folder,
            identity,
            builds: builds.iter().cloned().collect(),
            programs: programs.iter().map(|(name, path)| (name.clone(), path.into())).collect(),
        });
        let settings = WorkerSettings { run: run.clone(), device: device.clone(), slot: *slot, threads, post };
        Ok(ends_with(*parent)?.then_some(settings))
    }
}

/// All that the worker of a program of its own is told, one that has no other options.
#[derive(clap::Args)]
pub struct WorkerArguments {
    #[arg(long)]
    workspace: PathBuf,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    #[command(flatten)]
    orders: Orders,
}

impl WorkerArguments {
    /// The workspace, and where the worker is put to work; it may use so many threads from here on. `None` when its dispatcher has gone
    /// already.
    ///
    /// # Errors
    /// As [`Orders::settings`]; a folder that is no workspace.
    pub fn begin(self) -> Result<Option<(Workspace, WorkerSettings)>> {
        let Some(settings) = self.orders.settings(self.threads)? else { return Ok(None) };
        rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global().ok();
        Ok(Some((Workspace::new(self.workspace, None)?, settings)))
    }
}
