//! `visavis init DIR`

use super::{Context, output::say};
use std::path::{Path, PathBuf};
use visavis_core::{
    domain::{Fault, Result},
    store::write_whole,
};

#[derive(clap::Args)]
pub(crate) struct InitCommand {
    /// The folder to make
    dir: PathBuf,
}

/// A study to start from: complete, commented, and checked by a test.
const FIRST: &str = include_str!("../../templates/first.yaml");

impl InitCommand {
    pub(crate) fn run(&self, _context: &Context) -> Result<()> {
        write_if_absent(&self.dir.join("experiments/first.yaml"), FIRST.as_bytes())?;
        for folder in ["data", "reports"] {
            let path = self.dir.join(folder);
            std::fs::create_dir_all(&path).map_err(|error| Fault::io("create the folder", path, &error))?;
        }
        let dir = self.dir.display();
        say(format!(
            "{dir} is a workspace now:\n  experiments/first.yaml  a study to edit: name your features and labels in it\n  data/                   what you bring, and what Visavis keeps\n  reports/                what you hand out\n\nnext: cd {dir} && visavis plan experiments/first.yaml"
        ));
        Ok(())
    }
}

/// Writes a file that is not there; one that is there is left as it is.
pub(crate) fn write_if_absent(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.exists() || path.is_symlink() {
        return Ok(());
    }
    write_whole(path, bytes)
}
