//! Where a run comes from: program, repository, machine.

use std::{
    path::Path,
    process::{Command, Stdio},
};
use visavis_core::{
    dataset::DigestCache,
    domain::event::RunOrigin,
    store::{Workspace, origin},
};

/// `driver`: of the graphics cards, if there are any.
pub fn of(study: &Path, program: &Path, workspace: &Workspace, driver: Option<String>) -> RunOrigin {
    let folder = study.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut digests = DigestCache::open(workspace.digests());
    let program_digest = digests.of(program).ok();
    digests.keep();
    RunOrigin {
        program: concat!("visavis ", env!("CARGO_PKG_VERSION")).to_owned(),
        program_digest,
        commit: git(folder, &["rev-parse", "HEAD"]),
        dirty: git(folder, &["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty()),
        host: origin::host(),
        user: origin::user(),
        pid: std::process::id(),
        cpu: origin::cpu(),
        system: origin::system(),
        driver,
        environment: origin::environment(),
    }
}

/// What git says; `None` where there is no git or no repository.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").arg("-C").arg(folder).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
